"""Relearn time on demand: it costs more than all other measurements of a run."""

import streamlit as st

from unlearn_core.charts.report import relearn
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import RelearnResult
from unlearn_core.domain.results.relearn_protocol import images_needed
from unlearn_core.domain.run import Run
from unlearn_core.ui.components import run_plan
from unlearn_core.ui.report.on_demand import OnDemandMeasurement
from unlearn_core.ui.shell import cache, formatting

MODELS = ("after", "gold", "fresh")


def offer_relearn(report: Report, run: Run) -> MeasureSpec | None:
    """Show the purpose of the measurement and a button with the cost; return the spec when it is pressed."""
    images = f"{report.dataset.item_noun}s"
    if "gold" in report.evaluations:
        models, reference = "this model, the retrained model and an untrained model", "the retrained model"
    else:
        models, reference = "this model and an untrained model (there is no retrained model yet)", "a retrained model"
    st.markdown(
        f"0 % accuracy does not prove forgetting. Copies of {models} are fine-tuned on a few forget {images}. If this "
        f"model recovers faster than {reference}, information remained."
    )
    label = "Measure" if RelearnResult not in report else "Measure again, with the retrained model"
    if st.button(f"{label} ({_cost(report)})", icon=":material/history_edu:", key="measure-relearn"):
        return MeasureSpec(run=run.id, what="relearn")
    return None


def _is_old(report: Report) -> bool:
    """Whether the measurement was made without gold, and there is a gold now."""
    return "gold" in report.evaluations and "gold" not in report[RelearnResult].models


def _cost(report: Report) -> str:
    """The estimated time: three models are fine-tuned (two without gold), in several draws."""
    trained, evaluated = images_needed(
        [model for model in MODELS if model != "gold" or "gold" in report.evaluations],
        len(report.split.forget_val) or max(1, len(report.split.forget_train) // 2),
    )
    speed = cache.throughput(report.classifier.id, "gold", "unlearn")
    seconds = (trained + run_plan.MEASURING_COST * evaluated) * speed.seconds_per_image
    return f"{formatting.format_estimate(seconds)} {speed.device_phrase}"


RELEARN = OnDemandMeasurement(
    what="relearn",
    chart=relearn.CHART,
    offer=offer_relearn,
    title=lambda run: f"Relearn time of run {run.id}",
    needs_update=_is_old,
    steps="step",
)
