"""See which data sets there are, and add your own."""

import streamlit as st

from unlearn_core.ui.pages.datasets import add, import_progress, page

st.title("Which data sets are there?", anchor=False)
import_progress.show()
left, right = st.columns([1, 2.2], gap="large")
with left:
    name = page.dataset_choice()
    page.removed_datasets()
with right:
    page.dataset_card(name)
    page.all_images(name)
st.divider()
add.show()
