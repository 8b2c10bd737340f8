"""How should it forget: with which method and hyperparameters?"""

import streamlit as st

from unlearn_core.ui.components import hyperparameter_inputs, run_bar
from unlearn_core.ui.pages.method import measured, method_list
from unlearn_core.ui.pages.methods import method_plan

plan = run_bar.show()
head, question = st.container(horizontal=True, vertical_alignment="bottom"), st.container()
with head:
    st.title("How should it forget?", anchor=False, width="content")
    st.space("stretch")
    method_plan.offer(plan.setup, question=question)
if method_list.view() == method_list.IN_TABLE:
    method_list.table(plan)
    right = st.container()
else:
    left, right = st.columns([1, 1.8], gap="large")
    with left:
        method_list.show(plan)
with right:
    method_list.card(plan)
    hyperparameter_inputs.show(plan)
    method_list.failure_modes(plan)
    measured.show(plan.method.id)
