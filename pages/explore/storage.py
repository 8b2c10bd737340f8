"""What is stored on this server of you, and how you delete it."""

import streamlit as st

from unlearn_core.ui.pages.storage import page

st.title("What is stored here?", anchor=False)
page.show()
