"""The challenge's score of a run: asked for on the report's page, since it needs many nets."""

import streamlit as st

from unlearn_core import methods
from unlearn_core.catalog import populations
from unlearn_core.charts import score
from unlearn_core.domain.method import Sizes
from unlearn_core.domain.report import Report
from unlearn_core.domain.request import ForgetClasses
from unlearn_core.domain.run import MeasureSpec, Priority, Run
from unlearn_core.ui import plan, studio, words
from unlearn_core.ui.asked import Asked

NETS = (16, 32, 64)


def offer(report: Report, run: Run) -> MeasureSpec | None:
    """What it is good for, with how many nets, and the button that asks for it with its cost."""
    if report.spec.start is not None or report.classifier.recipe is None:
        st.markdown("There is no gold for this run, so there is nothing that its score could be taken against.")
        return None
    st.markdown(
        "One net says little about a method that draws lots. The score of the NeurIPS 2023 challenge makes many nets "
        "by these settings and asks, picture by picture, whether they can be told from golds."
    )
    nets = st.segmented_control("Nets of each kind", NETS, default=NETS[0], required=True, key="score-nets")
    st.caption(_needs(report, nets))
    if st.button(f"Take the score ({_cost(report, nets)})", icon=":material/groups:", key="measure-score"):
        return MeasureSpec(run=run.id, what="score", nets=nets)
    return None


def _needs(report: Report, nets: int) -> str:
    """How many nets must be made, in words."""
    golds = _golds(report, nets)
    there = "all of which ship" if golds == 0 else f"{golds} of which must be trained first"
    return (
        f"{nets} nets by these settings, and {2 * nets} golds, {there}: half of them to score against, half for the "
        "ceiling. What is done stays: a stopped score goes on where it was."
    )


def _golds(report: Report, nets: int) -> int:
    """How many golds must be trained at the most."""
    shipped = populations.golds(report.spec.request)
    return max(0, 2 * nets - (0 if shipped is None else len(shipped)))


def _cost(report: Report, nets: int) -> str:
    """The passes of all nets and the asking of them, at this machine's pace."""
    method, split, wish = methods.method(report.spec.method), report.split, report.spec.request.forget
    recipe, classes = report.classifier.trained_by, len(report.dataset.classes)
    gone = len(wish.classes) if isinstance(wish, ForgetClasses) else 0
    sizes = Sizes(
        forget=len(split.forget_train),
        retain=len(split.retain_train),
        forgotten_classes=gone,
        kept_classes=classes - gone,
        classes=classes,
        epochs=recipe.epochs,
        batch=recipe.batch,
    )
    golds = _golds(report, nets)
    passes = nets * method.passes(method.params.parse(report.spec.params), sizes)
    passes += golds * recipe.epochs * sizes.retain
    passes += (nets + golds) * plan.MEASURED * len(report.labels)
    speed = studio.seconds_per_picture(report.classifier.id, "gold", "unlearn")
    return f"{words.about(passes * speed.seconds)} {speed.where}"


ASKED = Asked(
    what="score",
    chart=score.CHART,
    offer=offer,
    title=lambda run: f"Take the challenge's score of run {run.id}",
    again=lambda report: False,
    steps="net",
    priority=Priority.BACKGROUND,
)
