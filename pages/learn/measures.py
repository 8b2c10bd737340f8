"""What is measured, how, and what each measure does not say."""

import streamlit as st

from unlearn_core.ui.pages.learn import measures

st.title("What does each measure tell?", anchor=False)
st.markdown(
    "No single number says that something was forgotten. Each of these answers one question, always beside "
    "**gold**: the same classifier retrained without the forgotten data."
)
measures.show()
