"""What is taken for what, a panel a model: side by side where there is room, under one another where there is not."""

import streamlit as st

from unlearn_core.charts.report import confusion
from unlearn_core.domain.report import Report
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.shell.markdown import escape


def show(report: Report) -> None:
    """The three tables of answers on one scale, with what they say together."""
    whole = confusion.CHART
    st.subheader(whole.title, anchor=False)
    answer = whole.applies(report)
    if answer is not True:
        st.caption(escape(answer))
        return
    st.caption(whole.summary(report))
    for column, (model, one) in zip(st.columns(3, gap="medium"), whole.variants.items(), strict=True):
        with column:
            st.markdown(f"**{model}**")
            answer = one.applies(report)
            if answer is True:
                chart_card.draw_figure(one, [report], key_scope="report")
            else:
                st.caption(escape(answer))
    chart_card.footer(whole, [report], key_scope="report")
