"""The challenge's score of a run: asked for on the report's page, since it needs many nets."""

import streamlit as st

from unlearn_core.charts.report import neurips_score
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Priority, Run
from unlearn_core.ui.components import cost_estimate
from unlearn_core.ui.report.on_demand import OnDemandMeasurement

SCORE_MODEL_COUNTS = (16, 32, 64)


def offer_score(report: Report, run: Run) -> MeasureSpec | None:
    """What it is good for, with how many nets, and the button that asks for it with its cost."""
    why_none = cost_estimate.no_gold_reason(report)
    if why_none is not None:
        st.markdown(why_none)
        return None
    st.markdown(
        "One net says little about a method that draws lots. The score of the NeurIPS 2023 challenge makes many nets "
        "by these settings and asks, picture by picture, whether they can be told from golds."
    )
    nets = st.segmented_control(
        "Nets of each kind", SCORE_MODEL_COUNTS, default=SCORE_MODEL_COUNTS[0], required=True, key="score-nets"
    )
    st.caption(_score_needs(report, nets))
    cost = cost_estimate.ensemble_cost(report, unlearned=nets, golds=2 * nets)
    if st.button(f"Take the score ({cost})", icon=":material/groups:", key="measure-score"):
        return MeasureSpec(run=run.id, what="score", nets=nets)
    return None


def _score_needs(report: Report, num_models: int) -> str:
    """How many nets must be made, in words."""
    golds = cost_estimate.golds_to_train(report, 2 * num_models)
    there = "all of which ship" if golds == 0 else f"{golds} of which must be trained first"
    return (
        f"{num_models} nets by these settings, and {2 * num_models} golds, {there}: half of them to score against, half for the "
        "ceiling. What is done stays: a stopped score goes on where it was."
    )


SCORE = OnDemandMeasurement(
    what="score",
    chart=neurips_score.CHART,
    offer=offer_score,
    title=lambda run: f"Take the challenge's score of run {run.id}",
    needs_update=lambda report: False,
    steps="net",
    priority=Priority.BACKGROUND,
)
