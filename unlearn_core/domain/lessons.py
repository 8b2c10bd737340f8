"""Lessons: guided stories about finished runs, and how their Markdown files are read.

A file is data, never code: text, placeholders such as {after.forget_test}, and lines that begin with `chart:`,
`expect:` or `holds:`. docs/lessons.md describes it for lecturers.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from unlearn_core.domain.errors import InvalidLessonError

SUMMARY = "Summary"
"""The heading of the last step."""
SENTENCES = 3
MAX_STEPS, MAX_BYTES = 20, 64_000

_KEYS = ("title", "question", "minutes", "order", "runs", "claims", "paper", "paper title")
_CHART = re.compile(r"chart: *([a-z_]+)(?: of ([\d, ]+))?")
_ANSWER = re.compile(r"- \[( |x)\] +(.+)")
_COMPARISON = re.compile(r"([\w. ]+?) *(<=|>=|<|>|=) *([\w. ]+)")
_LINK = re.compile(r"\]\(([^)]*)\)")


class StepChart(NamedTuple):
    """One chart: its id, and the places of its runs in the lesson's list, 1 for the first."""

    chart: str
    runs: tuple[int, ...]


class Expectation(NamedTuple):
    """A question that is answered before the result is shown; `right` are the places of the choices that it shows."""

    question: str
    choices: tuple[str, ...]
    right: tuple[int, ...]


class LessonStep(NamedTuple):
    """One step; `reveal` and the charts are shown once the expectation is stated, if there is one."""

    title: str
    text: str
    charts: tuple[StepChart, ...]
    expectation: Expectation | None
    reveal: str


class Comparison(NamedTuple):
    """What must hold in the runs: two placeholders or numbers, and one of <, >, <=, >= and =."""

    left: str
    relation: str
    right: str


class Sentence(NamedTuple):
    """One sentence of the summary, and what must hold for it to be true."""

    text: str
    holds: tuple[Comparison, ...]


class LessonClaim(NamedTuple):
    """What the title rests on: for a run, by its place, a kind of evidence and what it says."""

    run: int
    evidence: str
    finding: str


class Lesson(NamedTuple):
    """A lesson; `runs` are names of shipped runs, or numbers of runs in the data folder."""

    id: str
    title: str
    question: str
    minutes: int
    order: int
    runs: tuple[str, ...]
    claims: tuple[LessonClaim, ...]
    paper: str
    paper_title: str
    steps: tuple[LessonStep, ...]
    summary: tuple[Sentence, ...]


def parse_lesson(lesson: str, text: str) -> Lesson:
    """Return the lesson with this id from its file. Raises InvalidLessonError, which names file and line."""
    if len(text.encode()) > MAX_BYTES:
        raise InvalidLessonError(f"{lesson}.md is larger than {MAX_BYTES // 1000} kB: shorten it.")
    lines = text.splitlines()
    facts, start = _front_matter(lesson, lines)
    steps, summary = _steps(lesson, lines, start)
    runs = tuple(name.strip() for name in facts["runs"].split(","))
    for number, step in enumerate(steps, 1):
        if any(not 1 <= place <= len(runs) for chart in step.charts for place in chart.runs):
            raise InvalidLessonError(f"{lesson}.md, step {number}: a chart is of a run that `runs` does not list.")
    return Lesson(
        id=lesson,
        title=facts["title"],
        question=facts["question"],
        minutes=_number(lesson, facts, "minutes"),
        order=_number(lesson, facts, "order"),
        runs=runs,
        claims=_claims(lesson, facts["claims"], len(runs)),
        paper=facts["paper"],
        paper_title=facts["paper title"],
        steps=steps,
        summary=summary,
    )


def _front_matter(lesson: str, lines: list[str]) -> tuple[Mapping[str, str], int]:
    """Return the fields between the first two lines `---`, and the number of the line after them."""
    ends = [number for number, line in enumerate(lines) if line.strip() == "---"]
    if len(ends) < 2 or ends[0] != 0:
        raise InvalidLessonError(f"{lesson}.md does not begin with its fields between two lines of `---`.")
    facts: dict[str, str] = {}
    for number in range(1, ends[1]):
        key, colon, value = lines[number].partition(":")
        if lines[number].strip() and (not colon or key.strip() not in _KEYS):
            raise _bad(lesson, number, f"a field is one of {', '.join(_KEYS)}, followed by a colon")
        facts |= {key.strip(): value.strip()} if colon else {}
    missing = [key for key in _KEYS if not facts.get(key)]
    if missing:
        raise InvalidLessonError(f"{lesson}.md has no field {missing[0]!r}: add it between the lines of `---`.")
    if any("{" in facts[key] for key in ("title", "question")):
        raise InvalidLessonError(f"{lesson}.md: title and question have no placeholders, since the list shows them.")
    if not facts["paper"].startswith("https://"):
        raise InvalidLessonError(f"{lesson}.md: the field `paper` is no link that begins with https://.")
    return facts, ends[1] + 1


