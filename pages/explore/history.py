"""All runs: open, annotate, change or delete them."""

import streamlit as st

from unlearn_core.ui.pages.history import page

st.title("What has been tried?", anchor=False)
page.show()
