"""Accuracy on the forget and the retain set, before and after and of gold, as dumbbells with 95 % intervals."""

from collections.abc import Mapping, Sequence
from math import isnan

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, accuracy_columns, build_table, models, needs, panels, percent_axis
from unlearn_core.charts.drawing.dumbbell import (
    DotLabel,
    dot_labels,
    row_axis,
    row_heights,
    score_dumbbells,
    set_row_labels,
)
from unlearn_core.charts.drawing.theme import Theme, text_color
from unlearn_core.charts.drawing.wording import (
    MODEL_LABELS,
    SET_LABELS,
    capitalize,
    describe_change,
    eval_forget_set,
    expected_prediction,
    forget_set_label,
    has_balanced_accuracy,
    percent,
    retain_test_label,
)
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.balance import BALANCED_CAVEAT
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.split import set_label
from unlearn_core.domain.verdicts.report_verdicts import forget_verdicts
from unlearn_core.domain.verdicts.rule import ForgetFinding

_ABOVE = 0.27
"""How far gold is drawn above its row, in rows; labels are as far below."""


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model and set: correct predictions, images, accuracy and its 95 % interval."""
    return build_table(
        reports,
        lambda report: [
            {"model": MODEL_LABELS[model], "set": set_label(name)}
            | accuracy_columns(score)
            | ({"balanced": score.balanced} if has_balanced_accuracy(report) else {})
            for model in models(report)
            for name, score in report[AccuracyResult].scores[model].items()
        ],
    )


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw dumbbells, one row per set."""
    sets = [name for name in SET_LABELS if any(len(getattr(report.split, name)) for report in reports)]
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        known = {name: at for name, at in row_heights(sets).items() if name in _known_sets(report)}
        drawn.add_traces(_traces(report, known, theme), rows=1, cols=column)
    drawn.update_yaxes(**row_axis(set_row_labels(sets), theme, size=13, room=(0.5, 0.7)))
    drawn.update_xaxes(showgrid=True, **percent_axis(-0.03, 1.03, max_ticks=3 if len(reports) > 1 else 5))
    drawn.update_xaxes(title_text="accuracy", row=1)
    return drawn


def _known_sets(report: Report) -> list[str]:
    """The sets with images that were evaluated, from top to bottom."""
    scores = report[AccuracyResult].scores["after"]
    return [name for name in SET_LABELS if len(getattr(report.split, name)) and name in scores]


def _traces(report: Report, heights: dict[str, int], theme: Theme) -> list[go.Scatter]:
    scores = report[AccuracyResult].scores
    dumbbells = score_dumbbells(
        {model: {set_label(name): scores[model][name] for name in heights} for model in models(report)},
        heights.values(),
        theme,
        gold_lift=_ABOVE,
        sizes={"before": 10, "after": 9, "gold": 10},
        opacity=0.75,
    )
    return [*dumbbells, dot_labels(_labels(report, heights, theme))]


def _labels(report: Report, heights: dict[str, int], theme: Theme) -> list[DotLabel]:
    """Label each dot of after, those of before where there is room, and name the models in the first row."""
    scores, labels = report[AccuracyResult].scores, []
    for place, (name, at) in enumerate(heights.items()):
        first = place == 0
        before, after = scores["before"][name].accuracy, scores["after"][name].accuracy
        apart = abs(before - after) > (0.4 if first else 0.25)
        said = f"after {percent(after)}" if first else percent(after)
        if first and not apart:
            said = f"before {percent(before)}, {said}"
        labels.append(DotLabel(after, at - _ABOVE, said, text_color(theme, "after")))
        if apart:
            said = f"before {percent(before)}" if first else percent(before)
            labels.append(DotLabel(before, at - _ABOVE, said, theme.quiet))
        if first and "gold" in scores:
            gold = scores["gold"][name].accuracy
            said = f"{MODEL_LABELS['gold']} {percent(gold)}"
            labels.append(DotLabel(gold, at + 1.9 * _ABOVE, said, theme.quiet))
    return labels


def summary(report: Report) -> str:
    """Describe how both accuracies changed, compared with gold."""
    result, name = report[AccuracyResult], eval_forget_set(report)
    forget = {model: result.scores[model][name].accuracy for model in models(report)}
    retain = {model: result.scores[model]["retain_test"].accuracy for model in models(report)}
    gold = ""
    if "gold" in forget:
        found = forget_verdicts(report).get(name)
        gold = f" (retrained model: {percent(forget['gold'])}{_FINDINGS[found.finding] if found else ''})"
    if len(report.split.retain_test):
        change = describe_change(retain["before"], retain["after"])
        rest = f"On {retain_test_label(report)}, the unlearned model {change}"
        rest += f"; the retrained model {describe_change(retain['before'], retain['gold'])}" if gold else ""
    else:
        rest = f"There are no {retain_test_label(report)}, so what was retained was not measured"
    rest += "." if gold else f". {NO_GOLD}"
    return (
        f"Of the {forget_set_label(report)}, {percent(forget['before'])} were {expected_prediction(report)} before and "
        f"{percent(forget['after'])} after{gold}. {rest} Bars are 95{chr(160)}% intervals.{_balanced(report)}"
    )


def _balanced(report: Report) -> str:
    """Give the balanced accuracies on retained test images, and what they are, where classes are very unequal."""
    scores = {model: sets["retain_test"].balanced for model, sets in report[AccuracyResult].scores.items()}
    if isnan(scores["after"]):
        return ""
    values = ", ".join(f"{MODEL_LABELS[model]} {percent(scores[model])}" for model in models(report))
    return f" Balanced accuracy on {retain_test_label(report)}: {values}. {BALANCED_CAVEAT}"


_FINDINGS: Mapping[ForgetFinding, str] = {
    "as retrained": ", as intended",
    "more than retrained": ", which is higher",
    "partly": ", which is lower",
    "not": ", which is lower",
    "cannot tell": "; whether they are equal is not shown",
}


def alt_text(report: Report) -> str:
    """Describe the accuracies of every set in words."""
    result = report[AccuracyResult]
    rows = [_set_text(result, name, models(report)) for name in _known_sets(report)]
    return f"Dot chart of accuracy after forgetting {report.forget_set_title}. {' '.join(rows)}"


def _set_text(result: AccuracyResult, name: str, shown: list[str]) -> str:
    values = ", ".join(f"{MODEL_LABELS[model]} {percent(result.scores[model][name].accuracy)}" for model in shown)
    return f"{capitalize(set_label(name))}: {values}."


CHART = Chart(
    id="accuracy",
    title="Accuracy on forget set and retain set",
    question="Did the model forget the forget set and retain the rest?",
    caveat="A forgotten class that is never predicted proves little by itself: blocking one output has the same "
    "effect. Where single images were forgotten the aim is not zero but the accuracy of the retrained model, which "
    "classifies most of them correctly without being trained on them. The intervals show how much chance there is in "
    "so few images, not how much another seed would change.",
    applies=needs(AccuracyResult),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Overview",
    order=30,
)
