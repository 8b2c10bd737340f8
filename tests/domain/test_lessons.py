"""The files of lessons: how they are read, and what is wrong with a bad one, by line."""

import pytest

from unlearn_core.domain.errors import InvalidLessonError
from unlearn_core.domain.lessons import MAX_BYTES, Comparison, StepChart, parse_lesson

GOOD = """---
title: A title
question: A question?
minutes: 5
order: 9
runs: unsir-ship, unsir-ship-no-noise
claims: forget = partly; 2.retain = retained
paper: https://arxiv.org/abs/1
paper title: A paper
---

## First
Text of {forget}.
chart: accuracy of 1, 2

## Second
Before.
expect: What now?
- [ ] one
- [x] two
After.
- [a link](/sweep)
chart: curve

## Summary
One.
holds: after.forget_test < 0.1 and param.impair_lr = 2.param.impair_lr
Two.
Three.
"""


def test_a_file_is_read_as_it_is_meant() -> None:
    lesson = parse_lesson("good", GOOD)
    assert (lesson.id, lesson.title, lesson.minutes, lesson.runs) == (
        "good",
        "A title",
        5,
        ("unsir-ship", "unsir-ship-no-noise"),
    )
    assert [(one.run, one.evidence, one.finding) for one in lesson.claims] == [
        (1, "forget", "partly"),
        (2, "retain", "retained"),
    ]
    first, second = lesson.steps
    assert first.charts == (StepChart("accuracy", (1, 2)),) and first.expectation is None
    assert second.expectation is not None and second.expectation.right == (1,)
    assert second.text == "Before." and second.reveal == "After.\n- [a link](/sweep)"
    assert lesson.summary[0].holds[1] == Comparison("param.impair_lr", "=", "2.param.impair_lr")
    assert [one.text for one in lesson.summary] == ["One.", "Two.", "Three."]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("---\ntitle", "title", "does not begin with its fields"),
        ("minutes: 5", "minutes: five", "`minutes` is no whole number"),
        ("minutes: 5", "minuets: 5", "line 4: a field is one of title, question"),
        ("minutes: 5\n", "", "no field 'minutes'"),
        ("title: A title", "title: {forget} is gone", "title and question have no placeholders"),
        ("https://arxiv", "http://arxiv", "no link that begins with https"),
        ("forget = partly", "forget partly", "not of the form"),
        ("2.retain", "3.retain", "not of the form"),
        ("## First\n", "", "line 12: each step begins with a heading"),
        ("## Summary", "## The end", "then `## Summary`"),
        ("of 1, 2", "of 1, 3", "a run that `runs` does not list"),
        ("chart: accuracy of 1, 2", "chart: import os", "line 14: a chart is"),
        ("- [x] two", "- [ ] two", "line 16: after `expect:`"),
        ("- [ ] one\n", "expect: again?\n", "a step asks one question"),
        ("Three.\n", "", "the summary has 2 sentences. Write 3"),
        ("after.forget_test < 0.1", "__import__('os')", "`holds:` compares two values"),
        ("Before.", "![a](https://example.org/a.png)", "no images of its own"),
        ("Before.", "[a](javascript:alert(1))", "a link begins with https"),
        ("Before.", "x" * MAX_BYTES, "larger than 64 kB"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(InvalidLessonError) as problem:
        parse_lesson("bad", GOOD.replace(old, new, 1))
    assert said in str(problem.value) and str(problem.value).startswith("bad.md")
