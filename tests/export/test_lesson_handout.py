"""The handout of a lesson: all of its words, the questions before the answers, and every chart drawn once."""

import json
import re

import pytest

from unlearn_core.charts.text import lesson_text
from unlearn_core.domain.lessons import parse_lesson
from unlearn_core.export.lesson_handout import render_handout
from unlearn_core.store.files import lesson_files, shipped_runs

LESSONS = lesson_files.find_lessons().lessons


def rendered(name: str, text: str | None = None) -> str:
    lesson = LESSONS[name] if text is None else parse_lesson(name, text)
    reports = [shipped_runs.read_report(shipped_runs.named(run).id) for run in lesson.runs]
    return render_handout(lesson, reports, lesson_text.lesson_values(reports))


@pytest.mark.parametrize("name", ["unsir", "relearning"])
def test_the_questions_come_first_and_every_chart_once(name: str) -> None:
    lesson, html = LESSONS[name], rendered(name)
    words = re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.DOTALL)
    assert "{" not in re.sub(r"<style>.*?</style>", "", words, flags=re.DOTALL).split("What happened")[1]
    asked = sum(step.expectation is not None for step in lesson.steps)
    assert words.count("What do you expect?") == asked == words.count("The run shows:")
    assert words.index("The run shows:") > words.rindex("What do you expect?")
    drawn = re.findall(r'data-chart="(.+?)">(.+?)</script>', html)
    assert len(drawn) == sum(len(step.charts) for step in lesson.steps)
    assert len({place for place, _ in drawn}) == len(drawn)
    assert all(json.loads(figure)["data"] for _, figure in drawn)
    assert "default-src &#39;none&#39;" in html


def test_a_lesson_of_ones_own_runs_no_code_in_it() -> None:
    text = (lesson_files.LESSONS_DIR / "unsir.md").read_text()
    html = rendered("mine", text.replace("title: ", "title: <script>alert(1)</script> ").replace("## ", "## <b>", 1))
    assert "<script>alert" not in html and "&lt;script&gt;alert" in html and "&lt;b&gt;" in html
