"""What every chart promises, whoever wrote it: each test here runs over all charts that are found."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from tests.charts.reports import made_up_report
from unlearn_core.charts import charts
from unlearn_core.charts.chart import NO_GOLD, Chart
from unlearn_core.charts.theme import CLEAR, DARK, LIGHT, Theme
from unlearn_core.domain.report import Report
from unlearn_core.domain.shelf import modules

CHARTS = list(charts().values())
FOLDER = Path(__file__).parents[2] / "unlearn_core" / "charts"
WITH_GOLD = made_up_report()
OTHER = made_up_report(seed=1)
WITHOUT_GOLD = made_up_report(gold=False)
PICTURES = made_up_report(images=True)

every_chart = pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
both_themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
some_reports = pytest.mark.parametrize(
    "reports",
    [[WITH_GOLD], [WITHOUT_GOLD], [PICTURES], [WITH_GOLD, OTHER], [WITHOUT_GOLD, OTHER]],
    ids=["one", "no gold", "pictures", "two", "two, one without gold"],
)


def for_it(chart: Chart, reports: list[Report]) -> list[Report]:
    """The reports that this chart can draw; skips where there is none."""
    drawable = [report for report in reports if chart.applies(report) is True]
    if not drawable:
        pytest.skip("nothing to draw in these reports")
    return drawable


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
    }
    assert {chart.id for chart in CHARTS} == wanted


def test_file_name_is_id() -> None:
    for name, module in modules("charts").items():
        if hasattr(module, "CHART"):
            assert module.CHART.id == name


@every_chart
def test_card_is_complete(chart: Chart) -> None:
    assert chart.title.endswith("?"), "the heading is a question"
    assert chart.title[0].isupper()
    assert len(chart.caveat.split()) > 15
    assert chart.caveat.endswith(".")
    assert chart.height > 100


@every_chart
@some_reports
def test_frame_has_rows_of_every_report(chart: Chart, reports: list[Report]) -> None:
    reports = for_it(chart, reports)
    frame = chart.frame(reports)
    assert list(frame.columns[:2]) == ["run", "method"]
    assert set(frame["run"]) == {report.run for report in reports}
    assert frame["method"].nunique() == len(reports), "two runs of one method are told apart"
    assert not frame.columns.duplicated().any()
    assert len(pd.read_csv(pd.io.common.StringIO(frame.to_csv(index=False)))) == len(frame)


@every_chart
@both_themes
@some_reports
def test_figure_is_valid_and_the_same_every_time(chart: Chart, theme: Theme, reports: list[Report]) -> None:
    reports = for_it(chart, reports)
    text = chart.figure(reports, theme).to_json()
    assert chart.figure(reports, theme).to_json() == text
    figure = go.Figure(json.loads(text))  # Checks every property.
    assert len(figure.data) + len(figure.layout.images) >= len(reports)
    assert figure.layout.height and figure.layout.height > 100
    template = figure.layout.template.layout
    assert (template.paper_bgcolor, template.plot_bgcolor) == (CLEAR, CLEAR)
    assert template.xaxis.automargin and template.yaxis.automargin
    assert template.font.color == theme.ink
    assert not template.showlegend


@every_chart
@both_themes
def test_words_in_the_figure_are_large_enough(chart: Chart, theme: Theme) -> None:
    tree = json.loads(chart.figure([WITH_GOLD, OTHER], theme).to_json())
    fonts = [font for key in ("font", "tickfont", "textfont") for font in values_in(tree, key)]
    sizes = [font["size"] for font in fonts if "size" in font]
    assert sizes
    assert min(sizes) >= 11


@every_chart
@both_themes
def test_gridlines_go_one_way(chart: Chart, theme: Theme) -> None:
    layout = json.loads(chart.figure([WITH_GOLD, OTHER], theme).to_json())["layout"]
    gridded = {name[0] for name, value in layout.items() if name[1:5] == "axis" and value.get("showgrid")}
    assert len(gridded) <= 1


@every_chart
@both_themes
@some_reports
def test_colours_come_from_the_theme(chart: Chart, theme: Theme, reports: list[Report]) -> None:
    text = re.sub(r"data:image/[^\"]*", "", chart.figure(for_it(chart, reports), theme).to_json())
    allowed = {colour.upper() for colour in theme[1:]}
    found = {colour.upper() for colour in re.findall(r"#[0-9a-fA-F]{3,8}\b", text)}
    for parts in re.findall(r"rgba?\(([^)]*)\)", text.replace(CLEAR, "")):
        red, green, blue = (int(part) for part in parts.split(",")[:3])
        found.add(f"#{red:02X}{green:02X}{blue:02X}")
    assert found <= allowed
    named = [
        value for key in ("color", "fillcolor", "bgcolor", "bordercolor") for value in values_in(json.loads(text), key)
    ]
    assert not [value for value in named if isinstance(value, str) and not value.startswith(("#", "rgba("))]


def test_only_the_theme_names_colours() -> None:
    for path in FOLDER.glob("*.py"):
        if path.name != "theme.py":
            assert not re.search(r"[\"']#[0-9a-fA-F]{3,8}[\"']|rgba?\(\d", path.read_text()), path.name


@every_chart
@some_reports
def test_log_axes_hold_no_zeros(chart: Chart, reports: list[Report]) -> None:
    figure = chart.figure(for_it(chart, reports), LIGHT)
    for trace in figure.data:
        for way in "xy":
            name = (getattr(trace, f"{way}axis") or way).replace(way, f"{way}axis", 1)
            if figure.layout[name].type == "log":
                assert all(value > 0 for value in trace[way] if value is not None)


@every_chart
@some_reports
def test_sentence_and_alt_are_sentences_with_numbers(chart: Chart, reports: list[Report]) -> None:
    report = for_it(chart, reports)[0]
    for words in (chart.sentence(report), chart.alt(report)):
        assert words.endswith(".")
        assert words[:1] == words[:1].upper() or words.split()[0] in report.classifier.roles.layers
        assert re.search(r"\d", words)
        assert "nan" not in words
        assert "-0.0" not in words
    assert chart.alt(report) != chart.sentence(report)


@every_chart
def test_words_follow_the_numbers(chart: Chart) -> None:
    assert chart.sentence(WITH_GOLD) != chart.sentence(OTHER)
    assert chart.alt(WITH_GOLD) != chart.alt(OTHER)


@every_chart
def test_applies_says_why_not(chart: Chart) -> None:
    assert chart.applies(WITH_GOLD) is True
    bare = chart.applies(replace(WITH_GOLD, parts={}))
    assert isinstance(bare, str)
    assert bare.endswith(".")


@every_chart
def test_applies_hands_on_the_reason_of_the_report(chart: Chart) -> None:
    if chart.id == "noise":
        pytest.skip("its reason is the same for all methods but one")
    reasons = {
        chart.applies(replace(WITH_GOLD, parts={}, missing={part: "It was too dark."})) for part in WITH_GOLD.parts
    }
    assert "It was too dark." in reasons


@every_chart
def test_without_gold_it_says_so(chart: Chart) -> None:
    drawn = chart.figure([WITHOUT_GOLD], LIGHT)
    assert not [trace for trace in drawn.data if "gold" in (trace.name or "")]
    if "gold" in chart.sentence(WITH_GOLD).lower():
        assert NO_GOLD in chart.sentence(WITHOUT_GOLD)
    else:
        assert chart.id in ("curve", "timing", "noise"), "this chart has no yardstick"


@every_chart
def test_a_figure_needs_no_other_parts(chart: Chart) -> None:
    for part in WITH_GOLD.parts:
        lean = replace(WITH_GOLD, parts={part: WITH_GOLD.parts[part]})
        if chart.applies(lean) is True:
            assert chart.figure([lean], LIGHT).to_json() == chart.figure([WITH_GOLD], LIGHT).to_json()
            assert chart.sentence(lean) and chart.alt(lean)
            return
    pytest.fail("it is drawn from no single part")


def test_charts_need_neither_torch_nor_streamlit() -> None:
    script = (
        "import sys; from unlearn_core.charts import charts; charts(); import unlearn_core.charts.verdict; "
        "sys.exit(str({'torch', 'streamlit', 'matplotlib'} & sys.modules.keys() or ''))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
