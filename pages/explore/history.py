"""Every run that was made here: read it again, write a note beside it, change it, or throw it away."""

import streamlit as st

from unlearn_core.ui.pages.history import page

st.title("What has been tried?", anchor=False)
page.show()
