"""Attack curves on retained and on forget images: members found at each false positive rate, on logarithmic axes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.attack_curves import (
    HEIGHT,
    AttackedImages,
    attack_rows,
    describe_models,
    difference_in_words,
    draw_attacks,
    found_sentence,
)
from unlearn_core.charts.chart import NO_GOLD, Chart, Row, build_table, needs
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import capitalize
from unlearn_core.charts.text.attack_claims import attack_direction, exposure_direction
from unlearn_core.charts.text.claim import Direction
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import AttackedSide, RetainedMembershipResult

EARLIER_RELEASE = "This run was measured by an earlier release, without this attack. New runs have it."
SIDES = {"retain": "retained", "forget": "forget"}
"""What the images of each side are called."""


def applies(report: Report, side: str) -> Literal[True] | str:
    """Return True if these images were attacked, else the reason."""
    available = needs(RetainedMembershipResult, otherwise=EARLIER_RELEASE)(report)
    if available is not True or side in report[RetainedMembershipResult].sides:
        return available
    return "There are too few of these images with a test or validation image of the same class: at least 5 are needed."


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per side and model: images, AUC, and members found at a false positive rate of 1 %."""

    def rows(report: Report) -> list[Row]:
        sides = report[RetainedMembershipResult].sides
        return [{"images": SIDES[side], **row} for side, attacked in sides.items() for row in attack_rows(attacked)]

    return build_table(reports, rows)


def _attack(report: Report, side: str) -> AttackedImages | None:
    result = report[RetainedMembershipResult]
    if side not in result.sides:
        return None
    attacked = result.sides[side]
    curves = {model: result.curves[f"{side}_{model}"] for model in attacked.models}
    return AttackedImages(attacked, result.steps[side], curves)


def figure(reports: Sequence[Report], theme: Theme, side: str) -> go.Figure:
    """Draw one curve per model, the line of chance, and a line at a false positive rate of 1 %."""
    return draw_attacks(reports, theme, partial(_attack, side=side))


def summary(report: Report, side: str) -> str:
    """Give what the attack finds at 1 % false positives, and how its AUC differs between models, with intervals."""
    attacked, images = report[RetainedMembershipResult].sides[side], f"{SIDES[side]} {report.dataset.item_noun}s"
    said = found_sentence(attacked, images)
    said += f". Its AUC changed by {difference_in_words(attacked.differences['after-before'])}"
    if "gold" not in attacked.models:
        return f"{said}. {NO_GOLD}"
    gap = difference_in_words(attacked.differences["after-gold"])
    said += f", and differs from that of the retrained model by {gap}"
    return f"{said}: {_finding(attacked, side, images)}."


def _finding(attacked: AttackedSide, side: str, images: str) -> str:
    """Say what is shown: of forget images, only what is also beyond chance."""
    compared = exposure_direction(attacked)
    if side == "forget" and attack_direction(attacked) == "unclear" and compared != "unclear":
        return _NOT_BEYOND_CHANCE[compared]
    return _FINDINGS[compared].format(images)


_FINDINGS: Mapping[Direction, str] = {
    "left": "{} are more exposed than after retraining",
    "beyond": "{} are less exposed than after retraining",
    "unclear": "no difference from the retrained model is shown",
}
_NOT_BEYOND_CHANCE: Mapping[Direction, str] = {
    "left": "more than after retraining, but it is not shown to do better than guessing",
    "beyond": "less than after retraining, but it is not shown to do worse than guessing",
}


def alt_text(report: Report, side: str) -> str:
    """List AUC and members found of each model."""
    attack = _attack(report, side)
    assert attack is not None, "the chart applies"
    curves = f"Curves of members found by the false positive rate, on {SIDES[side]} images, log axes."
    return f"{curves} {describe_models(attack)}"


def _chart(side: str) -> Chart:
    return Chart(
        id="retained_membership" if side == "retain" else "retained_membership-forget",
        title="Attack curves at few false positives",
        question="How many retained and forget images does an attack find that must rarely be wrong?",
        caveat="Members are training images, non-members are validation and test images of the same classes, equally "
        "many. The attack ranks them by the scaled confidence of the true class. On the dotted diagonal it guesses; "
        "the vertical line is a false positive rate of 1 %. Both axes are logarithmic, and shares of 0 are not drawn. "
        "Retained images are members of all three models, so only the difference between models counts. The left end "
        "of a curve rests on single images: see the intervals. Below the diagonal an image is revealed too, as less "
        "familiar than unseen ones. It is one simple attack on one model: attacks with shadow models find more.",
        applies=partial(applies, side=side),
        table=table,
        figure=partial(figure, side=side),
        summary=partial(summary, side=side),
        alt_text=partial(alt_text, side=side),
        section="Privacy",
        order=15,
        height=HEIGHT,
    )


_BY_SIDE = {side: _chart(side) for side in SIDES}
CHART = replace(
    _BY_SIDE["retain"], variants={f"{capitalize(SIDES[side])} images": chart for side, chart in _BY_SIDE.items()}
)
