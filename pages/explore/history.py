"""The page History: all runs, to open, annotate, change or delete."""

import streamlit as st

from unlearn_core.ui.pages.history import page

st.title("What has been tried?", anchor=False)
page.show()
