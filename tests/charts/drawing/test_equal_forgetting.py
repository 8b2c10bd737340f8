"""The chart of what L2UL retains at equal forgetting: what it draws from the measured runs, and what it says."""

import json
import re

import pytest

from unlearn_core.charts.drawing.theme import DARK, LIGHT, TRANSPARENT, Theme
from unlearn_core.charts.measured import equal_forgetting
from unlearn_core.charts.measured.l2ul_courses import GOALS, GUARDS, Course, CoursePoint, read_courses, setting_name


def made(retain: float, *, left: float = 0.0) -> dict[int, Course]:
    """Two draws that come from 1 and 0.9 by a half down to what is left; the second retains 2 points more."""
    return {
        draw: Course(
            [CoursePoint(1.0, 0.9), CoursePoint(0.5, 0.85), CoursePoint(left if draw else 0.0, retain + draw / 50)],
            steps=9,
            done=True,
            passes=100,
            error="",
        )
        for draw in (0, 1)
    }


COURSES = {(setting_name("misclassify", guard), 16): made(0.4) for guard in GUARDS}
COURSES |= {(setting_name(goal, "adv-imp"), 16): made(0.7) for goal in ("nearest", "relabel")}
COURSES[setting_name("misclassify", "none"), 16] = made(0.3, left=0.25)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_it_is_drawn_and_said(theme: Theme) -> None:
    text = equal_forgetting.figure(COURSES, theme).to_json() or ""
    figure = json.loads(text)
    assert figure["layout"]["template"]["layout"]["paper_bgcolor"] == TRANSPARENT
    assert not re.search(r"\b(NaN|Infinity)\b", text)
    assert [line["name"] for line in figure["data"]] == [*GOALS.values(), *GUARDS.values()]
    first, last = figure["data"][0], figure["data"][-1]
    assert first["x"] == [100, 75, 50, 25, 12.5, 0]
    assert [first["y"][at] for at in (0, 2, -1)] == pytest.approx([90, 85, 71])
    assert first["error_y"]["array"][-1] == pytest.approx(1.0)
    assert last["x"] == [100, 75, 50, 25], "what only one of two draws reaches is left out"
    assert equal_forgetting.summary(COURSES) == (
        "Goals, with both safeguards, retained at 0 % left: nearest label 71.0 %, random label 71.0 %, "
        "misclassify 41.0 %. Safeguards, goal misclassify, retained at 25 % left: ADV+IMP 63.0 %, IMP 63.0 %, "
        "ADV 63.0 %, no safeguards 44.7 %."
    )
    assert "no safeguards: 90.0 % at 100 % left" in equal_forgetting.alt_text(COURSES)


def test_the_runs_that_ship_can_be_drawn() -> None:
    shipped = read_courses()
    for words in (equal_forgetting.summary(shipped), equal_forgetting.alt_text(shipped)):
        assert words.endswith(".") and "nan" not in words
    assert len(equal_forgetting.figure(shipped, LIGHT).data) == len(GOALS) + len(GUARDS)
