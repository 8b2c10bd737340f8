"""The figures of an evidence sheet on all but accuracy and attacks: relearning, features, similarity and copies."""

from collections.abc import Iterable
from math import isfinite

import numpy as np

from unlearn_core.charts.drawing.wording import eval_forget_set
from unlearn_core.charts.text.claims import NINE_IN_TEN, forget_claims, relearn_steps
from unlearn_core.charts.text.gold_card import gold_card
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.copies import CopiesResult
from unlearn_core.domain.results.features import RepresentationResult
from unlearn_core.domain.results.layer_comparison import CkaResult
from unlearn_core.domain.results.outputs import ClosenessResult, DistanceResult, LogitsResult
from unlearn_core.domain.results.privacy import RelearnResult
from unlearn_core.domain.verdicts.report_verdicts import gold_agreement
from unlearn_core.export.evidence.accuracy_figures import paired_figure
from unlearn_core.export.evidence.attack_figures import attack_figures
from unlearn_core.export.evidence.sheet import SheetFigure

_LEVEL = 0.95
_AGREEING = {"before-gold": "before", "after-gold": "after", "gold-twin": "twin"}
"""The model that is compared with the retrained one, by pair."""


def other_figures(report: Report) -> list[SheetFigure]:
    """Return the figures of all other evidence that the report has."""
    made = (
        _relearning(report),
        attack_figures(report),
        _entropy(report),
        _linear_probe(report),
        _representation(report),
        _similarity(report),
        _copies(report),
    )
    return [figure for own in made for figure in own]


def _relearning(report: Report) -> Iterable[SheetFigure]:
    result = report.get(RelearnResult)
    if result is None:
        return
    for model, times in result.models.items():
        draws = [time for time in times.by_draw if time is not None]
        yield SheetFigure(
            id=f"relearning/{model}",
            evidence="relearning",
            what="relearn time in steps (range over draws)",
            model=model,
            value=times.time,
            unit="steps",
            low=min(draws, default=None),
            high=max(draws, default=None) if len(draws) == len(times.by_draw) else None,
            finding=relearn_steps(times),
            source="run",
        )
    yield SheetFigure(
        id="relearning/index",
        evidence="relearning",
        what="anamnesis index",
        model="after",
        value=result.index,
        unit="ratio",
        source="run",
    )


def _entropy(report: Report) -> Iterable[SheetFigure]:
    if all(claim.evidence != "entropy" for claim in forget_claims(report)):
        return
    name, entropy = eval_forget_set(report), report[LogitsResult].entropy
    rows = getattr(report.split, name)
    for model, share in (("after", 0.5), *(("gold", share) for share in NINE_IN_TEN)):
        yield SheetFigure(
            id=f"entropy/{model}/{share}",
            evidence="entropy",
            what=f"entropy below which {share:.0%} of the images are",
            set=name,
            model=model,
            value=float(np.quantile(entropy[model][rows], share)),
            unit="nats",
            images=len(rows),
        )


def _linear_probe(report: Report) -> Iterable[SheetFigure]:
    result = report.get(RepresentationResult)
    for model, score in result.forget["probe"].items() if result else ():
        yield SheetFigure(
            id=f"linear probe/{model}",
            evidence="linear probe",
            what="forget images that a linear probe on the features classifies correctly",
            model=model,
            value=score.accuracy,
            low=score.low,
            high=score.high,
            level=_LEVEL,
            images=score.total,
            source="run",
        )


def _representation(report: Report) -> Iterable[SheetFigure]:
    result = report.get(CkaResult)
    gap = None if result is None else result.gap
    if gap is None:
        return
    values = {"after": gap.after_gold, "twin": gap.gold_twin}
    for model, value in values.items():
        yield SheetFigure(
            id=f"representation/{model}",
            evidence="representation",
            what=f"similarity to the retrained model's features in {gap.layer}",
            model=model,
            value=value,
            unit="ratio",
            source="run",
        )
    yield SheetFigure(
        id="representation/error",
        evidence="representation",
        what="standard error of the difference",
        model="after",
        value=gap.error,
        unit="ratio",
        source="run",
    )


def _similarity(report: Report) -> Iterable[SheetFigure]:
    closeness, distance = report.get(ClosenessResult), report.get(DistanceResult)
    for name, one in closeness.sets.items() if closeness else ():
        for pair, agreement in one.agreement.items():
            if agreement is not None:
                model = _AGREEING.get(pair, pair)
                yield SheetFigure(
                    id=f"agreement/{name}/{model}",
                    evidence="similarity",
                    what="same prediction as retrained",
                    set=name,
                    model=model,
                    value=agreement.share,
                    low=agreement.low,
                    high=agreement.high,
                    level=_LEVEL,
                    images=one.images,
                )
    found = gold_agreement(report)
    if found is not None:
        what = f"agreement with the retrained model minus that of {found.num_others} others or of the original"
        figure = paired_figure(found.comparison, "", "after-gold", what=what, finding=gold_card(report).title)
        yield figure.model_copy(update={"id": "agreement/difference", "evidence": "similarity"})
    overall = distance.overall.get("test") if distance else None
    for model, value in overall.by_model.items() if overall else ():
        if isfinite(value):
            yield SheetFigure(
                id=f"distance/{model}",
                evidence="similarity",
                what="distance to the retrained model in bits",
                model=model,
                value=value,
                unit="bits",
            )


def _copies(report: Report) -> Iterable[SheetFigure]:
    result = report.get(CopiesResult)
    for name, count in result.counts.items() if result else ():
        yield SheetFigure(
            id=f"copies/{name}",
            evidence="copies",
            what="images that are copies of forget images",
            set=name,
            model="",
            value=count,
            unit="images",
            source="run",
        )
