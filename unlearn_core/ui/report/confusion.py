"""The confusion matrices of a report: one panel per model, side by side where there is room."""

import streamlit as st

from unlearn_core.charts.report import confusion
from unlearn_core.domain.report import Report
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell.markdown import escape


def show(report: Report) -> None:
    """Show the confusion matrices of the three models on one scale, and their summary."""
    whole = confusion.CHART
    chart_card.heading(whole)
    reason = whole.applies(report)
    if reason is not True:
        chart_card.explain_absence(reason, height=whole.height + chart_card.FOOTER_HEIGHT)
        return
    st.caption(whole.summary(report))
    for column, (label, chart) in zip(st.columns(3, gap="medium"), whole.variants.items(), strict=True):
        with column:
            st.markdown(f"**{label}**")
            reason = chart.applies(report)
            if reason is True:
                chart_card.draw_figure(chart, [report], key_scope="report")
            else:
                st.caption(escape(reason))
    chart_card.footer(whole, [report], key_scope="report")
