"""The parts of dumbbell charts: rows, connecting lines, intervals and labels."""

from math import nan

import pytest

from unlearn_core.charts.drawing.dumbbell import (
    DotLabel,
    connectors,
    dot_labels,
    intervals,
    row_axis,
    row_heights,
    score_dumbbells,
)
from unlearn_core.charts.drawing.theme import DARK, LIGHT, Theme
from unlearn_core.domain.results.predictions import Score

HALF = Score(correct=5, total=10, accuracy=0.5, low=0.25, high=0.75)
EMPTY = Score(correct=0, total=0, accuracy=nan, low=nan, high=nan)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_first_row_is_on_top_and_its_label_at_its_height(theme: Theme) -> None:
    heights, axis = row_heights(["a", "b", "c"]), row_axis(["A", "B", "C"], theme, room=(0.5, 1.0))
    assert heights == {"a": 2, "b": 1, "c": 0}
    assert dict(zip(axis["ticktext"], axis["tickvals"], strict=True)) == {"A": 2, "B": 1, "C": 0}
    assert axis["range"] == [-0.5, 3.0]


def test_rows_are_not_connected_with_each_other() -> None:
    line = connectors([(0.9, 0.1, 1), (0.8, 0.7, 0)], LIGHT)
    assert list(line.x) == [0.9, 0.1, None, 0.8, 0.7, None]
    assert list(line.y) == [1, 1, None, 0, 0, None]


def test_an_interval_reaches_from_its_low_to_its_high_end() -> None:
    bars = intervals([(0.25, 0.5, 0.875)], LIGHT.after)
    assert (bars["arrayminus"], bars["array"]) == ([0.25], [0.375])


def test_a_missing_value_and_one_outside_its_interval_have_no_negative_bar() -> None:
    bars = intervals([(nan, nan, nan), (0.5, 0.25, 0.75), (0.25, 0.75, 0.5)], LIGHT.after)
    assert bars["arrayminus"] == [0.0, 0.0, 0.5]
    assert bars["array"] == [0.0, 0.5, 0.0]


def test_only_gold_is_lifted() -> None:
    scores = {model: {"cat": HALF, "dog": EMPTY} for model in ("before", "after", "gold")}
    sizes = dict.fromkeys(scores, 8)
    _, before, after, gold = score_dumbbells(scores, [1, 0], LIGHT, gold_lift=0.25, sizes=sizes, opacity=0.5)
    assert [list(dots.y) for dots in (before, after, gold)] == [[1, 0], [1, 0], [1.25, 0.25]]
    assert list(gold.error_x.array) == [0.25, 0.0]


@pytest.mark.parametrize(("end", "margin"), [(1.0, 0.2), (0.5, 0.15)])
def test_labels_at_an_end_of_the_axis_stand_inwards(end: float, margin: float) -> None:
    shares = (0.0, 1.01 * margin, 0.5, 0.99 - margin, 1.0)
    found = dot_labels([DotLabel(share * end, 0, "x", LIGHT.ink) for share in shares], end=end, margin=margin)
    assert list(found.textposition) == ["middle right", *["middle center"] * 3, "middle left"]
