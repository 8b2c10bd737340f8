"""The score of the NeurIPS 2023 challenge on demand: it needs an ensemble of models."""

import streamlit as st

from unlearn_core.charts.report import neurips_score
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Priority, Run
from unlearn_core.ui.components import cost_estimate
from unlearn_core.ui.report.on_demand import OnDemandMeasurement

SCORE_MODEL_COUNTS = (16, 32, 64)


def offer_score(report: Report, run: Run) -> MeasureSpec | None:
    """Show the purpose of the score, the number of models and a button with the cost; return the spec when pressed."""
    reason = cost_estimate.no_gold_reason(report)
    if reason is not None:
        st.markdown(reason)
        return None
    st.markdown(
        "One model says little about a randomised method. The score of the NeurIPS 2023 challenge unlearns many "
        "models with these settings and tests, image by image, whether an attacker can tell them from retrained models."
    )
    count = st.segmented_control(
        "Models of each kind", SCORE_MODEL_COUNTS, default=SCORE_MODEL_COUNTS[0], required=True, key="score-nets"
    )
    st.caption(_score_needs(report, count))
    cost = cost_estimate.ensemble_cost(report, unlearned=count, golds=2 * count)
    if st.button(f"Compute the score ({cost})", icon=":material/groups:", key="measure-score"):
        return MeasureSpec(run=run.id, what="score", nets=count)
    return None


def _score_needs(report: Report, num_models: int) -> str:
    """How many models are needed, in words."""
    golds = cost_estimate.golds_to_train(report, 2 * num_models)
    trained = "all of them bundled" if golds == 0 else f"{golds} of which must be trained first"
    return (
        f"{num_models} models are unlearned with these settings and compared with {2 * num_models} retrained models, "
        f"{trained}: half of them as the reference, half for the best possible score. Finished models are stored, so a "
        "stopped score resumes where it was."
    )


SCORE = OnDemandMeasurement(
    what="score",
    chart=neurips_score.CHART,
    offer=offer_score,
    title=lambda run: f"NeurIPS 2023 score of run {run.id}",
    needs_update=lambda report: False,
    steps="model",
    priority=Priority.BACKGROUND,
)
