"""Which run did better: a sentence and three cards, the winner of each row, and every run on one scale."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import streamlit as st

from unlearn_core.charts.comparison import ranking_tables, run_multiples
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.charts.text.ranking_words import RankingText, ranking_text
from unlearn_core.domain.report import Report
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.report.report_opening import show_badge
from unlearn_core.ui.shell import drawings
from unlearn_core.ui.shell.markdown import escape

MIN_WIDTH = 260
"""Least width of a small multiple in pixels before the next one wraps below."""


class DrawnRanking(NamedTuple):
    """A comparison with its tables and figures, as it is cached."""

    text: RankingText
    winners: pd.DataFrame
    pairs: pd.DataFrame
    explanation: str
    """What the rows of `winners` are."""
    multiples: list[tuple[PlainFigure, str]]
    """Each with its alternative text."""


def drawn_ranking(reports: Sequence[Report]) -> DrawnRanking:
    """Compare these reports; the same ones are compared once."""
    theme = chart_card.current_theme()
    keys = [report.fingerprint for report in reports]
    return drawings.once(lambda: _draw(reports, theme), "ranking", theme.name, *keys)


def _draw(reports: Sequence[Report], theme: Theme) -> DrawnRanking:
    text = ranking_text(reports)
    multiples = [
        (PlainFigure.of(run_multiples.figure(one, text, reports, theme)), run_multiples.alt_text(one, text))
        for one in text.rankings
    ]
    winners = ranking_tables.winners_table(text, reports)
    explained = ranking_tables.explanation(reports[0].dataset.item_noun)
    return DrawnRanking(text, winners, ranking_tables.pairs_table(text), explained, multiples)


def show_cards(text: RankingText) -> None:
    """Show the sentence and the three cards."""
    st.markdown(f"**{escape(text.lead)}**")
    if text.chance:
        st.markdown(f":material/casino: {escape(text.chance)}")
    for column, one in zip(st.columns(3), text.cards, strict=True):
        with column.container(border=True, height="stretch"):
            show_badge(one._replace(title=escape(one.title)))
            st.markdown(escape(one.words))
    st.caption(text.note)


def show_details(drawn: DrawnRanking) -> None:
    """Show the winner of each row, the small multiples, and every pair of runs."""
    st.header("Who did better?", anchor=False)
    st.dataframe(
        drawn.winners,
        hide_index=True,
        height="content",
        key="winners",
        alt="One row per question: the value of each run, which did better, and whether that is more than chance",
    )
    st.caption(drawn.explanation)
    grid = st.grid(3, min_column_width=MIN_WIDTH, gap="medium")
    for ranking, (figure, alt) in zip(drawn.text.rankings, drawn.multiples, strict=True):
        with grid.cell():
            st.plotly_chart(
                figure,
                theme=None,
                key=f"multiple-{ranking.criterion}",
                config=chart_card.plotly_config(f"compare-{ranking.criterion}"),
                alt=alt,
            )
    st.caption(run_multiples.NOTE)
    if len(drawn.pairs):
        with st.expander("Every pair of runs", expanded=levels.is_expert()):
            st.dataframe(
                drawn.pairs,
                hide_index=True,
                height="content",
                key="pairs",
                alt="Every pair of runs: the difference with its interval, the p-value, and what it shows",
            )