def _number(lesson: str, facts: Mapping[str, str], key: str) -> int:
    if not facts[key].isdecimal() or len(facts[key]) > 3:
        raise InvalidLessonError(f"{lesson}.md: the field `{key}` is no whole number.")
    return int(facts[key])


def _claims(lesson: str, text: str, count: int) -> tuple[LessonClaim, ...]:
    """Return the claims in "forget = partly; 2.retain = retained"."""
    found: list[LessonClaim] = []
    for part in text.split(";"):
        subject, equals, finding = (piece.strip() for piece in part.partition("="))
        run, dot, evidence = subject.partition(".")
        place = int(run) if dot and run.isdecimal() and len(run) < 3 else 1
        if not equals or not 1 <= place <= count:
            raise InvalidLessonError(f"{lesson}.md: the claim {part.strip()!r} is not of the form `forget = partly`.")
        found.append(LessonClaim(place, evidence if dot else subject, finding))
    return tuple(found)


def _steps(lesson: str, lines: list[str], start: int) -> tuple[tuple[LessonStep, ...], tuple[Sentence, ...]]:
    """Return the steps, and the sentences of the last one."""
    heads = [number for number in range(start, len(lines)) if lines[number].startswith("## ")]
    for number in range(start, heads[0] if heads else len(lines)):
        if lines[number].strip():
            raise _bad(lesson, number, "each step begins with a heading: `## Title`")
    if len(heads) < 2 or len(heads) > MAX_STEPS or lines[heads[-1]][3:].strip() != SUMMARY:
        raise InvalidLessonError(f"{lesson}.md needs 1 to {MAX_STEPS - 1} steps, then `## {SUMMARY}`.")
    ends = [*heads[1:], len(lines)]
    steps = tuple(_step(lesson, lines, head, end) for head, end in zip(heads[:-1], ends, strict=False))
    return steps, _summary(lesson, lines, heads[-1] + 1)


def _step(lesson: str, lines: list[str], head: int, end: int) -> LessonStep:
    charts: list[StepChart] = []
    answers: list[tuple[bool, str]] = []
    question: str | None = None
    texts: tuple[list[str], list[str]] = [], []
    for number in range(head + 1, end):
        line = lines[number]
        if line.startswith("chart:"):
            charts.append(_chart(lesson, number, line))
        elif line.startswith("expect:"):
            if question is not None:
                raise _bad(lesson, number, "a step asks one question")
            question = line.removeprefix("expect:").strip()
        elif question is not None and (found := _ANSWER.fullmatch(line)):
            answers.append((found[1] == "x", found[2]))
        else:
            _check_text(lesson, number, line)
            texts[question is not None].append(line)
    right = tuple(place for place, (is_right, _) in enumerate(answers) if is_right)
    if question is not None and (len(answers) < 2 or not right):
        raise _bad(lesson, head, "after `expect:` come two or more lines `- [ ] answer`, and `- [x]` for what happens")
    told = None if question is None else Expectation(question, tuple(text for _, text in answers), right)
    before, after = ("\n".join(own).strip() for own in texts)
    return LessonStep(lines[head][3:].strip(), before, tuple(charts), told, after)


def _chart(lesson: str, number: int, line: str) -> StepChart:
    found = _CHART.fullmatch(line.strip())
    if found is None:
        raise _bad(lesson, number, "a chart is `chart: accuracy`, or `chart: accuracy of 1, 2` for several runs")
    places = tuple(int(part) for part in (found[2] or "1").split(",") if part.strip())
    return StepChart(found[1], places)


def _summary(lesson: str, lines: list[str], start: int) -> tuple[Sentence, ...]:
    found: list[Sentence] = []
    for number in range(start, len(lines)):
        line = lines[number].strip()
        if line.startswith("holds:") and found:
            found[-1] = found[-1]._replace(holds=tuple(_comparisons(lesson, number, line.removeprefix("holds:"))))
        elif line:
            _check_text(lesson, number, line)
            found.append(Sentence(line, ()))
    if len(found) != SENTENCES:
        raise InvalidLessonError(f"{lesson}.md: the summary has {len(found)} sentences. Write {SENTENCES}, one a line.")
    return tuple(found)


def _comparisons(lesson: str, number: int, text: str) -> Iterator[Comparison]:
    for part in text.split(" and "):
        found = _COMPARISON.fullmatch(part.strip())
        if found is None:
            raise _bad(lesson, number, "`holds:` compares two values, as in `after.forget_test < 0.05`")
        yield Comparison(found[1].strip(), found[2], found[3].strip())


def _check_text(lesson: str, number: int, line: str) -> None:
    """A lesson of somebody else's is shown to visitors: it brings no images, and links only to web pages."""
    if "![" in line:
        raise _bad(lesson, number, "a lesson has no images of its own: show a chart")
    if any(not link.startswith(("https://", "/")) for link in _LINK.findall(line)):
        raise _bad(lesson, number, "a link begins with https://, or with / for a page of the lab")


def _bad(lesson: str, number: int, what: str) -> InvalidLessonError:
    return InvalidLessonError(f"{lesson}.md, line {number + 1}: {what}.")
