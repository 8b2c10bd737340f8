"""Logit of the true class on the forget images, as densities: how confident each model is in it."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, needs
from unlearn_core.charts.drawing import density
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import eval_forget_set, forget_set_label, number
from unlearn_core.charts.text.claim import Direction
from unlearn_core.charts.text.claims import confidence_claim
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import LogitsResult


def true_logits(report: Report) -> dict[str, np.ndarray]:
    """Return the logit of the true class for every forget image, by model."""
    return density.values_in_set(report, report[LogitsResult].true_logit, eval_forget_set(report))


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw the densities of the logit."""
    return density.draw_densities(reports, theme, values=true_logits, axis="logit of the true class, forget images")


def summary(report: Report) -> str:
    """Describe how the median changed, compared with gold's."""
    found = true_logits(report)
    middle = density.medians(found)
    went = (
        f"On {forget_set_label(report)}, the median went from {number(middle['before'])} to {number(middle['after'])}"
    )
    if "gold" not in found:
        return f"{went}. {NO_GOLD}"
    claim = confidence_claim(report)
    compared = _COMPARED[claim.direction] if claim else ""
    return f"{went}; retrained model: {number(middle['gold'])}{compared}."


_COMPARED: Mapping[Direction, str] = {
    "left": ", so it is far more confident than a model that was not trained on them",
    "beyond": ", so it is far less confident than a model that was not trained on them",
    "unclear": "",
}


def alt_text(report: Report) -> str:
    """Describe the medians and interquartile ranges in numbers."""
    told = density.describe_quartiles(true_logits(report), number)
    return f"Densities of the true class's logit on {forget_set_label(report)}. {told}"


CHART = Chart(
    id="confidence",
    title="Logit of the true class",
    question="How confident is it in the true class?",
    caveat="Logits have no fixed scale: two models with the same predictions may differ by a constant. Compare shapes, "
    "and the distance to the retrained model. Far below it is no better than far above: forget images that look less "
    "familiar than unseen ones are distinguishable too. The curves are smoothed; few images are also drawn as ticks.",
    applies=needs(LogitsResult),
    table=density.quantile_table(true_logits),
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Inside",
    order=30,
)
