"""What is measured, how, and what each measurement does not show."""

import streamlit as st

from unlearn_core.ui.pages.learn import measures

st.title("What does each measurement show?", anchor=False)
st.markdown(
    "No single number proves that something was forgotten. Each measurement answers one question, always compared "
    "with the **retrained model**: the same classifier, trained from scratch without the forget set."
)
measures.show()
