"""The training curve, live and afterwards: mean training loss and validation accuracy of each epoch."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.charts.chart import percent_axis
from unlearn_core.charts.drawing.theme import Theme, line_style
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.results.course import TrainingResult

HEIGHT = 300
"""Pixels."""


def figure(training: TrainingResult, theme: Theme) -> go.Figure:
    """The mean training loss on the left and the validation accuracy on the right, both by epoch on one scale."""
    loss, accuracy = training.loss, training.accuracy
    epochs, last = np.arange(1, len(loss) + 1), max(training.epochs, 2)
    drawn = make_subplots(rows=1, cols=2, horizontal_spacing=0.12)
    mode = "lines+markers" if len(loss) < 3 else "lines"
    for column, values, shown in ((1, loss, "%{y:.3f}"), (2, accuracy, "%{y:.1%}")):
        line = go.Scatter(
            x=epochs,
            y=values,
            mode=mode,
            line=line_style(theme, "after"),
            hovertemplate=f"epoch %{{x}}: {shown}<extra></extra>",
        )
        drawn.add_trace(line, row=1, col=column)
    chance = 1 / training.classes
    drawn.add_hline(y=chance, line={"color": theme.quiet, "width": 1, "dash": "dot"}, row=1, col=2)  # type: ignore
    drawn.add_annotation(
        x=last, y=chance, xanchor="right", yanchor="bottom", text="chance", font={"color": theme.quiet}, row=1, col=2
    )
    drawn.update_layout(template=theme.template, height=HEIGHT)
    drawn.update_xaxes(range=[0.5, last + 0.5], title="epoch")
    top = max(float(loss.max()) if len(loss) else 1.0, 1e-3)
    drawn.update_yaxes(range=[0, 1.05 * top], title="training loss", row=1, col=1)
    drawn.update_yaxes(**percent_axis(0, 1.02), title="validation accuracy", row=1, col=2)
    return drawn


def summary(training: TrainingResult) -> str:
    """Progress, loss and accuracy."""
    loss, accuracy = training.loss, training.accuracy
    done, every = len(loss), training.epochs
    text = f"After epoch {done} of {every} the mean training loss is {loss[-1]:.3f}"
    if not np.isfinite(accuracy).any():
        return f"{text}. This data set has no validation images."
    best = int(np.nanargmax(accuracy))
    is_last = accuracy[best] == accuracy[-1]
    high = "" if is_last else f" (best: {percent(accuracy[best])}, after epoch {best + 1})"
    return (
        f"{text}. Accuracy on {training.images:,} validation images is {percent(accuracy[-1])}{high}; "
        f"guessing would give {percent(1 / training.classes)}."
    )
