"""A chart taken apart: a figure a run, on the scale that they had in one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.charts.fake_reports import CAT, CLASSES, made_up_report
from tests.charts.layout import layout_of
from unlearn_core.charts import charts
from unlearn_core.charts.chart import Chart, report_labels
from unlearn_core.charts.drawing import highlight, selection, split_panels
from unlearn_core.charts.drawing.selection import Selection
from unlearn_core.charts.drawing.theme import DARK, LIGHT
from unlearn_core.domain.results.outputs import LogitsResult
from unlearn_core.domain.results.predictions import ConfusionResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.ui.pages.compare.page import compared_charts

REPORTS = [made_up_report(seed=seed, gold=seed != 2) for seed in range(4)]
SHOWN = [chart for section in compared_charts().values() for chart in section]
CHARTS = [chart.variants.get("after", chart) for chart in SHOWN]
every_chart = pytest.mark.parametrize("chart", CHARTS, ids=[chart.id for chart in SHOWN])


def named(figure: Any, name: str) -> list[dict]:
    """The traces of that name."""
    return [trace for trace in figure.to_plotly_json()["data"] if trace.get("name") == name]


def figures(chart: Chart) -> tuple[list[Any], list[Any]]:
    able = [report for report in REPORTS if chart.applies(report) is True]
    return able, split_panels.split_figure(chart, able, LIGHT)


@every_chart
def test_every_run_has_a_figure_of_its_own_on_one_scale(chart: Chart) -> None:
    able, found = figures(chart)
    assert len(found) == len(able) >= 3
    for way in ("xaxis", "yaxis"):
        ranges = {json.dumps(layout_of(one)[way].range) for one in found}
        assert len(ranges) == 1, (way, ranges)
    for report, one in zip(able, found, strict=True):
        tree = json.loads(one.to_json())
        assert {trace.get("xaxis", "x") for trace in tree["data"]} == {"x"}
        assert not {"xaxis2", "yaxis2"} & tree["layout"].keys()
        alone = json.loads(str(chart.figure([report], LIGHT).to_json()))
        assert len(tree["data"]) == len(alone["data"]), "nothing lost, nothing of a neighbour's"
        assert tree["layout"]["yaxis"].get("showticklabels", True) is True
        assert not {note["text"] for note in tree["layout"].get("annotations", ())} & {*report_labels(REPORTS)}


def test_a_scale_that_is_shared_is_not_each_runs_own() -> None:
    chart = charts()["distance"]
    able, found = figures(chart)
    widest = max(layout_of(chart.figure([report], LIGHT)).xaxis.range[1] for report in able)
    assert {layout_of(one).xaxis.range[1] for one in found} == {widest}
    assert len({layout_of(chart.figure([report], LIGHT)).xaxis.range[1] for report in able}) > 1


def test_other_data_sets_are_drawn_by_themselves() -> None:
    other = made_up_report(seed=5)
    card = other.dataset.model_copy(update={"id": "elsewhere", "classes": tuple(f"{name}s" for name in CLASSES)})
    strange = replace(other, dataset=card)
    found = split_panels.split_figure(charts()["classes"], [REPORTS[0], strange], LIGHT)
    assert "airplanes" in layout_of(found[1]).yaxis.ticktext
    assert "airplanes" not in layout_of(found[0]).yaxis.ticktext


@pytest.mark.parametrize("name", ["classes", "predictions", "confusion"])
def test_a_class_is_marked_in_its_row(name: str) -> None:
    chart = charts()[name]
    figure = (chart.variants.get("after") or chart).figure([REPORTS[0]], DARK)
    figure = highlight.highlight_selection(figure, name, REPORTS[0], Selection(label=CLASSES[CAT]), DARK)
    bands = layout_of(figure).shapes
    assert all((one.layer == "below") == (name != "confusion") for one in bands), "a heat map would hide a band"
    assert len(bands) == (2 if name == "confusion" else 1), "a forgotten class is found by its plain name too"
    axis = layout_of(figure).yaxis
    at = [place for place, text in zip(axis.tickvals, axis.ticktext, strict=True) if "cat" in text]
    assert (bands[-1].y0, bands[-1].y1) == (at[0] - 0.5, at[0] + 0.5)


@pytest.mark.parametrize("name", ["layers", "cka"])
def test_a_layer_is_marked_in_its_column(name: str) -> None:
    figure = charts()[name].figure([REPORTS[0]], LIGHT)
    figure = highlight.highlight_selection(figure, name, REPORTS[0], Selection(layer="stage2.0"), LIGHT)
    (band,) = [one for one in layout_of(figure).shapes if one.layer == "below"]
    at = list(layout_of(figure).xaxis.tickvals).index("stage2.0")
    assert (band.x0, band.x1) == (at - 0.5, at + 0.5)


def test_a_picture_is_marked_where_it_stands() -> None:
    report, picture = REPORTS[0], int(REPORTS[0][MembershipResult].member_rows[0])
    certainty = charts()["confidence"].figure([report], LIGHT)
    certainty = highlight.highlight_selection(certainty, "confidence", report, Selection(image=picture), LIGHT)
    spots = named(certainty, f"image {picture}")
    assert [one["x"][0] for one in spots if one["marker"]["symbol"] == "diamond"] == [
        pytest.approx(report[LogitsResult].true_logit["gold"][picture])
    ]
    assert len(spots) == 3
    scatter = charts()["recognised"].figure([report], LIGHT)
    scatter = highlight.highlight_selection(scatter, "recognised", report, Selection(image=picture), LIGHT)
    (ring,) = named(scatter, f"image {picture}")
    assert ring["y"][0] == pytest.approx(report[MembershipResult].probabilities["after"][0])
    nowhere = charts()["recognised"].figure([report], LIGHT)
    nowhere = highlight.highlight_selection(nowhere, "recognised", report, Selection(image=10**6), LIGHT)
    assert not named(nowhere, f"image {10**6}")


def test_what_a_click_stands_for() -> None:
    found = [
        selection.clicked_selection({"x": 0.3, "y": 4, "customdata": ["cat", 3, 200, "1 %", "2 %"]}, REPORTS),
        selection.clicked_selection({"x": 0.3, "y": 4, "customdata": "cat"}, REPORTS),
        selection.clicked_selection({"x": "stage2.0", "y": 0.1, "customdata": ["1", "w", "m"]}, REPORTS),
        selection.clicked_selection({"x": 0.5, "y": 0.1, "customdata": [17, "cat"]}, REPORTS),
        selection.clicked_selection({"x": 0.5, "y": 0.1, "customdata": {"0": 17, "1": "cat"}}, REPORTS),
        selection.clicked_selection({"x": 0.5, "y": 0.1}, REPORTS),
    ]
    picture = Selection(image=17)
    assert found == [
        Selection(label="cat"),
        Selection(label="cat"),
        Selection(layer="stage2.0"),
        picture,
        picture,
        Selection(),
    ]


def test_each_run_says_what_is_followed() -> None:
    report = REPORTS[0]
    picture = int(report.split.forget_train[0])
    rows = dict(selection.selection_rows(REPORTS, Selection("cat", "stage2.0", picture)))
    assert len(rows) == 7
    assert all(len(cells) == len(REPORTS) for cells in rows.values())
    assert rows[f"image {picture}: class and set"][0] == "cat, forget set, training"
    score = report[ConfusionResult].scores["after"][CAT].accuracy
    assert f"→ {100 * score:.1f}" in rows["cat: accuracy, test"][0].replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "retrained" not in rows["cat: accuracy, test"][2], "the third has none"
    assert dict(selection.selection_rows(REPORTS, Selection(label="unicorn")))["unicorn: accuracy, test"] == ["–"] * 4
    assert selection.selection_rows(REPORTS, Selection()) == []
