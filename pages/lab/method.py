"""How should it forget: with which method and hyperparameters?"""

import streamlit as st

from unlearn_core.ui.components import hyperparameter_inputs, run_bar
from unlearn_core.ui.pages.method import method_list

plan = run_bar.show()
st.title("How should it forget?", anchor=False)
left, right = st.columns([1, 1.8], gap="large")
with left:
    method_list.show(plan)
with right:
    method_list.card(plan)
    hyperparameter_inputs.show(plan)
    method_list.failure_modes(plan)
