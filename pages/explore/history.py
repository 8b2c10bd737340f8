"""Every run that was made here: read it again, write a note beside it, change it, or throw it away."""

import streamlit as st

from unlearn_core.ui import history

st.title("What has been tried?", anchor=False)
history.show()
