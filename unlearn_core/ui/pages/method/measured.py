"""What was measured of the chosen method when the lab was made, as a chart under its card."""

import streamlit as st

from unlearn_core.charts.measured import noise_levels, noise_rates
from unlearn_core.charts.plain_figure import PlainFigure
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell import drawings

_METHOD = "unsir"
"""The method of which there is such a chart."""


def show(method: str) -> None:
    """Show the chart in a fold, which is drawn once it is unfolded; nothing for methods that have none."""
    if method != _METHOD or not noise_levels.TABLE.exists():
        return
    title = f"Measured: {noise_rates.QUESTION}"
    with st.expander(title, icon=":material/show_chart:", key=f"measured-{method}", on_change="rerun") as part:
        if part.open:
            _chart()


def _chart() -> None:
    levels, theme = noise_levels.read_levels(), chart_card.current_theme()
    figure = drawings.once(lambda: PlainFigure.of(noise_rates.figure(levels, theme)), "measured", _METHOD, theme.name)
    st.caption(noise_rates.summary(levels))
    st.plotly_chart(
        figure,
        theme=None,
        key=f"measured-chart-{_METHOD}",
        config=chart_card.plotly_config("unsir-noise"),
        alt=f"{noise_rates.TITLE}. {noise_rates.alt_text(levels)}",
    )
    st.caption(noise_rates.NOTE)
