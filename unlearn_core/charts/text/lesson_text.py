"""The text of a lesson with the numbers of its runs, and whether what it says holds for them."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from math import inf, nan
from typing import NamedTuple

import numpy as np

from unlearn_core.charts import charts
from unlearn_core.charts.drawing.wording import eval_forget_set, number, percent, seconds
from unlearn_core.charts.text.claim import CHANCE
from unlearn_core.charts.text.claims import forget_claims, relearn_steps
from unlearn_core.charts.text.opening import answer
from unlearn_core.charts.text.verdict import verdicts
from unlearn_core.domain.errors import InvalidLessonError
from unlearn_core.domain.lessons import Comparison, Lesson
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.outputs import DistanceResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import MembershipResult, RelearnResult
from unlearn_core.domain.verdicts.report_verdicts import forget_verdicts, retain_verdict
from unlearn_core.domain.verdicts.rule import deciding_set

_PLACEHOLDER = re.compile(r"\{([a-z0-9_. ]+)\}")
_RELATIONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
}


class Value(NamedTuple):
    """A placeholder's text, and its number where it has one: shares are 0 to 1."""

    text: str
    number: float = nan


def lesson_values(reports: Sequence[Report]) -> dict[str, Value]:
    """Return all placeholders: of the first run by their names, of run 2 as in "2.after.forget_test"."""
    found = report_values(reports[0])
    for place, report in enumerate(reports, 1):
        found |= {f"{place}.{name}": value for name, value in report_values(report).items()}
    return found


def report_values(report: Report) -> dict[str, Value]:
    """Return the placeholders of one run, by name."""
    found = {
        "forget": Value(report.forget_set_title),
        "method": Value(report.method),
        "classifier": Value(report.classifier.title),
        "seed": Value(str(report.spec.seed), report.spec.seed),
        "verdict": Value(answer(verdicts(report))),
    }
    found |= {f"param.{name}": Value(_plain(value), _as_number(value)) for name, value in report.params.items()}
    return found | _accuracies(report) | _predicted(report) | _attacks(report) | _costs(report)


def _accuracies(report: Report) -> dict[str, Value]:
    found: dict[str, Value] = {}
    result = report.get(AccuracyResult)
    for model, sets in result.scores.items() if result else ():
        for name, score in sets.items():
            if score.total:
                found[f"{model}.{name}"] = Value(percent(score.accuracy), score.accuracy)
                found[f"{model}.{name}.count"] = Value(f"{score.correct:,} of {score.total:,}", score.correct)
                found[f"size.{name}"] = Value(f"{score.total:,}", score.total)
    judged = forget_verdicts(report)
    if judged:
        mean = judged[deciding_set(judged)].retrained.reference
        found["retrained.forget"] = Value(percent(mean), mean)
    return found


def _predicted(report: Report) -> dict[str, Value]:
    """What each model predicts most often for forget images, and for how many of them."""
    found: dict[str, Value] = {}
    rows = getattr(report.split, eval_forget_set(report))
    for model, evaluation in report.evaluations.items():
        if len(rows) and evaluation.covers(rows):
            counts = np.bincount(evaluation.logits[rows].argmax(1), minlength=len(report.dataset.classes))
            share = float(counts.max() / len(rows))
            found[f"predicted.{model}"] = Value(report.dataset.classes[int(counts.argmax())])
            found[f"predicted.{model}.share"] = Value(percent(share, 0), share)
    return found


def _attacks(report: Report) -> dict[str, Value]:
    found: dict[str, Value] = {}
    relearned, members = report.get(RelearnResult), report.get(MembershipResult)
    for model, times in relearned.models.items() if relearned else ():
        found[f"relearn.{model}"] = Value(relearn_steps(times), inf if times.time is None else times.time)
    if members:
        attacks = members.attacks["after"]
        name = max(attacks, key=lambda one: abs(attacks[one].auc - CHANCE))
        found["membership.attack"] = Value(name)
        for model, own in members.attacks.items():
            if name in own:
                found[f"membership.{model}"] = Value(percent(own[name].auc, 0), own[name].auc)
    return found


