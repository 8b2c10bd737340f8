"""The attack with shadow nets: asked for on the report's page, since it needs many nets."""

import streamlit as st

from unlearn_core.charts.report import lira
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Priority, Run
from unlearn_core.ui.components import cost_estimate
from unlearn_core.ui.report.on_demand import OnDemandMeasurement

LIRA_MODEL_COUNTS = (8, 16, 32)


def offer_lira(report: Report, run: Run) -> MeasureSpec | None:
    """What it is good for, with how many nets, and the button that asks for it with its cost."""
    why_none = cost_estimate.no_gold_reason(report)
    if why_none is not None:
        st.markdown(why_none)
        return None
    st.markdown(
        "The other attacks look at this net alone. One with shadow nets (LiRA) learns first, picture by picture, how "
        "nets answer that were made to forget it, and how nets that never saw it; then it looks at this one."
    )
    nets = st.segmented_control(
        "Shadow nets of each kind", LIRA_MODEL_COUNTS, default=LIRA_MODEL_COUNTS[0], required=True, key="lira-nets"
    )
    st.caption(_lira_needs(report, nets))
    cost = cost_estimate.ensemble_cost(report, unlearned=nets, golds=nets + 1, originals=nets)
    if st.button(f"Try the attack ({cost})", icon=":material/person_search:", key="measure-lira"):
        return MeasureSpec(run=run.id, what="lira", nets=nets)
    return None


def _lira_needs(report: Report, num_models: int) -> str:
    """How many nets must be trained, in words."""
    golds = cost_estimate.golds_to_train(report, num_models + 1)
    there = "which ship" if golds == 0 else f"{golds} of which must be trained first"
    return (
        f"{num_models} classifiers are trained from other seeds and made to forget by these settings; beside them stand "
        f"{num_models + 1} golds, {there}. What is trained stays, and is not trained again for another method."
    )


LIRA = OnDemandMeasurement(
    what="lira",
    chart=lira.CHART,
    offer=offer_lira,
    title=lambda run: f"Attack run {run.id} with shadow nets",
    needs_update=lambda report: False,
    steps="net",
    priority=Priority.BACKGROUND,
)
