"""Membership probability of each forget image, after against gold: the images that an attack still identifies."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, PlotlyDict, Theme, with_alpha
from unlearn_core.charts.drawing.wording import MODEL_LABELS, percent
from unlearn_core.domain.report import MODELS, Report
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.verdicts.paired_comparison import compare
from unlearn_core.domain.verdicts.rule import relations

MEMBER_THRESHOLD = 0.5
"""An attack identifies an image as a member if its score is higher than this."""
OLD_REPORT = "This run was measured by a release without scores per image. Run it again to see them."


class MemberScore(NamedTuple):
    """A forget image with its class and its membership probability (0 to 1) by model."""

    image: int
    label: int
    scores: dict[str, float]


def applies(report: Report) -> Literal[True] | str:
    """Return True if an attack was run by a release that stored its scores per image, else the reason."""
    available = needs(MembershipResult)(report)
    if available is not True:
        return available
    result = report[MembershipResult]
    return True if result.probabilities and result.predicted_members else OLD_REPORT


def list_member_scores(report: Report) -> list[MemberScore]:
    """Return the forget images that were attacked, in descending order of their score after unlearning."""
    result = report[MembershipResult]
    known = {model: result.probabilities[model] for model in MODELS if model in result.probabilities}
    members = result.member_rows.astype(int)
    order = np.argsort(-known["after"], kind="stable")
    return [
        MemberScore(
            int(members[at]),
            int(report.labels[members[at]]),
            {model: float(guesses[at]) for model, guesses in known.items()},
        )
        for at in order
    ]


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per forget image: its class, and its membership probability by model."""
    return build_table(
        reports,
        lambda report: [
            {"image": item.image, "class": report.dataset.classes[item.label]}
            | {MODEL_LABELS[model]: score for model, score in item.scores.items()}
            for item in list_member_scores(report)
        ],
    )


