"""Points in the plane: circle some, and watch the decision boundary of a small network forget them."""

import streamlit as st

from unlearn_core.ui.pages.playground import page, texts

st.title("What does forgetting do to a decision boundary?", anchor=False)
st.markdown(texts.INTRODUCTION)
page.scene_choice()
plane, controls = st.columns([2.9, 1], gap="medium")
with plane:
    page.the_plane()
with controls:
    page.controls()
texts.show()
page.write_url()
