"""What every chart promises, whoever wrote it: each test here runs over all charts that are found."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.charts.fake_reports import made_up_report
from unlearn_core.charts import charts, section_charts
from unlearn_core.charts import every_chart as found_charts
from unlearn_core.charts.chart import SECTIONS
from unlearn_core.plugins import cards
from unlearn_core.testing.chart_contract import CHART_CHECKS, ChartReports, CheckedChart

SHELF = charts() | {each.id: each for chart in charts().values() for each in chart.variants.values()}
FOLDER = Path(__file__).parents[2] / "unlearn_core" / "charts"
REPORTS = ChartReports(
    with_gold=made_up_report(),
    other=made_up_report(seed=1),
    without_gold=made_up_report(gold=False),
    of_images=made_up_report(images=True),
)
CASES = REPORTS.cases()
CHECKED = {name: CheckedChart(chart, REPORTS) for name, chart in SHELF.items()}
every_chart = pytest.mark.parametrize("name", SHELF)

OF_ONE_METHOD = ("noise", "redrawn", "adversarials", "importance", "stopped", "touched")
"""Charts of what a method keeps to show: the reason why there is none is the same for all methods but one."""


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
    assert wanted <= set(SHELF)


def test_every_module_has_a_chart_with_an_id_of_its_own() -> None:
    found = [chart.id for chart in found_charts()]
    assert len(set(found)) == len(found) == len(charts())


@every_chart
@pytest.mark.parametrize("check", CHART_CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_the_contract(name: str, check: Callable[[CheckedChart], None]) -> None:
    check(CHECKED[name])


def test_only_the_theme_names_colours() -> None:
    for path in FOLDER.rglob("*.py"):
        if path.name != "theme.py":
            assert not re.search(r"[\"']#[0-9a-fA-F]{3,8}[\"']|rgba?\(\d", path.read_text()), path.name


@pytest.mark.parametrize("name", [name for name in SHELF if name not in OF_ONE_METHOD])
def test_applies_hands_on_the_reason_of_the_report(name: str) -> None:
    parts = REPORTS.with_gold.parts
    lacking = [replace(REPORTS.with_gold, parts={}, missing={part: "It was too dark."}) for part in parts]
    assert "It was too dark." in {SHELF[name].applies(report) for report in lacking}


@every_chart
def test_all_but_a_few_compare_with_gold(name: str) -> None:
    """A rule of our own, which is no part of the contract."""
    summary = CHECKED[name].chart.summary(REPORTS.with_gold).lower()
    mentions = "retrained" in summary or isinstance(CHECKED[name].chart.applies(REPORTS.without_gold), str)
    assert mentions or name in ("curve", "timing", *OF_ONE_METHOD)


def test_charts_need_neither_torch_nor_streamlit() -> None:
    script = (
        "import sys; from unlearn_core.charts import charts; charts(); import unlearn_core.charts.text.verdict; "
        "sys.exit(' '.join({'torch', 'streamlit', 'matplotlib'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_chart_stands_in_its_section_once() -> None:
    placed = [chart.id for section in SECTIONS for chart in section_charts(section)]
    assert sorted(placed) == sorted(charts())
    for section in SECTIONS:
        orders = [chart.order for chart in section_charts(section)]
        assert len(orders) == len(set(orders)), f"two charts of {section} claim one place"


def test_the_folder_of_privacy_has_the_charts_of_that_section() -> None:
    assert {chart.id for chart in cards("charts.privacy", "CHART")} == {one.id for one in section_charts("Privacy")}


@every_chart
@pytest.mark.parametrize("newer", sorted(REPORTS.with_gold.parts))
def test_it_is_drawn_while_a_retrained_model_is_added(name: str, newer: str) -> None:
    """Parts are written one by one, and last what the report says of its models."""
    chart, old, new = SHELF[name], REPORTS.without_gold, REPORTS.with_gold
    report = replace(old, parts={**old.parts, newer: new.parts[newer]})
    if chart.applies(report) is True:
        assert chart.summary(report) and chart.alt_text(report) and len(chart.table([report]))


@every_chart
@pytest.mark.parametrize("lost", ["before", "after", "gold"])
def test_it_is_drawn_from_what_was_measured_where_outputs_were_lost(name: str, lost: str) -> None:
    chart, whole = SHELF[name], REPORTS.with_gold
    kept = {model: own for model, own in whole.evaluations.items() if model != lost}
    report = replace(whole, evaluations=kept, lost=(lost,))
    if chart.applies(report) is True:
        assert chart.summary(report) and chart.alt_text(report) and len(chart.table([report]))
