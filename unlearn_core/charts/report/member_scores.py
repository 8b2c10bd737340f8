"""Who is still recognised? How surely an attack calls each forgotten picture a member, after beside gold."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.chart import NO_GOLD, Chart, build_table, needs, panels, percent_axis
from unlearn_core.charts.drawing.theme import SMALL_FONT, Theme, with_alpha
from unlearn_core.charts.drawing.wording import percent
from unlearn_core.domain.report import MODELS, Report

MEMBER_THRESHOLD = 0.5
"""Surer than this, the attack calls a picture a member."""
OLD_REPORT = "This run was measured before single pictures were looked at. Run it again to see them."


class MemberScore(NamedTuple):
    """A forgotten picture and how surely (0 to 1) the attack calls it a member, by model."""

    image: int
    label: int
    scores: dict[str, float]


def applies(report: Report) -> Literal[True] | str:
    """Whether an attack was tried, by a release that kept what it said to every picture."""
    answer = needs("membership")(report)
    if answer is not True:
        return answer
    part = report.parts["membership"]
    return True if "after_guess" in part.arrays and "called" in part.facts else OLD_REPORT


def list_member_scores(report: Report) -> list[MemberScore]:
    """The forgotten pictures that the attack was tried on, the one that it is surest of after forgetting first."""
    arrays = report.parts["membership"].arrays
    known = {model: arrays[f"{model}_guess"] for model in MODELS if f"{model}_guess" in arrays}
    members = arrays["members"].astype(int)
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
    """One row a forgotten picture: its class, and how surely the attack calls it a member, model by model."""
    return build_table(
        reports,
        lambda report: [
            {"picture": one.image, "label": report.dataset.classes[one.label]} | one.scores
            for one in list_member_scores(report)
        ],
    )


def reference_model(report: Report) -> str:
    """The model that after is drawn against: gold, or before where there is no gold."""
    return "gold" if "gold_guess" in report.parts["membership"].arrays else "before"


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """A dot a picture: upwards how surely it is called a member after, to the right how surely of gold."""
    drawn = panels(reports, theme)
    for column, report in enumerate(reports, 1):
        here: dict[str, Any] = {"row": 1, "col": column}
        found, other = list_member_scores(report), reference_model(report)
        only = [one for one in found if is_member_only_after(one, other)]
        rest = [one for one in found if not is_member_only_after(one, other)]
        box = {"x0": 0, "x1": MEMBER_THRESHOLD, "y0": MEMBER_THRESHOLD, "y1": 1, "line": {"width": 0}, "layer": "below"}
        drawn.add_shape(type="rect", fillcolor=with_alpha(theme.forget, 0.07), **box, **here)
        for name, some, colour, opacity in (
            ("others", rest, theme.before, 0.55),
            (f"called members after and not by {other}", only, theme.after, 0.8),
        ):
            drawn.add_trace(_markers(report, name, some, colour, opacity, other), **here)
        for label in _count_labels(found, other, theme):
            drawn.add_annotation(**label, **here)
        drawn.update_xaxes(
            title_text=f"called a member by {'gold' if other == 'gold' else 'its answers before'}", **here
        )
    ticks = percent_axis(-0.03, 1.03, max_ticks=3)
    drawn.update_xaxes(showgrid=True, **ticks)
    drawn.update_yaxes(**ticks)
    drawn.update_yaxes(title_text="called a member after", col=1)
    return drawn


def is_member_only_after(item: MemberScore, reference: str) -> bool:
    """Whether the attack calls it a member after, and not by the other model."""
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
        hovertemplate=f"picture %{{customdata[0]}}, %{{customdata[1]}}<br>after %{{y:.0%}}, {reference} %{{x:.0%}}"
        "<extra></extra>",
        cliponaxis=False,
    )


class MembershipCounts(NamedTuple):
    """How many pictures are called members after alone, by both, by the other alone, by neither."""

    only_after: int
    both: int
    only_reference: int
    neither: int


def count_members(items: Sequence[MemberScore], reference: str) -> MembershipCounts:
    """The four corners of the figure."""
    corners = [(one.scores["after"] > MEMBER_THRESHOLD, one.scores[reference] > MEMBER_THRESHOLD) for one in items]
    return MembershipCounts(
        *(corners.count(corner) for corner in ((True, False), (True, True), (False, True), (False, False)))
    )


def _count_labels(items: Sequence[MemberScore], reference: str, theme: Theme) -> list[dict[str, Any]]:
    number = count_members(items, reference)
    corners = [
        (0.0, 1.0, f"<b>{number.only_after}</b> only after"),
        (1.0, 1.0, f"{number.both} both"),
        (1.0, 0.0, f"{number.only_reference} only {reference}"),
        (0.0, 0.0, f"{number.neither} neither"),
    ]
    return [
        {"text": text, "x": x, "y": y, "xref": "x domain", "yref": "y domain"}
        | {"xanchor": "left" if x == 0 else "right", "yanchor": "top" if y == 1 else "bottom"}
        | {"font": {"size": SMALL_FONT, "color": theme.ink}, "bgcolor": with_alpha(theme.page, 0.7)}
        for x, y, text in corners
    ]


def summary(report: Report) -> str:
    """How many are called members after and not by gold, and how often the attack errs anyway."""
    found, facts, other = list_member_scores(report), report.parts["membership"].facts, reference_model(report)
    number = count_members(found, other)
    errs = percent(facts["called"]["after"]["strangers"] / len(found), 0)
    chance = f"Of as many unseen pictures it calls {errs} members too, which is how often it errs."
    after = number.only_after + number.both
    if other == "before":
        said = f"{after:,} of {len(found):,} are called members after, {number.both + number.only_reference:,} were before."
        return f"{said} {chance} {NO_GOLD}"
    said = (
        f"{number.only_after:,} of {len(found):,} are called members after and not by gold, {number.only_reference:,} by gold and not "
        f"after; {after:,} after and {number.both + number.only_reference:,} by gold in all."
    )
    return f"{said} {chance}"


def alt_text(report: Report) -> str:
    """The four corners, and the three pictures that it is surest of."""
    found, other = list_member_scores(report), reference_model(report)
    number = count_members(found, other)
    top = "; ".join(
        f"picture {one.image} ({report.dataset.classes[one.label]}) {percent(one.scores['after'], 0)}, {other} "
        f"{percent(one.scores[other], 0)}"
        for one in found[:3]
    )
    return (
        f"Scatter of how surely {len(found):,} forgotten pictures are called members, after against {other}: "
        f"{number.only_after} only after, {number.both} both, {number.only_reference} only {other}, {number.neither} neither. "
        f"Surest: {top}."
    )


CHART = Chart(
    id="recognised",
    title="Images still identified as members",
    question="Which images can an attacker still identify?",
    caveat="The logistic attack looks at five figures of a net's answer and is fitted anew on each net, every picture "
    "judged by a fit that did not see it. An attack that knows nothing would call half of all pictures members, "
    "and gold, which never saw any, gets its share too: only the difference to gold speaks. That a picture is in the "
    "shaded corner is a hint about it, no proof; with another draw of unseen pictures some would change sides.",
    applies=applies,
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
)
