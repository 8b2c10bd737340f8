"""The challenge's score of a run: asked for on the report's page, since it needs many nets."""

import streamlit as st

from unlearn_core.charts.report import neurips_score
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Priority, Run
from unlearn_core.ui.components import cost_estimate
from unlearn_core.ui.report.on_demand import Asked

NETS = (16, 32, 64)


def offer(report: Report, run: Run) -> MeasureSpec | None:
    """What it is good for, with how many nets, and the button that asks for it with its cost."""
    why_none = cost_estimate.why_none(report)
    if why_none is not None:
        st.markdown(why_none)
        return None
    st.markdown(
        "One net says little about a method that draws lots. The score of the NeurIPS 2023 challenge makes many nets "
        "by these settings and asks, picture by picture, whether they can be told from golds."
    )
    nets = st.segmented_control("Nets of each kind", NETS, default=NETS[0], required=True, key="score-nets")
    st.caption(_needs(report, nets))
    cost = cost_estimate.cost(report, made=nets, golds=2 * nets)
    if st.button(f"Take the score ({cost})", icon=":material/groups:", key="measure-score"):
        return MeasureSpec(run=run.id, what="score", nets=nets)
    return None


def _needs(report: Report, nets: int) -> str:
    """How many nets must be made, in words."""
    golds = cost_estimate.golds_to_train(report, 2 * nets)
    there = "all of which ship" if golds == 0 else f"{golds} of which must be trained first"
    return (
        f"{nets} nets by these settings, and {2 * nets} golds, {there}: half of them to score against, half for the "
        "ceiling. What is done stays: a stopped score goes on where it was."
    )


ASKED = Asked(
    what="score",
    chart=neurips_score.CHART,
    offer=offer,
    title=lambda run: f"Take the challenge's score of run {run.id}",
    again=lambda report: False,
    steps="net",
    priority=Priority.BACKGROUND,
)
