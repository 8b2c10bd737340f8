"""What runs on each device, who waits, and when your runs are expected to start."""

import streamlit as st

from unlearn_core.ui.pages.queue import page

st.title("Who is waiting?", anchor=False)
page.show()
