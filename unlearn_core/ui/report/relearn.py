"""Can it be brought back? Asked for on the report's page, since it costs more than all else that is measured."""

import streamlit as st

from unlearn_core.charts.report import relearn
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.relearn_protocol import images_needed
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import Run
from unlearn_core.ui.components import run_plan
from unlearn_core.ui.report.on_demand import OnDemandMeasurement
from unlearn_core.ui.shell import cache, formatting

MODELS = ("after", "gold", "fresh net")


def offer_relearn(report: Report, run: Run) -> MeasureSpec | None:
    """What it is good for, and the button that asks for it with its cost."""
    nets = "Copies of it, of gold and of" if "gold" in report.evaluations else "Without gold yet, copies of it and of"
    st.markdown(
        f"An accuracy of nought does not say that a net has forgotten. {nets} a net that knows nothing are taught a "
        "few of the forgotten pictures again: what is back sooner than in gold was not gone."
    )
    label = "Measure it" if relearn.PART not in report.parts else "Measure it again, with gold this time"
    if st.button(f"{label} ({_cost(report)})", icon=":material/history_edu:", key="measure-relearn"):
        return MeasureSpec(run=run.id, what="relearn")
    return None


def _is_old(report: Report) -> bool:
    """Whether gold came after the measurement."""
    return "gold" in report.evaluations and "gold" not in report.parts[relearn.PART].facts["models"]


def _cost(report: Report) -> str:
    """Three nets are taught, or two where there is no gold, in as many draws as there are."""
    taught, asked = images_needed(
        [model for model in MODELS if model != "gold" or "gold" in report.evaluations],
        len(report.split.forget_val) or max(1, len(report.split.forget_train) // 2),
    )
    speed = cache.throughput(report.classifier.id, "gold", "unlearn")
    return f"{formatting.format_estimate((taught + run_plan.MEASURING_COST * asked) * speed.seconds_per_image)} {speed.device_phrase}"


RELEARN = OnDemandMeasurement(
    what="relearn",
    chart=relearn.CHART,
    offer=offer_relearn,
    title=lambda run: f"Teach run {run.id} again what it forgot",
    needs_update=_is_old,
    steps="step",
)
