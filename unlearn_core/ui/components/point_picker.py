"""Data sets of points, shown as what they are: a plane with dots, never as single pixels."""

import streamlit as st

from unlearn_core.charts.drawing import point_scatter
from unlearn_core.charts.drawing.theme import PLOTLY_CONFIG
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import cache, formatting


def show(card: DatasetCard) -> None:
    """The training points, by class."""
    st.plotly_chart(
        point_scatter.figure(cache.image_dataset(card.id), card, chart_card.current_theme()),
        theme=None,
        key=f"points-{card.id}",
        height=point_scatter.HEIGHT,
        config=PLOTLY_CONFIG,
        alt=f"Training points of the plane by class: {', '.join(card.classes)}.",
    )
    st.caption(f"Its {formatting.pluralize(card.train, 'training point')}, each in the colour of its class.")


def pick(card: DatasetCard, chosen: tuple[int, ...], *, key: str) -> list[int] | None:
    """The plane to pick points from, with a box or by clicks; the numbers of those just picked, None while none is."""
    event = st.plotly_chart(
        point_scatter.figure(cache.image_dataset(card.id), card, chart_card.current_theme(), chosen),
        theme=None,
        key=key,
        height=point_scatter.HEIGHT,
        config={"displaylogo": False, "modeBarButtons": [["select2d", "lasso2d"]]},
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        alt=f"Training points of the plane by class: {', '.join(card.classes)}; {len(chosen)} are ticked.",
    )
    picked = [int(point["customdata"]) for point in event["selection"]["points"] if "customdata" in point]
    return sorted(set(picked)) or None
