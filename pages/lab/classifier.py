"""Which classifier should forget, and how good is it?"""

import streamlit as st

from unlearn_core.ui import classifier, strip

plan = strip.show()
st.title("Which classifier should forget?", anchor=False)
classifier.wanted(plan)
classifier.choice(plan)
left, right = st.columns([1, 1.15], gap="large")
with left:
    classifier.facts(plan)
with right:
    classifier.samples(plan)
    classifier.accuracy(plan)
classifier.foot(plan)
classifier.more(plan)
