"""What Unlearn Lab does, and one click to see it."""

import streamlit as st

from unlearn_core.ui.pages.start import home

left, right = st.columns([1, 1.1], gap="large", vertical_alignment="center")
with left:
    home.hero()
with right:
    home.example_run()
home.entry_points()
