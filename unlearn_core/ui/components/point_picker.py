"""Data sets of points, shown as a scatter plot instead of single pixels."""

import streamlit as st

from unlearn_core.charts.drawing import point_scatter
from unlearn_core.charts.drawing.theme import PLOTLY_CONFIG
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import cache, formatting


def show(card: DatasetCard) -> None:
    """Show the training points, by class."""
    st.plotly_chart(
        point_scatter.figure(cache.image_dataset(card.id), card, chart_card.current_theme()),
        theme=None,
        key=f"points-{card.id}",
        height=point_scatter.HEIGHT,
        config=PLOTLY_CONFIG,
        alt=f"Training points in the plane by class: {', '.join(card.classes)}.",
    )
    st.caption(f"The {formatting.pluralize(card.train, 'training point')}, coloured by class.")


def pick(card: DatasetCard, chosen: tuple[int, ...], *, key: str) -> list[int] | None:
    """Show the points to select some by box or lasso; return the numbers of those selected, or None."""
    drawn = point_scatter.figure(cache.image_dataset(card.id), card, chart_card.current_theme(), chosen)
    event = st.plotly_chart(
        drawn.update_layout(dragmode="select"),
        theme=None,
        key=key,
        height=point_scatter.HEIGHT,
        config={"displaylogo": False, "modeBarButtons": [["select2d", "lasso2d"]]},
        on_select="rerun",
        selection_mode=("box", "lasso"),
        alt=f"Training points in the plane by class: {', '.join(card.classes)}; {len(chosen)} are selected.",
    )
    picked = [int(point["customdata"]) for point in event["selection"]["points"] if "customdata" in point]
    return sorted(set(picked)) or None
