"""See which pictures there are, and bring others."""

import streamlit as st

from unlearn_core.ui import arrivals, bringing, pictures

st.title("Which pictures are there?", anchor=False)
arrivals.show()
left, right = st.columns([1, 2.2], gap="large")
with left:
    name = pictures.choice()
    pictures.put_away()
with right:
    pictures.card(name)
st.divider()
bringing.show()
