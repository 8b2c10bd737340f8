"""Which classifier should forget, and how good is it?"""

import streamlit as st

from unlearn_core.ui.components import run_bar
from unlearn_core.ui.pages.classifier import page

plan = run_bar.show()
st.title("Which classifier should forget?", anchor=False)
page.train_first(plan)
page.choice(plan)
left, right = st.columns([1, 1.15], gap="large")
with left:
    page.facts(plan)
with right:
    page.samples(plan)
    page.accuracy(plan)
page.footer(plan)
page.own_classifiers(plan)
