"""Entropy of the predictions on the forget images, as densities: how uncertain each model is."""

from collections.abc import Mapping, Sequence
from functools import partial
from math import log

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, needs
from unlearn_core.charts.drawing import density
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import eval_forget_set, forget_set_label, percent
from unlearn_core.charts.text.claim import Direction
from unlearn_core.charts.text.claims import entropy_claim
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.outputs import LogitsResult


def normalized_entropies(report: Report) -> dict[str, np.ndarray]:
    """Return the entropy of every prediction as a share of the maximum, ln C, by model."""
    most = log(len(report.dataset.classes))
    # Rounding can push a uniform prediction slightly beyond the end of the scale.
    return {
        model: (part / most).clip(0, 1)
        for model, part in density.values_in_set(report, report[LogitsResult].entropy, eval_forget_set(report)).items()
    }


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw the densities, from certain to a uniform guess."""
    drawn = density.draw_densities(
        reports,
        theme,
        values=normalized_entropies,
        axis="entropy of the predictions, forget images",
        span=density.AxisRange(0.0, 1.0, is_closed=True),
    )
    marks = ["certain", "", "half", "", "uniform"] if len(reports) == 1 else ["certain", "", "", "", "uniform"]
    drawn.update_layout(margin={"l": 26, "r": 26})  # Words at both ends of the axis.
    drawn.update_xaxes(range=[-0.03, 1.03], tickvals=[0, 0.25, 0.5, 0.75, 1], ticktext=marks)
    return drawn


def summary(report: Report) -> str:
    """Describe the medians before and after, compared with gold's."""
    middle = density.medians(normalized_entropies(report))
    said = (
        f"On {forget_set_label(report)}, the median entropy went from {percent(middle['before'], 0)} of the maximum to "
        f"{percent(middle['after'], 0)}"
    )
    if "gold" not in middle:
        return f"{said}. {NO_GOLD}"
    claim = entropy_claim(report)
    compared = _COMPARED[claim.direction] if claim else ""
    return f"{said}; retrained model: {percent(middle['gold'], 0)}{compared}."


_COMPARED: Mapping[Direction, str] = {
    "beyond": ", so it is far more uncertain than a model that was not trained on them",
    "distinguishable": ", so it is far less uncertain than a model that was not trained on them",
    "unclear": "",
}


def alt_text(report: Report) -> str:
    """Describe the medians and interquartile ranges in numbers."""
    what = f"Densities of the entropy of the predictions, as a share of the maximum, on {forget_set_label(report)}."
    return f"{what} {density.describe_quartiles(normalized_entropies(report), partial(percent, digits=0))}"


CHART = Chart(
    id="certainty",
    title="Entropy of the predictions",
    question="How uncertain is the model about the forget set?",
    caveat="High uncertainty does not prove forgetting. A model that was not trained on a class is often quite "
    "confident that it is something else; one that was pushed away from it may be uncertain in a way that reveals the "
    "images. The aim is the curve of the retrained model. At the ends of the scale the smoothing is folded back.",
    applies=needs(LogitsResult),
    table=density.quantile_table(normalized_entropies),
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Inside",
    order=50,
)
