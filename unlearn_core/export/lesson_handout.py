"""The handout of a lesson as one self-contained HTML file, to print: its questions first, then what happened."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from unlearn_core.charts import charts
from unlearn_core.charts.text.lesson_text import Value, fill
from unlearn_core.domain.lessons import Lesson, LessonStep
from unlearn_core.domain.report import Report
from unlearn_core.export import figures
from unlearn_core.export.extra_sections import ReportFigure
from unlearn_core.export.html_report import environment, page_frame, render_inline

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


class HandoutStep(NamedTuple):
    """A step in paragraphs; what follows the question, and the charts, are printed behind all steps."""

    title: str
    paragraphs: tuple[Markup, ...]
    question: str
    choices: tuple[str, ...]
    happened: tuple[str, ...]
    """The choices that the run shows."""
    reveal: tuple[Markup, ...]
    figures: tuple[ReportFigure, ...]


def render_handout(lesson: Lesson, reports: Sequence[Report], values: Mapping[str, Value]) -> str:
    """Return the handout as a complete HTML document, about 5 MB, of which plotly's own code is 4.8.

    Raises InvalidLessonError for a placeholder that the runs do not have.
    """
    return (
        environment()
        .get_template("handout.html")
        .render(
            **page_frame(),
            lesson=lesson,
            title=lesson.title,
            steps=[_step(number, step, reports, values) for number, step in enumerate(lesson.steps, 1)],
            summary=[render_inline(fill(sentence.text, values)) for sentence in lesson.summary],
        )
    )


def _step(number: int, step: LessonStep, reports: Sequence[Report], values: Mapping[str, Value]) -> HandoutStep:
    asked = step.expectation
    choices = () if asked is None else tuple(_plain(fill(choice, values)) for choice in asked.choices)
    return HandoutStep(
        title=fill(step.title, values),
        paragraphs=_paragraphs(fill(step.text, values)),
        question="" if asked is None else fill(asked.question, values),
        choices=choices,
        happened=() if asked is None else tuple(choices[place] for place in asked.right),
        reveal=_paragraphs(fill(step.reveal, values)),
        figures=tuple(
            figures.render_figure(charts()[chart.chart], [reports[run - 1] for run in chart.runs])._replace(
                id=f"{number}-{place}"  # A lesson may show one chart twice.
            )
            for place, chart in enumerate(step.charts)
        ),
    )


def _paragraphs(text: str) -> tuple[Markup, ...]:
    """Markdown as paragraphs of HTML; of a link, which paper cannot follow, the words."""
    return tuple(render_inline(_LINK.sub(r"\1", part)) for part in re.split(r"\n\s*\n", text.strip()) if part)


def _plain(text: str) -> str:
    return text.replace("*", "").replace("`", "")
