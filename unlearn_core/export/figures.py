"""The charts of an HTML report: figure, summary, caveat and table of each, by section."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from unlearn_core.charts import charts, section_charts
from unlearn_core.charts.chart import Chart, Section, report_labels
from unlearn_core.charts.drawing.theme import DARK, FONT, LIGHT
from unlearn_core.domain.report import Report
from unlearn_core.export.extra_sections import ReportFigure

MAX_TABLE_ROWS = 60
"""Longer tables are only in the CSV files of the archive."""
FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
"""System fonts, since the file loads nothing."""


def section_figures(section: Section, reports: Sequence[Report]) -> list[ReportFigure]:
    """The charts of a section that apply to these reports, in order."""
    return [figure for chart in section_charts(section) if chart.is_exported for figure in _figures(chart, reports)]


def _figures(chart: Chart, reports: Sequence[Report]) -> list[ReportFigure]:
    """The variants of a chart that the report shows and that apply."""
    variants = [*chart.variants.items()] if chart.export_variants else [("", chart)]
    made = [(label, render_figure(one, reports)) for label, one in variants if drawable_reports(one, reports)]
    return [
        figure if place == 0 else figure._replace(title=f"{figure.title}: {label.lower()}")
        for place, (label, figure) in enumerate(made)
    ]


def drawable_reports(chart: Chart, reports: Sequence[Report]) -> list[Report]:
    """The reports to which this chart applies."""
    return [report for report in reports if chart.applies(report) is True]


def missing_charts(reports: Sequence[Report]) -> dict[str, str]:
    """The titles of charts that apply to none of the reports, with the reason for the first report."""
    found = {}
    for chart in charts().values():
        reason = chart.applies(reports[0])
        if reason is not True and not drawable_reports(chart, reports):
            found[chart.title] = reason
    return found


def render_figure(chart: Chart, reports: Sequence[Report]) -> ReportFigure:
    """One chart of all reports to which it applies."""
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
        num_rows=len(table),
    )


def escape_json(figure: str) -> str:
    """A figure's JSON, safe inside a script element, with system fonts."""
    plain = figure.replace(FONT, FONTS)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def dark_palette() -> Mapping[str, str]:
    """The dark theme's colour for each light one, as "#RRGGBB" and as "red,green,blue"."""
    pairs = dict(zip(LIGHT[1:], DARK[1:], strict=True))
    return pairs | {_parts(ours): _parts(theirs) for ours, theirs in pairs.items()}


def _parts(color: str) -> str:
    return ",".join(str(int(color[at : at + 2], 16)) for at in (1, 3, 5))


def _summaries(chart: Chart, reports: Sequence[Report]) -> tuple[str, ...]:
    """The chart's summary of each report, with the report's name if there are several."""
    if len(reports) == 1:
        return (chart.summary(reports[0]),)
    said = [chart.summary(one) if (why := chart.applies(one)) is True else why for one in reports]
    own = [re.sub(r"[*`]", "", name) for name in report_labels(reports)]
    return tuple(f"**{name}**: {words}" for name, words in zip(own, said, strict=True))


def _cells(table: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_cell(value) for value in row) for row in table.itertuples(index=False))


def _cell(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
