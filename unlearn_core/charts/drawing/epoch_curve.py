"""The curve of a training, live and afterwards: the mean loss of each epoch, and how much it gets right meanwhile."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from unlearn_core.charts.chart import percent_axis
from unlearn_core.charts.drawing.theme import Theme, line_style
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.measurement import ReportPart

HEIGHT = 300
"""Pixels."""


def figure(part: ReportPart, theme: Theme) -> go.Figure:
    """Left the mean training loss, right the accuracy on validation pictures, both by epoch; one scale of epochs."""
    loss, right = part.arrays["loss"], part.arrays["accuracy"]
    epochs, last = np.arange(1, len(loss) + 1), max(part.facts["epochs"], 2)
    drawn = make_subplots(rows=1, cols=2, horizontal_spacing=0.12)
    mode = "lines+markers" if len(loss) < 3 else "lines"
    for column, values, shown in ((1, loss, "%{y:.3f}"), (2, right, "%{y:.1%}")):
        line = go.Scatter(
            x=epochs,
            y=values,
            mode=mode,
            line=line_style(theme, "after"),
            hovertemplate=f"epoch %{{x}}: {shown}<extra></extra>",
        )
        drawn.add_trace(line, row=1, col=column)
    chance = 1 / part.facts["classes"]
    drawn.add_hline(y=chance, line={"color": theme.quiet, "width": 1, "dash": "dot"}, row=1, col=2)  # type: ignore
    drawn.add_annotation(
        x=last, y=chance, xanchor="right", yanchor="bottom", text="chance", font={"color": theme.quiet}, row=1, col=2
    )
    drawn.update_layout(template=theme.template, height=HEIGHT)
    drawn.update_xaxes(range=[0.5, last + 0.5], title="epoch")
    top = max(float(loss.max()) if len(loss) else 1.0, 1e-3)
    drawn.update_yaxes(range=[0, 1.05 * top], title="training loss", row=1, col=1)
    drawn.update_yaxes(**percent_axis(0, 1.02), title="right, validation", row=1, col=2)
    return drawn


def summary(part: ReportPart) -> str:
    """How far it is and how good."""
    loss, right = part.arrays["loss"], part.arrays["accuracy"]
    done, every = len(loss), part.facts["epochs"]
    said = f"After epoch {done} of {every} the mean training loss is {loss[-1]:.3f}"
    if not np.isfinite(right).any():
        return f"{said}; this data set has no validation pictures to ask."
    best = int(np.nanargmax(right))
    high = "" if right[best] == right[-1] else f" (the most was {percent(right[best])}, after epoch {best + 1})"
    return (
        f"{said}, and {percent(right[-1])} of {part.facts['pictures']:,} validation pictures are named rightly{high}; "
        f"guessing would name {percent(1 / part.facts['classes'])}."
    )
