"""The scatter plot that shows a data set of points, by class, where other data sets show images."""

import numpy as np
import plotly.graph_objects as go

from unlearn_core.charts.drawing.theme import CLASS_COLORS, SMALL_FONT, Theme, with_alpha
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.domain.cards import DatasetCard

HEIGHT = 340
MAX_POINTS = 1_500
"""The largest number of points drawn."""


def class_color(number: int) -> str:
    """A class's colour, the same in every map; colours repeat when there are more classes."""
    return CLASS_COLORS[number % len(CLASS_COLORS)]


def medoid(points: np.ndarray) -> np.ndarray:
    """The place of a class's label: the one of its points (n, 2) that is nearest to their median."""
    points = points.astype(float)
    return points[((points - np.median(points, axis=0)) ** 2).sum(1).argmin()]


def figure(image_dataset: ImageDataset, card: DatasetCard, theme: Theme, selected: tuple[int, ...] = ()) -> go.Figure:
    """Training points by class, in the colours of the decision map; `selected` ones (by position) are crosses.

    Every point's position is its `customdata`.
    """
    points = image_dataset.images[: image_dataset.train, 0, 0, :2]
    labels, ticked = image_dataset.labels[: image_dataset.train], np.isin(np.arange(image_dataset.train), selected)
    drawn = go.Figure()
    for number, name in enumerate(card.classes):
        rows = np.flatnonzero(labels == number)[: max(1, MAX_POINTS // len(card.classes))]
        drawn.add_scatter(
            x=points[rows, 0],
            y=points[rows, 1],
            mode="markers",
            name=name,
            customdata=rows,
            marker={"size": 6, "color": class_color(number)},
            hovertemplate=f"{name} %{{customdata}}<extra></extra>",
        )
        x, y = medoid(points[labels == number])
        drawn.add_annotation(
            x=x,
            y=y,
            text=f"<b>{name}</b>",
            font={"size": SMALL_FONT, "color": theme.ink},
            bgcolor=with_alpha(theme.page, 0.7),
        )
    gone = np.flatnonzero(ticked)
    drawn.add_scatter(
        x=points[gone, 0],
        y=points[gone, 1],
        mode="markers",
        customdata=gone,
        marker={"size": 13, "symbol": "x", "color": theme.forget, "line": {"color": theme.page, "width": 1}},
        hovertemplate="selected: %{customdata}<extra></extra>",
    )
    drawn.update_layout(template=theme.template, height=HEIGHT)
    drawn.update_xaxes(range=[-4, 259], showticklabels=False)
    drawn.update_yaxes(range=[-4, 259], showticklabels=False, scaleanchor="x")
    return drawn
