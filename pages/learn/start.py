"""What this is, and one click to see it happen."""

import streamlit as st

from unlearn_core.ui import start

left, right = st.columns([1, 1.1], gap="large", vertical_alignment="center")
with left:
    start.hero()
with right:
    start.example()
start.ways()
