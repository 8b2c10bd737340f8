"""How much the images of a data set are memorised, as a histogram in which some of them are marked."""

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.chart import percent_axis
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import number
from unlearn_core.data.half_models import Memorisation

BIN = 1 / 8
"""The width of a bar: two steps of a score from 16 models with each image and 16 without it."""
HEIGHT = 190


def histogram(score: np.ndarray, marked: np.ndarray, theme: Theme) -> go.Figure:
    """Draw the shares of all images (N,) and of the marked ones (n,) by memorisation, -1 to 1."""
    edges = np.arange(-1 - BIN / 2, 1 + BIN, BIN)
    centres = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()
    for title, values, color in (
        ("all training images", score, theme.before),
        ("this forget set", score[marked], theme.after),
    ):
        counts = np.histogram(values, edges)[0]
        figure.add_bar(
            name=title,
            x=centres,
            y=counts / len(values),
            customdata=counts,
            marker_color=color,
            hovertemplate=f"{title}: %{{customdata:,}} images, %{{y:.1%}}<br>memorisation about %{{x:.2f}}"
            "<extra></extra>",
        )
    figure.update_layout(
        template=theme.template,
        height=HEIGHT,
        barmode="group",
        bargap=0.1,
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
    )
    top = max(float(np.max(bar.y)) for bar in figure.data)
    low = min(-BIN, float(np.quantile(score, 0.001)) - BIN)
    figure.update_xaxes(title_text="memorisation", range=[low, 1 + BIN], dtick=0.25)
    return figure.update_yaxes(title_text="share of images", **percent_axis(0, 1.05 * top))


def sentence(known: Memorisation, marked: np.ndarray, noun: str) -> str:
    """Return the mean memorisation of the marked images (n,) and of all (N,), and how sure it is of one image."""
    return (
        f"Mean memorisation of these {len(marked):,} {noun}s: {number(float(known.score[marked].mean()), 2)}; of all "
        f"{len(known.score):,} training {noun}s: {number(float(known.score.mean()), 2)}. For one {noun} it has a "
        f"standard error of {number(float(known.error.mean()), 2)}."
    )
