"""The contract of every chart, checked on reports of several kinds."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts import every_chart
from unlearn_core.charts.chart import NO_GOLD, Chart
from unlearn_core.charts.drawing.theme import CLASS_COLORS, DARK, LIGHT, TRANSPARENT, Theme
from unlearn_core.domain.report import Report

SMALLEST_FONT = 11


@dataclass(frozen=True)
class ChartReports:
    """The reports on which a chart is checked: of two runs with different results, of one without gold, of images."""

    with_gold: Report
    other: Report
    without_gold: Report
    of_images: Report

    def cases(self) -> Mapping[str, Sequence[Report]]:
        """The reports that are drawn together, by a name for what they have."""
        return {
            "one": [self.with_gold],
            "no gold": [self.without_gold],
            "images": [self.of_images],
            "two": [self.with_gold, self.other],
            "two, one without gold": [self.without_gold, self.other],
        }


@dataclass(frozen=True)
class CheckedChart:
    """A chart, or one of its variants, with the reports on which it is checked; each figure is drawn once."""

    chart: Chart
    reports: ChartReports
    _figures: dict[tuple[str, str], str] = field(default_factory=dict)

    def cases(self) -> dict[str, Sequence[Report]]:
        """The reports of each case that the chart can draw, if there are any."""
        able = {
            name: [report for report in reports if self.chart.applies(report) is True]
            for name, reports in self.reports.cases().items()
        }
        return {name: reports for name, reports in able.items() if reports}

    def figure(self, case: str, theme: Theme = LIGHT) -> str:
        """The figure of a case as JSON."""
        key = (case, theme.name)
        if key not in self._figures:
            self._figures[key] = str(self.chart.figure(self.cases()[case], theme).to_json())
        return self._figures[key]

    def looks(self) -> Iterator[tuple[str, Theme]]:
        """Each case with its theme: the case of two reports in both."""
        for case in self.cases():
            yield from ((case, theme) for theme in ((LIGHT, DARK) if case == "two" else (LIGHT,)))


def check_card(checked: CheckedChart) -> None:
    """Title, question and caveat are complete; former labels of variants lead to those of today."""
    chart = checked.chart
    assert chart.title[0].isupper() and chart.title[-1] not in ".?", "the heading names what is shown"
    assert chart.question[0].isupper() and chart.question.endswith("?"), "the line below it is a question"
    assert set(chart.former_variants.values()) <= set(chart.variants)
    assert not set(chart.former_variants) & set(chart.variants)
    assert len(chart.caveat.split()) > 15
    assert chart.caveat.endswith(".")
    assert chart.height > 100


def check_table(checked: CheckedChart) -> None:
    """The table has rows of every report, told apart, and survives the journey through CSV."""
    for reports in checked.cases().values():
        table = checked.chart.table(reports)
        assert list(table.columns[:2]) == ["run", "method"]
        assert set(table["run"]) == {report.run for report in reports}
        assert len(set(table["method"])) == len(reports), "two runs of one method need different labels"
        assert len(set(table.columns)) == len(table.columns)
        assert len(pd.read_csv(StringIO(table.to_csv(index=False)))) == len(table)


def check_figure(checked: CheckedChart) -> None:
    """The figure is valid and uses the template of its theme."""
    for case, theme in checked.looks():
        figure = go.Figure(json.loads(checked.figure(case, theme)))  # Checks every property.
        layout: Any = figure.layout
        assert len(figure.data) + len(layout.images) >= len(checked.cases()[case])
        assert isinstance(layout.height, int)
        assert layout.height > 100
        template = layout.template.layout
        assert (template.paper_bgcolor, template.plot_bgcolor) == (TRANSPARENT, TRANSPARENT)
        assert (template.xaxis.automargin, template.yaxis.automargin) == (True, True)
        assert template.font.color == theme.ink
        assert not template.showlegend


def check_figure_is_reproducible(checked: CheckedChart) -> None:
    """The same reports give the same figure, another theme gives another."""
    again = checked.chart.figure(checked.cases()["two"], LIGHT).to_json()
    assert again == checked.figure("two")
    assert checked.figure("two") != checked.figure("two", DARK)


def check_font_sizes(checked: CheckedChart) -> None:
    """All words in the figure are large enough to read."""
    for theme in (LIGHT, DARK):
        tree = json.loads(checked.figure("two", theme))
        fonts = [font for key in ("font", "tickfont", "textfont") for font in _values(tree, key)]
        sizes = [font["size"] for font in fonts if "size" in font]
        assert sizes
        assert min(sizes) >= SMALLEST_FONT


def check_gridlines(checked: CheckedChart) -> None:
    """Gridlines belong to one axis only."""
    layout = json.loads(checked.figure("two"))["layout"]
    with_grid = {name[0] for name, value in layout.items() if name[1:5] == "axis" and value.get("showgrid")}
    assert len(with_grid) <= 1


def check_colors(checked: CheckedChart) -> None:
    """Every colour comes from the theme."""
    for case, theme in checked.looks():
        text = re.sub(r"data:image/[^\"]*", "", checked.figure(case, theme))
        allowed = {color.upper() for color in (*theme[1:], *CLASS_COLORS)}
        found = {color.upper() for color in re.findall(r"#[0-9a-fA-F]{3,8}\b", text)}
        for parts in re.findall(r"rgba?\(([^)]*)\)", text.replace(TRANSPARENT, "")):
            red, green, blue = (int(part) for part in parts.split(",")[:3])
            found.add(f"#{red:02X}{green:02X}{blue:02X}")
        assert found <= allowed
        keys = ("color", "fillcolor", "bgcolor", "bordercolor")
        given = [value for key in keys for value in _values(json.loads(text), key)]
        each = [part for value in given for part in (value if isinstance(value, list) else [value])]
        named = [value for value in each if isinstance(value, str) and not value.startswith(("#", "rgba("))]
        assert not named, "colours by name are not those of the theme"


def check_log_axes(checked: CheckedChart) -> None:
    """A logarithmic axis has no zeros, which it could not show."""
    for case in checked.cases():
        figure = go.Figure(json.loads(checked.figure(case)))
        layout: Any = figure.layout
        for trace in figure.data:
            for way in "xy":
                name = (getattr(trace, f"{way}axis") or way).replace(way, f"{way}axis", 1)
                if layout[name].type == "log":
                    assert all(value > 0 for value in trace[way] if value is not None)


def check_summary_and_alt_text(checked: CheckedChart) -> None:
    """Both are sentences with numbers, and differ."""
    for reports in checked.cases().values():
        report = reports[0]
        summary, alt_text = checked.chart.summary(report), checked.chart.alt_text(report)
        for words in (summary, alt_text):
            assert words.endswith(".")
            assert words[:1] == words[:1].upper() or words.split()[0] in report.classifier.roles.layers
            assert re.search(r"\d", words)
            assert "nan" not in words
            assert "-0.0" not in words
        assert summary != alt_text


def check_words_follow_the_numbers(checked: CheckedChart) -> None:
    """Other results give other words."""
    chart, reports = checked.chart, checked.reports
    assert chart.summary(reports.with_gold) != chart.summary(reports.other)
    assert chart.alt_text(reports.with_gold) != chart.alt_text(reports.other)


def check_applies(checked: CheckedChart) -> None:
    """Where there is nothing to draw, `applies` says why."""
    assert checked.chart.applies(checked.reports.with_gold) is True
    reason = checked.chart.applies(replace(checked.reports.with_gold, parts={}))
    assert isinstance(reason, str)
    assert reason.endswith(".")


def check_without_gold(checked: CheckedChart) -> None:
    """Without a retrained model, the chart gives the reason of the report, or shows and mentions none."""
    chart, reports = checked.chart, checked.reports
    reason = chart.applies(reports.without_gold)
    if isinstance(reason, str):
        assert reason == reports.without_gold.missing["gold"]
        return
    traces = json.loads(checked.figure("no gold"))["data"]
    assert not [trace for trace in traces if {"gold", "retrained"} & set(trace.get("name", "").split())]
    if "retrained" in chart.summary(reports.with_gold).lower():
        assert NO_GOLD in chart.summary(reports.without_gold)


def check_needs_one_part(checked: CheckedChart) -> None:
    """The chart is drawn from a single part of the report, so that the others may be missing."""
    chart, report = checked.chart, checked.reports.with_gold
    lean = [replace(report, parts={name: part}) for name, part in report.parts.items()]
    enough = next((one for one in lean if chart.applies(one) is True), None)
    assert enough is not None, "no single part is enough"
    assert chart.figure([enough], LIGHT).to_json() == checked.figure("one")
    assert chart.summary(enough) == chart.summary(report)


CHART_CHECKS: tuple[Callable[[CheckedChart], None], ...] = (
    check_card,
    check_table,
    check_figure,
    check_figure_is_reproducible,
    check_font_sizes,
    check_gridlines,
    check_colors,
    check_log_axes,
    check_summary_and_alt_text,
    check_words_follow_the_numbers,
    check_applies,
    check_without_gold,
    check_needs_one_part,
)


def check_chart(chart: Chart, reports: ChartReports) -> None:
    """Check a chart and its variants as the tests of this project do. Raises AssertionError.

    `reports` need what the chart draws: a chart of a new measurement needs reports with its results, which
    `example_reports` makes.
    """
    found = any(one is chart for one in every_chart())
    assert found, (
        f"{chart.id} is not found: its file must be in a folder such as `charts/report` of a plug-in package, "
        "which UNLEARN_PLUGINS or an entry point names."
    )
    for one in (chart, *chart.variants.values()):
        checked = CheckedChart(one, reports)
        for check in CHART_CHECKS:
            check(checked)


def _values(tree: Any, key: str) -> Iterator[Any]:
    """Every value under this key, at any depth."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from _values(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from _values(value, key)
