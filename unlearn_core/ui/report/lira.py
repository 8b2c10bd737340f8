"""The shadow-model attack (LiRA) on demand: it needs an ensemble of models."""

import streamlit as st

from unlearn_core.charts.report import lira
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Priority, Run
from unlearn_core.ui.components import cost_estimate
from unlearn_core.ui.report.on_demand import OnDemandMeasurement

LIRA_MODEL_COUNTS = (8, 16, 32)


def offer_lira(report: Report, run: Run) -> MeasureSpec | None:
    """Show the purpose of the attack, the number of models and a button with the cost; return the spec when pressed."""
    reason = cost_estimate.no_gold_reason(report)
    if reason is not None:
        st.markdown(reason)
        return None
    st.markdown(
        "The other attacks evaluate this model alone. The shadow-model attack (LiRA) first learns, image by image, how "
        "the outputs of models that were trained on it and then unlearned it differ from those of models that never "
        "saw it. Then it evaluates this model."
    )
    count = st.segmented_control(
        "Shadow models of each kind", LIRA_MODEL_COUNTS, default=LIRA_MODEL_COUNTS[0], required=True, key="lira-nets"
    )
    st.caption(_lira_needs(report, count))
    cost = cost_estimate.ensemble_cost(report, unlearned=count, golds=count + 1, originals=count)
    if st.button(f"Run the attack ({cost})", icon=":material/person_search:", key="measure-lira"):
        return MeasureSpec(run=run.id, what="lira", nets=count)
    return None


def _lira_needs(report: Report, num_models: int) -> str:
    """How many models must be trained, in words."""
    golds = cost_estimate.golds_to_train(report, num_models + 1)
    trained = "all of them bundled" if golds == 0 else f"{golds} of which must be trained first"
    return (
        f"{num_models} classifiers are trained from other seeds and unlearned with these settings. They are compared "
        f"with {num_models + 1} retrained models, {trained}. Trained models are stored and reused for other methods."
    )


LIRA = OnDemandMeasurement(
    what="lira",
    chart=lira.CHART,
    offer=offer_lira,
    title=lambda run: f"Shadow-model attack on run {run.id}",
    needs_update=lambda report: False,
    steps="model",
    priority=Priority.BACKGROUND,
)
