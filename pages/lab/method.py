"""How should it forget: which method, and how its knobs are set?"""

import streamlit as st

from unlearn_core.ui import knobs, shelf, strip

plan = strip.show()
st.title("How should it forget?", anchor=False)
left, right = st.columns([1, 1.8], gap="large")
with left:
    shelf.show(plan)
with right:
    shelf.card(plan)
    knobs.show(plan)
    shelf.fails(plan)