def reference_model(report: Report) -> str:
    """Return the model that after is drawn against: gold, or before where there is no gold."""
    return "gold" if "gold" in report[MembershipResult].probabilities else "before"


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one dot per image: its score after on the vertical axis, its score in gold on the horizontal axis."""
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        here: PlotlyDict = {"row": 1, "col": column}
        found, other = list_member_scores(report), reference_model(report)
        only = [one for one in found if is_member_only_after(one, other)]
        rest = [one for one in found if not is_member_only_after(one, other)]
        box = {"x0": 0, "x1": MEMBER_THRESHOLD, "y0": MEMBER_THRESHOLD, "y1": 1, "line": {"width": 0}, "layer": "below"}
        drawn.add_shape(type="rect", fillcolor=with_alpha(theme.forget, 0.07), **box, **here)
        diagonal = {"x0": 0, "x1": 1, "y0": 0, "y1": 1, "line": {"color": theme.quiet, "width": 1, "dash": "dot"}}
        drawn.add_shape(type="line", layer="below", **diagonal, **here)
        for name, some, colour, opacity in (
            ("others", rest, theme.before, 0.55),
            (f"members after, not in {MODEL_LABELS[other]}", only, theme.after, 0.8),
        ):
            drawn.add_trace(_markers(report, name, some, colour, opacity, other), **here)
        for label in _count_labels(found, other, theme):
            drawn.add_annotation(**label, **here)
        drawn.update_xaxes(title_text=f"membership probability, {MODEL_LABELS[other]}", **here)
    ticks = percent_axis(-0.03, 1.03, max_ticks=3)
    drawn.update_xaxes(showgrid=True, **ticks)
    drawn.update_yaxes(**ticks)
    drawn.update_yaxes(title_text="membership probability, after", col=1)
    return drawn


def is_member_only_after(item: MemberScore, reference: str) -> bool:
    """Return whether the attack identifies it as a member after unlearning, but not in the reference model."""
    return item.scores["after"] > MEMBER_THRESHOLD >= item.scores[reference]


def _markers(
    report: Report, name: str, items: Sequence[MemberScore], color: str, opacity: float, reference: str
) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=[one.scores[reference] for one in items],
        y=[one.scores["after"] for one in items],
        mode="markers",
        marker={"size": 7, "color": color, "opacity": opacity, "line": {"width": 0}},
        customdata=[[one.image, report.dataset.classes[one.label]] for one in items],
        hovertemplate=f"image %{{customdata[0]}}, %{{customdata[1]}}<br>after %{{y:.0%}}, "
        f"{MODEL_LABELS[reference]} %{{x:.0%}}<extra></extra>",
        cliponaxis=False,
    )


class MembershipCounts(NamedTuple):
    """The number of images identified as members only after, in both, only in the reference model, in neither."""

    only_after: int
    both: int
    only_reference: int
    neither: int


def count_members(items: Sequence[MemberScore], reference: str) -> MembershipCounts:
    """Count the images in the four corners of the figure."""
    corners = [(one.scores["after"] > MEMBER_THRESHOLD, one.scores[reference] > MEMBER_THRESHOLD) for one in items]
    return MembershipCounts(
        *(corners.count(corner) for corner in ((True, False), (True, True), (False, True), (False, False)))
    )


def _count_labels(items: Sequence[MemberScore], reference: str, theme: Theme) -> list[PlotlyDict]:
    number = count_members(items, reference)
    corners = [
        (0.0, 1.0, f"<b>{number.only_after}</b> only after"),
        (1.0, 1.0, f"{number.both} in both"),
        (1.0, 0.0, f"<b>{number.only_reference}</b> only {MODEL_LABELS[reference]}"),
        (0.0, 0.0, f"{number.neither} in neither"),
    ]
    return [
        {"text": text, "x": x, "y": y, "xref": "x domain", "yref": "y domain"}
        | {"xanchor": "left" if x == 0 else "right", "yanchor": "top" if y == 1 else "bottom"}
        | {"font": {"size": SMALL_FONT, "color": theme.ink}, "bgcolor": with_alpha(theme.page, 0.7)}
        for x, y, text in corners
    ]


def summary(report: Report) -> str:
    """Count the images identified after but not in gold, and the false positives of the attack."""
    found, other = list_member_scores(report), reference_model(report)
    number = count_members(found, other)
    errs = percent(report[MembershipResult].predicted_members["after"].non_members / len(found), 0)
    chance = f"It also identifies {errs} of an equal number of test images as members: its false positive rate."
    after = number.only_after + number.both
    if other == "before":
        said = f"The attack identifies {after:,} of {len(found):,} forget images as members, before unlearning, "
        return f"{said}{number.both + number.only_reference:,}. {chance} {NO_GOLD}"
    said = (
        f"The attack identifies {number.only_after:,} of {len(found):,} forget images as members only after "
        f"unlearning, {number.only_reference:,} only in the retrained model: {_difference(found, other)}. In total "
        f"{after:,} and {number.both + number.only_reference:,}."
    )
    return f"{said} {chance}"


def _difference(items: Sequence[MemberScore], reference: str) -> str:
    """Say whether more images are identified than in the reference model, by the paired test of the verdicts."""
    named = {model: [one.scores[model] > MEMBER_THRESHOLD for one in items] for model in ("after", reference)}
    (relation,) = relations([compare(np.array(named["after"]), np.array(named[reference]))])
    if relation == "higher":
        return "more than chance explains"
    return "fewer than chance explains" if relation in ("lower", "lost") else "chance explains the difference"


def alt_text(report: Report) -> str:
    """Describe the four corners, and the three images with the highest scores."""
    found, other = list_member_scores(report), reference_model(report)
    number = count_members(found, other)
    top = "; ".join(
        f"image {one.image} ({report.dataset.classes[one.label]}) {percent(one.scores['after'], 0)}, "
        f"{MODEL_LABELS[other]} {percent(one.scores[other], 0)}"
        for one in found[:3]
    )
    return (
        f"Scatter plot of the membership probabilities of {len(found):,} forget images, after against "
        f"{MODEL_LABELS[other]}. "
        f"Members: {number.only_after} only after, {number.both} both, {number.only_reference} only "
        f"{MODEL_LABELS[other]}, {number.neither} neither. Highest: {top}."
    )


CHART = Chart(
    id="recognised",
    title="Images identified as members, one by one",
    question="Does an attack identify more of them than in the retrained model?",
    caveat="The logistic attack uses five features of a model's output. It is fitted separately for each model, and "
    "every image is scored by a fit that did not include it. An attack without information would identify half of all "
    "images as members, and it identifies some in the retrained model too, which was trained on none: only the "
    "difference to that counts. An image in the shaded corner is a hint, not proof, and most are there by chance where "
    "the opposite corner holds as many. On the dotted line the score is the same in both models.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Privacy",
    order=30,
)
