"""The attack with shadow nets: asked for on the report's page, since it needs many nets."""

import streamlit as st

from unlearn_core.charts.report import lira
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Priority, Run
from unlearn_core.ui.components import cost_estimate
from unlearn_core.ui.report.on_demand import Asked

NETS = (8, 16, 32)


def offer(report: Report, run: Run) -> MeasureSpec | None:
    """What it is good for, with how many nets, and the button that asks for it with its cost."""
    why_none = cost_estimate.why_none(report)
    if why_none is not None:
        st.markdown(why_none)
        return None
    st.markdown(
        "The other attacks look at this net alone. One with shadow nets (LiRA) learns first, picture by picture, how "
        "nets answer that were made to forget it, and how nets that never saw it; then it looks at this one."
    )
    nets = st.segmented_control("Shadow nets of each kind", NETS, default=NETS[0], required=True, key="lira-nets")
    st.caption(_needs(report, nets))
    cost = cost_estimate.cost(report, made=nets, golds=nets + 1, originals=nets)
    if st.button(f"Try the attack ({cost})", icon=":material/person_search:", key="measure-lira"):
        return MeasureSpec(run=run.id, what="lira", nets=nets)
    return None


def _needs(report: Report, nets: int) -> str:
    """How many nets must be trained, in words."""
    golds = cost_estimate.golds_to_train(report, nets + 1)
    there = "which ship" if golds == 0 else f"{golds} of which must be trained first"
    return (
        f"{nets} classifiers are trained from other seeds and made to forget by these settings; beside them stand "
        f"{nets + 1} golds, {there}. What is trained stays, and is not trained again for another method."
    )


ASKED = Asked(
    what="lira",
    chart=lira.CHART,
    offer=offer,
    title=lambda run: f"Attack run {run.id} with shadow nets",
    again=lambda report: False,
    steps="net",
    priority=Priority.BACKGROUND,
)
