"""The figures of an evidence sheet on attacks: membership inference, reference and shadow models, and the score."""

from collections.abc import Iterable
from math import isfinite

from unlearn_core.charts.text.attack_claims import count_references
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import (
    AttackedSide,
    LiraResult,
    MembershipResult,
    NeuripsScoreResult,
    RetainedMembershipResult,
    RmiaResult,
)
from unlearn_core.export.evidence.sheet import SheetFigure

_LEVEL = 0.95


def attack_figures(report: Report) -> list[SheetFigure]:
    """Return the figures of all attacks that the report has."""
    made = (
        _membership(report),
        _reference_models(report),
        _shadow_models(report),
        _score(report),
        _retained(report),
    )
    return [figure for own in made for figure in own]


def _membership(report: Report) -> Iterable[SheetFigure]:
    result = report.get(MembershipResult)
    for model, attacks in result.attacks.items() if result else ():
        for attack, one in attacks.items():
            yield SheetFigure(
                id=f"membership/{attack}/{model}",
                evidence="membership inference",
                what=f"AUC of the attack by {attack}",
                set="forget_train",
                model=model,
                value=one.auc,
                unit="AUC",
                low=one.low,
                high=one.high,
                level=_LEVEL,
                images=result.num_members if result else None,
            )


def _reference_models(report: Report) -> Iterable[SheetFigure]:
    result = report.get(RmiaResult)
    if result is not None:
        yield from _attack(result.attacked, "reference models", f"with {count_references(result)}", "forget_train")


def _retained(report: Report) -> Iterable[SheetFigure]:
    result = report.get(RetainedMembershipResult)
    if result is not None and "retain" in result.sides:
        yield from _attack(result.sides["retain"], "membership of retained images", "by confidence", "retain_train")


def _attack(attacked: AttackedSide, evidence: str, how: str, where: str) -> Iterable[SheetFigure]:
    """Yield AUC and members found of each model, and the differences of AUCs; `how` says which attack it is."""
    for model, one in attacked.models.items():
        values = (
            ("AUC", f"AUC {how}", one.auc, one.auc_low, one.auc_high),
            ("found", "found at 1 % false positives", one.found, one.found_low, one.found_high),
        )
        for name, what, value, low, high in values:
            yield SheetFigure(
                id=f"{evidence}/{name}/{model}",
                evidence=evidence,
                what=what,
                set=where,
                model=model,
                value=value,
                unit="AUC" if name == "AUC" else "share",
                low=low,
                high=high,
                level=_LEVEL,
                images=attacked.num_members,
            )
    for pair, gap in attacked.differences.items():
        yield SheetFigure(
            id=f"{evidence}/difference/{pair}",
            evidence=evidence,
            what=f"difference in AUC {how}",
            set=where,
            model=pair,
            value=gap.difference,
            unit="difference",
            low=gap.low,
            high=gap.high,
            level=_LEVEL,
            images=attacked.num_members,
        )


def _shadow_models(report: Report) -> Iterable[SheetFigure]:
    result = report.get(LiraResult)
    if result is None:
        return
    yield SheetFigure(
        id="shadow models/success",
        evidence="shadow models",
        what="success in telling it from a retrained model",
        model="after",
        value=result.success_rate,
        low=result.low,
        high=result.high,
        level=_LEVEL,
        source="run",
    )
    for model, share in result.identified.items():
        yield SheetFigure(
            id=f"shadow models/{model}",
            evidence="shadow models",
            what="forget images identified as trained on",
            set="forget_train",
            model=model,
            value=share,
            source="run",
        )


def _score(report: Report) -> Iterable[SheetFigure]:
    result = report.get(NeuripsScoreResult)
    for kind, one in result.scores.items() if result else ():
        model = "gold" if kind == "ceiling" else kind
        for what, value in (("challenge score", one.score), ("standard error of the score", one.score_error)):
            yield SheetFigure(
                id=f"{what}/{model}",
                evidence="challenge score",
                what=what,
                model=model,
                value=value if isfinite(value) else None,
                unit="ratio",
                source="run",
            )
