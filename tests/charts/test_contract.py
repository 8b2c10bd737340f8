"""What every chart promises, whoever wrote it: each test here runs over all charts that are found."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from tests.charts.fake_reports import made_up_report
from tests.charts.layout import layout_of
from unlearn_core.charts import charts, section_charts
from unlearn_core.charts.chart import NO_GOLD, SECTIONS, Chart
from unlearn_core.charts.drawing.theme import CLASS_COLORS, DARK, LIGHT, TRANSPARENT, Theme
from unlearn_core.domain.report import Report
from unlearn_core.plugins import discover

SHELF = charts() | {each.id: each for chart in charts().values() for each in chart.variants.values()}
CHARTS = list(SHELF.values())
FOLDER = Path(__file__).parents[2] / "unlearn_core" / "charts"
WITH_GOLD = made_up_report()
OTHER = made_up_report(seed=1)
WITHOUT_GOLD = made_up_report(gold=False)
PICTURES = made_up_report(images=True)

CASES = {
    "one": [WITH_GOLD],
    "no gold": [WITHOUT_GOLD],
    "pictures": [PICTURES],
    "two": [WITH_GOLD, OTHER],
    "two, one without gold": [WITHOUT_GOLD, OTHER],
}

OF_ONE_METHOD = ("noise", "redrawn", "adversarials", "importance", "stopped", "touched")
"""Charts of what a method keeps to show: the reason why there is none is the same for all methods but one."""

every_chart = pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
both_themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)


@cache
def reports_for(chart: str, case: str) -> list[Report]:
    """The reports of a case that this chart can draw."""
    return [report for report in CASES[case] if SHELF[chart].applies(report) is True]


DRAWABLE = [(chart, case) for chart in CHARTS for case in CASES if reports_for(chart.id, case)]
every_case = pytest.mark.parametrize(
    ("chart", "case"), [pytest.param(chart, case, id=f"{chart.id}-{case}") for chart, case in DRAWABLE]
)
every_look = pytest.mark.parametrize(
    ("chart", "case", "theme"),
    [
        pytest.param(chart, case, theme, id=f"{chart.id}-{case}-{theme.name}")
        for chart, case in DRAWABLE
        for theme in ((LIGHT, DARK) if case == "two" else (LIGHT,))
    ],
)


@cache
def drawn(chart: str, case: str, theme: Theme) -> str:
    """A figure as JSON, drawn once for all the tests that look at it."""
    found = SHELF[chart]
    return str(found.figure(reports_for(chart, case), theme).to_json())


def values_in(tree: Any, key: str) -> Iterator[Any]:
    """Every value under this key, at any depth."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from values_in(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from values_in(value, key)


def test_the_charts_of_the_contract_are_there() -> None:
    wanted = {
        "accuracy",
        "predictions",
        "confidence",
        "certainty",
        "margin",
        "layers",
        "cam",
        "curve",
        "timing",
        "noise",
        "redrawn",
        "adversarials",
        "importance",
        "stopped",
        "distance",
        "touched",
        "replay",
    }
    assert wanted <= {chart.id for chart in CHARTS}


def test_every_module_has_a_chart_with_an_id_of_its_own() -> None:
    found = [module.CHART.id for module in discover("charts.report").values()]
    assert len(set(found)) == len(found) == len(charts())


@every_chart
def test_card_is_complete(chart: Chart) -> None:
    assert chart.title[0].isupper() and chart.title[-1] not in ".?", "the heading names what is shown"
    assert chart.question[0].isupper() and chart.question.endswith("?"), "the line below it is a question"
    assert set(chart.former_variants.values()) <= set(chart.variants)
    assert not set(chart.former_variants) & set(chart.variants)
    assert len(chart.caveat.split()) > 15
    assert chart.caveat.endswith(".")
    assert chart.height > 100


@every_case
def test_frame_has_rows_of_every_report(chart: Chart, case: str) -> None:
    reports = reports_for(chart.id, case)
    frame = chart.table(reports)
    assert list(frame.columns[:2]) == ["run", "method"]
    assert set(frame["run"]) == {report.run for report in reports}
    assert len(set(frame["method"])) == len(reports), "two runs of one method are told apart"
    assert len(set(frame.columns)) == len(frame.columns)
    assert len(pd.read_csv(StringIO(frame.to_csv(index=False)))) == len(frame)


@every_look
def test_figure_is_valid(chart: Chart, theme: Theme, case: str) -> None:
    figure = go.Figure(json.loads(drawn(chart.id, case, theme)))  # Checks every property.
    assert len(figure.data) + len(layout_of(figure).images) >= len(reports_for(chart.id, case))
    assert isinstance(layout_of(figure).height, int)
    assert layout_of(figure).height > 100
    template = layout_of(figure).template.layout
    assert (template.paper_bgcolor, template.plot_bgcolor) == (TRANSPARENT, TRANSPARENT)
    assert (template.xaxis.automargin, template.yaxis.automargin) == (True, True)
    assert template.font.color == theme.ink
    assert not template.showlegend


@every_chart
def test_figure_is_the_same_every_time(chart: Chart) -> None:
    assert chart.figure(CASES["two"], LIGHT).to_json() == drawn(chart.id, "two", LIGHT)
    assert drawn(chart.id, "two", LIGHT) != drawn(chart.id, "two", DARK)


@every_chart
@both_themes
def test_words_in_the_figure_are_large_enough(chart: Chart, theme: Theme) -> None:
    tree = json.loads(drawn(chart.id, "two", theme))
    fonts = [font for key in ("font", "tickfont", "textfont") for font in values_in(tree, key)]
    sizes = [font["size"] for font in fonts if "size" in font]
    assert sizes
    assert min(sizes) >= 11


