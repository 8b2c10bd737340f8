"""Compare the settings and results of two to four finished runs side by side."""

import streamlit as st

from unlearn_core.ui.pages.compare import page

st.title("Which did better?", anchor=False)
page.show()
