"""See which of two to six finished runs did better, and whether the difference is more than chance."""

import streamlit as st

from unlearn_core.ui.pages.compare import page

st.title("Which did better?", anchor=False)
page.show()