@every_chart
@both_themes
def test_gridlines_go_one_way(chart: Chart, theme: Theme) -> None:
    layout = json.loads(drawn(chart.id, "two", theme))["layout"]
    gridded = {name[0] for name, value in layout.items() if name[1:5] == "axis" and value.get("showgrid")}
    assert len(gridded) <= 1


@every_look
def test_colours_come_from_the_theme(chart: Chart, theme: Theme, case: str) -> None:
    text = re.sub(r"data:image/[^\"]*", "", drawn(chart.id, case, theme))
    allowed = {colour.upper() for colour in (*theme[1:], *CLASS_COLORS)}
    found = {colour.upper() for colour in re.findall(r"#[0-9a-fA-F]{3,8}\b", text)}
    for parts in re.findall(r"rgba?\(([^)]*)\)", text.replace(TRANSPARENT, "")):
        red, green, blue = (int(part) for part in parts.split(",")[:3])
        found.add(f"#{red:02X}{green:02X}{blue:02X}")
    assert found <= allowed
    keys = ("color", "fillcolor", "bgcolor", "bordercolor")
    given = [value for key in keys for value in values_in(json.loads(text), key)]
    each = [part for value in given for part in (value if isinstance(value, list) else [value])]
    assert not [value for value in each if isinstance(value, str) and not value.startswith(("#", "rgba("))]


def test_only_the_theme_names_colours() -> None:
    for path in FOLDER.rglob("*.py"):
        if path.name != "theme.py":
            assert not re.search(r"[\"']#[0-9a-fA-F]{3,8}[\"']|rgba?\(\d", path.read_text()), path.name


@every_case
def test_log_axes_hold_no_zeros(chart: Chart, case: str) -> None:
    figure = go.Figure(json.loads(drawn(chart.id, case, LIGHT)))
    for trace in figure.data:
        for way in "xy":
            name = (getattr(trace, f"{way}axis") or way).replace(way, f"{way}axis", 1)
            if layout_of(figure)[name].type == "log":
                assert all(value > 0 for value in trace[way] if value is not None)


@every_case
def test_sentence_and_alt_are_sentences_with_numbers(chart: Chart, case: str) -> None:
    report = reports_for(chart.id, case)[0]
    for words in (chart.summary(report), chart.alt_text(report)):
        assert words.endswith(".")
        assert words[:1] == words[:1].upper() or words.split()[0] in report.classifier.roles.layers
        assert re.search(r"\d", words)
        assert "nan" not in words
        assert "-0.0" not in words
    assert chart.alt_text(report) != chart.summary(report)


@every_chart
def test_words_follow_the_numbers(chart: Chart) -> None:
    assert chart.summary(WITH_GOLD) != chart.summary(OTHER)
    assert chart.alt_text(WITH_GOLD) != chart.alt_text(OTHER)


@every_chart
def test_applies_says_why_not(chart: Chart) -> None:
    assert chart.applies(WITH_GOLD) is True
    bare = chart.applies(replace(WITH_GOLD, parts={}))
    assert isinstance(bare, str)
    assert bare.endswith(".")


@pytest.mark.parametrize(
    "chart", [chart for chart in CHARTS if chart.id not in OF_ONE_METHOD], ids=lambda chart: chart.id
)
def test_applies_hands_on_the_reason_of_the_report(chart: Chart) -> None:
    reasons = {
        chart.applies(replace(WITH_GOLD, parts={}, missing={part: "It was too dark."})) for part in WITH_GOLD.parts
    }
    assert "It was too dark." in reasons


@every_chart
def test_without_gold_it_says_so(chart: Chart) -> None:
    if isinstance(chart.applies(WITHOUT_GOLD), str):
        assert chart.applies(WITHOUT_GOLD) == WITHOUT_GOLD.missing["gold"]
        return
    traces = json.loads(drawn(chart.id, "no gold", LIGHT))["data"]
    assert not [trace for trace in traces if {"gold", "retrained"} & set(trace.get("name", "").split())]
    if "retrained" in chart.summary(WITH_GOLD).lower():
        assert NO_GOLD in chart.summary(WITHOUT_GOLD)
    else:
        assert chart.id in ("curve", "timing", *OF_ONE_METHOD), "this chart has no reference"


@every_chart
def test_a_figure_needs_no_other_parts(chart: Chart) -> None:
    for part in WITH_GOLD.parts:
        lean = replace(WITH_GOLD, parts={part: WITH_GOLD.parts[part]})
        if chart.applies(lean) is True:
            assert chart.figure([lean], LIGHT).to_json() == drawn(chart.id, "one", LIGHT)
            assert chart.summary(lean) == chart.summary(WITH_GOLD)
            return
    pytest.fail("it is drawn from no single part")


def test_charts_need_neither_torch_nor_streamlit() -> None:
    script = (
        "import sys; from unlearn_core.charts import charts; charts(); import unlearn_core.charts.text.verdict; "
        "sys.exit(' '.join({'torch', 'streamlit', 'matplotlib'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_chart_stands_in_its_section_once() -> None:
    placed = [chart.id for section in SECTIONS for chart in section_charts(section) if chart.section == section]
    assert sorted(placed) == sorted(charts())
    for section in SECTIONS:
        orders = [chart.order for chart in section_charts(section) if chart.section == section]
        assert len(orders) == len(set(orders)), f"two charts of {section} claim one place"