def _costs(report: Report) -> dict[str, Value]:
    found: dict[str, Value] = {}
    distance, timings = report.get(DistanceResult), report.get(TimingsResult)
    overall = distance.overall.get("test") if distance else None
    if overall:
        pairs = {"before": overall.before, "after": overall.after, "golds": overall.between_golds}
        found |= {f"distance.{name}": Value(f"{number(own, 2)} bits", own) for name, own in pairs.items()}
    if timings:
        found |= {"steps": Value(f"{timings.steps:,}", timings.steps)}
        found |= {"seconds": Value(seconds(timings.seconds.forget), timings.seconds.forget)}
    return found


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _as_number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else nan


def fill(text: str, values: Mapping[str, Value]) -> str:
    """Return the text with the numbers of its runs. Raises InvalidLessonError for a placeholder that they lack."""
    return _PLACEHOLDER.sub(lambda found: _value(found[1], values).text, text)


def _value(name: str, values: Mapping[str, Value]) -> Value:
    if name not in values:
        known = ", ".join(sorted(one for one in values if not one[0].isdigit()))
        raise InvalidLessonError(f"The runs of this lesson have no value {{{name}}}. They have: {known}.")
    return values[name]


def holds(comparison: Comparison, values: Mapping[str, Value]) -> bool:
    """Return whether a comparison holds. Raises InvalidLessonError for an unknown value."""
    left, right = (_operand(side, values) for side in (comparison.left, comparison.right))
    return _RELATIONS[comparison.relation](left, right)


def _operand(text: str, values: Mapping[str, Value]) -> float:
    try:
        return float(text)
    except ValueError:
        return _value(text, values).number


def findings(report: Report) -> dict[str, str]:
    """Return what each kind of evidence says of a run, as claims of titles name it: "forget", "relearning" ..."""
    judged, retained = forget_verdicts(report), retain_verdict(report)
    found: dict[str, str] = {claim.evidence: claim.direction for claim in forget_claims(report)}
    if judged:
        found["forget"] = judged[deciding_set(judged)].finding
    return found | ({"retain": retained.finding} if retained else {})


def problems(lesson: Lesson, reports: Sequence[Report]) -> list[str]:
    """Return what in a lesson does not hold for its runs, as sentences; none if all of it does."""
    values, found = lesson_values(reports), list[str]()
    texts = [lesson.title, lesson.question, *(one.text for one in lesson.summary)]
    for step in lesson.steps:
        asked = [] if step.expectation is None else [step.expectation.question, *step.expectation.choices]
        texts += [step.title, step.text, step.reveal, *asked]
        found += [reason for chart in step.charts if (reason := _no_chart(chart.chart, chart.runs, reports))]
    for text in texts:
        try:
            fill(text, values)
        except InvalidLessonError as problem:
            found.append(str(problem))
    for claim in lesson.claims:
        said = findings(reports[claim.run - 1]).get(claim.evidence, "nothing")
        if said != claim.finding:
            found.append(f"The title claims {claim.evidence} = {claim.finding}; run {claim.run} says {said}.")
    for sentence in lesson.summary:
        for one in sentence.holds:
            try:
                if not holds(one, values):
                    found.append(f"It does not hold that {one.left} {one.relation} {one.right}.")
            except InvalidLessonError as problem:
                found.append(str(problem))
    return found


def _no_chart(chart: str, runs: Sequence[int], reports: Sequence[Report]) -> str:
    """Return why a chart cannot be drawn, as a sentence; "" if it can."""
    known = charts()
    if chart not in known:
        return f"There is no chart {chart!r}. There are: {', '.join(known)}."
    reasons = (known[chart].applies(reports[place - 1]) for place in runs)
    return next((f"The chart {chart!r} cannot be drawn: {reason}" for reason in reasons if reason is not True), "")
