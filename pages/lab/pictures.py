"""See which pictures there are, and bring others."""

import streamlit as st

from unlearn_core.ui.pages.datasets import add, import_progress, page

st.title("Which pictures are there?", anchor=False)
import_progress.show()
left, right = st.columns([1, 2.2], gap="large")
with left:
    name = page.choice()
    page.put_away()
with right:
    page.card(name)
st.divider()
add.show()
