"""The table and the chart of all methods: what each promises, in every state of a comparison."""

import json
import re
from itertools import pairwise

import pandas as pd
import pytest

from tests.charts.fake_methods import compared, metrics, run
from unlearn_core.charts.comparison import method_results, method_scatter
from unlearn_core.charts.comparison.method_results import MethodResults
from unlearn_core.charts.comparison.method_results import method_results as collect
from unlearn_core.charts.drawing.theme import DARK, LIGHT, TRANSPARENT, Theme
from unlearn_core.domain.results.metrics import RunMetrics

STATES = {
    "all": compared(),
    "many": compared(16),
    "one": compared(1),
    "without gold": compared(gold=False),
    "of an older release": compared(intervals=False),
}
every_state = pytest.mark.parametrize("state", STATES.values(), ids=STATES)


@every_state
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_it_is_drawn_said_and_tabled(state: MethodResults, theme: Theme) -> None:
    assert method_scatter.applies(state) is True
    text = method_scatter.figure(state, theme).to_json() or ""
    assert json.loads(text)["layout"]["template"]["layout"]["paper_bgcolor"] == TRANSPARENT
    assert not re.search(r"\b(NaN|Infinity)\b", text)
    for words in (method_scatter.alt_text(state), method_results.summary(state), method_results.explanation(state)):
        assert words.endswith(".") and "nan" not in words and "None" not in words, words
    shown = method_results.shown_table(state)
    assert len(shown) == len(state.methods) + len(state.references)
    assert not [cell for cell in shown.to_numpy().ravel() if "nan" in cell or "None" in cell]


@every_state
def test_every_point_leads_to_its_run_and_has_a_label_that_overlaps_no_other(state: MethodResults) -> None:
    figure = json.loads(method_scatter.figure(state, LIGHT).to_json() or "")
    (points,) = (trace for trace in figure["data"] if trace.get("name") == "methods")
    assert [row[0] for row in points["customdata"]] == [one.run for one in state.methods]
    labels = figure["layout"]["annotations"]
    assert len(labels) == len(state.methods) + (state.gold is not None)
    low, high = figure["layout"]["yaxis"]["range"]
    heights = sorted(label["y"] for label in labels)
    pixels = (method_scatter.HEIGHT - method_scatter.FOOT) / (high - low)
    assert all((after - before) * pixels > 14 for before, after in pairwise(heights))
    assert heights[0] >= low - 1e-9 and heights[-1] <= high + 1e-9
    assert max(len(re.sub("<.*?>", "", label["text"])) for label in labels) <= method_scatter.LONGEST_TITLE


def test_the_retrained_model_is_the_target_with_its_interval() -> None:
    state = compared()
    figure = json.loads(method_scatter.figure(state, LIGHT).to_json() or "")
    (target,) = (trace for trace in figure["data"] if trace.get("name") == "gold")
    assert (target["x"], target["y"]) == ([0.0], [0.9])
    assert target["error_y"]["array"] == pytest.approx([0.02])
    (area,) = (shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect")
    assert (area["x0"], area["x1"], area["y0"], area["y1"]) == pytest.approx((0.0, 0.02, 0.88, 0.92))
    without = json.loads(method_scatter.figure(compared(gold=False), LIGHT).to_json() or "")
    assert not [trace for trace in without["data"] if trace.get("name") == "gold"]


def test_the_closest_method_is_first_and_those_without_a_distance_are_last() -> None:
    state = compared()
    assert [one.run for one in state.methods] == [13, 12, 11, 10]
    assert "of 4 compared with it: Re-initialise small gradients (MSG)" in method_results.summary(state)
    late = {"a": run(1, metrics(0.0, 0.9, gold=False)), "b": run(2, metrics(0.2, 0.8))}
    found = collect(late, {}, forgotten="discs", noun="image")
    assert [one.title for one in found.methods] == ["b", "a"]
    assert found.gold is not None, "of the run that was compared with it"
    assert "There is no retrained model yet" in method_results.summary(compared(gold=False))
    assert [one.title for one in compared(gold=False).methods] == sorted(
        one.title for one in compared(gold=False).methods
    )


def test_the_table_has_numbers_with_their_intervals_and_both_references() -> None:
    frame = method_results.table(compared())
    assert list(frame["model"]) == ["after"] * 4 + ["gold", "before"]
    first, gold = frame.iloc[0], frame.iloc[4]
    assert (first["forget_accuracy"], first["forget_accuracy_low"]) == pytest.approx((0.075, 0.055))
    assert (first["seconds"], first["search_seconds"], first["forget_verdict"]) == (2.0, 1.5, "partly")
    assert pd.isna(first["membership_auc"]), "this run has no membership inference"
    assert frame.iloc[1]["membership_auc_high"] == 0.6
    assert gold["seconds"] == 30.0 and pd.isna(gold["run"]) and pd.isna(gold["distance_bits"])
    assert frame.iloc[5]["distance_bits"] == 0.5
    shown = method_results.shown_table(compared()).iloc[1]
    assert shown["Forget accuracy"].replace("\N{NO-BREAK SPACE}", " ") == "15.0 % (13.0–17.0)"
    assert shown["Membership AUC"] == "0.55 (0.50–0.60)"
    assert shown["Time (+ search)"].replace("\N{NO-BREAK SPACE}", " ") == "2.0 s + 1.5 s"


def test_single_images_are_judged_by_the_forget_images_themselves() -> None:
    found = metrics(0.2, 0.9).updated(
        RunMetrics(accuracy={"after": {"forget_test": None, "forget_train": 0.7, "retain_test": 0.9}})
    )
    (one,) = collect({"SCRUB": run(1, found)}, {}, forgotten="3 images", noun="image").methods
    assert one.forget is not None and one.forget.value == 0.7


def test_without_accuracies_there_is_a_sentence() -> None:
    for state in (
        collect({}, {}, forgotten="discs", noun="image"),
        collect({"SCRUB": run(1, RunMetrics())}, {}, forgotten="discs", noun="image"),
    ):
        assert str(method_scatter.applies(state)).endswith(".")


def test_the_caveat_says_where_the_hyperparameters_come_from() -> None:
    assert "short search on training and validation points" in method_results.caveat("point", searched=True)
    assert "tuned beforehand on a few requests" in method_results.caveat("image", searched=False)


def test_labels_are_spread_in_their_order() -> None:
    assert method_scatter.spread([0.5, 0.5, 0.1], gap=0.1, low=0.0, high=1.0) == pytest.approx([0.5, 0.6, 0.1])
    assert method_scatter.spread([1.0, 0.99], gap=0.1, low=0.0, high=1.0) == pytest.approx([1.0, 0.9])
    crowded = method_scatter.spread([0.5] * 30, gap=0.1, low=0.0, high=1.0)
    assert all(after - before == pytest.approx(1 / 30) for before, after in pairwise(sorted(crowded)))
