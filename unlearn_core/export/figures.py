"""Charts as a file holds them: figure, sentences, caveat and table, in chapters. Every chart has a place."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from unlearn_core.charts import charts
from unlearn_core.charts.chart import Chart, report_names
from unlearn_core.charts.drawing.theme import DARK, FONT, LIGHT
from unlearn_core.domain.report import Report
from unlearn_core.export.extra_sections import ReportFigure

SECTIONS: dict[str, tuple[str, ...]] = {
    "How much is chance?": ("seeds",),
    "What does it answer now?": ("accuracy", "predictions", "classes", "confusion", "regions"),
    "Is it like gold?": ("distance", "closeness", "zrf", "cka"),
    "How sure is it?": ("confidence", "margin", "certainty"),
    "Can one tell what it was trained on?": ("membership", "score", "lira", "recognised", "relearn"),
    "What happened inside?": ("layers", "places", "redrawn", "touched", "importance"),
    "What happened on the way?": ("curve", "timing", "noise", "adversarials", "stopped", "replay"),
}
"""Which charts stand in which chapter; one that is in none comes last."""

ALL_VARIANTS = ("seeds",)
"""Charts that are drawn in every one of their ways, where others are drawn in their first."""

EXCLUDED = ("cam",)
"""Charts that the report shows as pictures of its own."""

OTHER_SECTION = "What else was measured?"
MAX_TABLE_ROWS = 60
"""Longer tables are left to the CSV files, which hold every row."""
FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
"""What a file that fetches nothing is written in: whatever the reader's machine writes with."""


class ReportSection(NamedTuple):
    """Some charts about one kind of question."""

    title: str
    plates: tuple[ReportFigure, ...]


def report_sections(reports: Sequence[Report]) -> list[ReportSection]:
    """Every chart that can be drawn of these reports, in order; chapters without any are left out."""
    shelf = {name: chart for name, chart in charts().items() if name not in EXCLUDED}
    placed = {name for own in SECTIONS.values() for name in own}
    plan = SECTIONS | {OTHER_SECTION: tuple(name for name in shelf if name not in placed)}
    made = [
        ReportSection(title, tuple(one for name in own if name in shelf for one in _drawn(shelf[name], reports)))
        for title, own in plan.items()
    ]
    return [chapter for chapter in made if chapter.plates]


def _drawn(chart: Chart, reports: Sequence[Report]) -> list[ReportFigure]:
    """A chart in the ways that a file shows, as far as there is something to show."""
    ways = [*chart.variants.items()] if chart.id in ALL_VARIANTS else [("", chart)]
    made = [(way, render_figure(one, reports)) for way, one in ways if drawable_reports(one, reports)]
    return [one if at == 0 else one._replace(title=f"{one.title} {way}") for at, (way, one) in enumerate(made)]


def drawable_reports(chart: Chart, reports: Sequence[Report]) -> list[Report]:
    """Those of the reports that this chart can draw."""
    return [report for report in reports if chart.applies(report) is True]


def missing_charts(reports: Sequence[Report]) -> dict[str, str]:
    """The questions that none of the reports answers, each with the reason that the first of them gives."""
    found = {}
    for chart in charts().values():
        reason = chart.applies(reports[0])
        if reason is not True and not drawable_reports(chart, reports):
            found[chart.title] = reason
    return found


def render_figure(chart: Chart, reports: Sequence[Report]) -> ReportFigure:
    """One chart about all of the reports that have something to show in it."""
    drawable = drawable_reports(chart, reports)
    figure = chart.figure(drawable, LIGHT)
    table = chart.table(drawable)
    short = len(table) <= MAX_TABLE_ROWS
    return ReportFigure(
        id=chart.id,
        title=chart.title,
        question=chart.question,
        figure=escape_json(str(figure.to_json())),
        height=int(figure.layout.height or chart.height),  # pyright: ignore[reportAttributeAccessIssue]
        summaries=_summaries(chart, reports),
        caveat=chart.caveat,
        alt_text=" ".join(chart.alt_text(report) for report in drawable),
        columns=tuple(map(str, table.columns)) if short else (),
        rows=_cells(table) if short else (),
        count=len(table),
    )


def escape_json(figure: str) -> str:
    """A figure's JSON as it may stand inside a page: in the reader's fonts, and unable to end its script element."""
    plain = figure.replace(FONT, FONTS)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def dark_palette() -> Mapping[str, str]:
    """The dark theme's colour for each of the light one's, as "#RRGGBB" and as "red,green,blue"."""
    pairs = dict(zip(LIGHT[1:], DARK[1:], strict=True))
    return pairs | {_parts(ours): _parts(theirs) for ours, theirs in pairs.items()}


def _parts(color: str) -> str:
    return ",".join(str(int(color[at : at + 2], 16)) for at in (1, 3, 5))


def _summaries(chart: Chart, reports: Sequence[Report]) -> tuple[str, ...]:
    """What the numbers say: one sentence a report, under its name where there are several."""
    if len(reports) == 1:
        return (chart.summary(reports[0]),)
    said = [chart.summary(one) if (why := chart.applies(one)) is True else why for one in reports]
    own = [re.sub(r"[*`]", "", name) for name in report_names(reports)]
    return tuple(f"**{name}**: {words}" for name, words in zip(own, said, strict=True))


def _cells(table: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_cell(value) for value in row) for row in table.itertuples(index=False))


def _cell(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
