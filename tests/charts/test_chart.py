"""What all charts share: labels that keep apart, round ticks, names, words, and colours that can be seen."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.charts.fake_reports import made_up_report
from unlearn_core.charts.chart import (
    MAX_LAYER_LABELS,
    layer_axis,
    list_axis,
    percent_axis,
    report_labels,
    spread_labels,
)
from unlearn_core.charts.drawing.theme import DARK, LIGHT, Theme, text_color, with_alpha
from unlearn_core.charts.drawing.wording import describe_change, join_words, number, percent, seconds

both_themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_labels_keep_their_order_and_their_distance(values: list[float]) -> None:
    placed = spread_labels(values, 0.1)
    order = sorted(range(len(values)), key=lambda at: values[at])
    gaps = [placed[high] - placed[low] for low, high in pairwise(order)]
    assert all(gap >= 0.1 - 1e-9 for gap in gaps)
    assert sum(placed) == pytest.approx(sum(values)), "they move away from one another, not all to one side"


def test_labels_with_room_stay() -> None:
    assert spread_labels([0.9, 0.1, 0.5], 0.2) == pytest.approx([0.9, 0.1, 0.5])


@pytest.mark.parametrize("high", [0.004, 0.03, 0.08, 0.27, 0.6, 0.92, 1.03])
def test_ticks_are_few_and_start_at_zero(high: float) -> None:
    axis = percent_axis(-0.01, high, max_ticks=5)
    assert axis["tickvals"][0] == 0
    assert len(axis["tickvals"]) <= 5
    assert max(axis["tickvals"]) <= 1
    assert axis["ticktext"][0] == percent(0, 0)


@both_themes
def test_a_list_axis_starts_at_the_top(theme: Theme) -> None:
    axis = list_axis(["a", "b"], theme)
    assert dict(zip(axis["ticktext"], axis["tickvals"], strict=True)) == {"a": 0, "b": 1}
    bottom, top = axis["range"]
    assert bottom > 1 > 0 > top, "the axis is reversed, and both rows lie inside"


def test_a_layer_that_several_runs_have_is_on_the_axis_once() -> None:
    axis = layer_axis(["stem", "stage1.0", "stem", "stage2.0"])
    assert axis["tickvals"] == ["stem", "stage1.0", "stage2.0"]
    assert axis["ticktext"] == ["stem", "1.0", "2.0"]


@pytest.mark.parametrize("count", [1, 2, 29, 30, 31, 56, 200])
def test_of_many_layers_some_are_labelled_and_the_last(count: int) -> None:
    layers = [f"stage1.{number}" for number in range(count)]
    axis = layer_axis(layers)
    places = [layers.index(label) for label in axis["tickvals"]]
    assert len(places) <= MAX_LAYER_LABELS and places[-1] == count - 1 and places[0] == 0
    gaps = {after - before for before, after in pairwise(places)}
    assert min(gaps, default=1) >= count / MAX_LAYER_LABELS and (
        count > MAX_LAYER_LABELS or places == list(range(count))
    )
    assert axis["ticktext"] == [f"1.{place}" for place in places] and axis["range"] == [-0.5, count - 0.5]


def test_two_runs_of_one_method_get_two_names() -> None:
    one, two = made_up_report(), made_up_report(seed=1)
    assert report_labels([one]) == ["UNSIR"]
    assert report_labels([one, two]) == ["UNSIR · run 42", "UNSIR · run 43"]
    assert report_labels([replace(one, run=None), replace(two, run=None)]) == ["UNSIR · run 1", "UNSIR · run 2"]


def test_numbers_in_words() -> None:
    assert percent(0.8617) == "86.2\N{NO-BREAK SPACE}%"
    assert number(-2.34) == "\N{MINUS SIGN}2.3"
    assert number(-0.04) == "0.0"
    assert describe_change(0.867, 0.862) == "lost 0.5\N{NO-BREAK SPACE}points"
    assert describe_change(0.5, 0.52) == "gained 2.0\N{NO-BREAK SPACE}points"
    assert describe_change(0.5, 0.5002) == "stayed the same"
    assert seconds(185).replace("\N{NO-BREAK SPACE}", " ") == "3 min 5 s"
    assert [join_words(list(letters), limit=3) for letters in ("a", "ab", "abc", "abcde")] == [
        "a",
        "a and b",
        "a, b and c",
        "a, b and 3 more",
    ]


def luminance(colour: str) -> float:
    """Relative luminance of "#RRGGBB" (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@both_themes
@pytest.mark.parametrize("role", ["before", "after", "gold", "forget", "retain"])
def test_colours_can_be_seen_and_words_can_be_read(theme: Theme, role: str) -> None:
    assert contrast(getattr(theme, role), theme.page) >= 3
    assert contrast(text_color(theme, role), theme.page) >= 4.5


@both_themes
def test_lesser_words_can_be_read(theme: Theme) -> None:
    assert contrast(theme.quiet, theme.page) >= 4.5
    assert contrast(theme.ink, theme.panel) >= 7


def test_a_theme_can_be_a_key_and_fades() -> None:
    assert len({LIGHT, DARK, LIGHT}) == 2
    assert with_alpha("#2563EB", 0.4) == "rgba(37,99,235,0.4)"
