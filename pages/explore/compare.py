"""Two to four finished runs side by side: what differs in their settings, and what came of it."""

import streamlit as st

from unlearn_core.ui.pages.compare import page

st.title("Which did better?", anchor=False)
page.show()
