"""Parts about likeness to gold, made up from random numbers in the shape that the probes write."""

from collections.abc import Sequence

import numpy as np

from unlearn_core.charts.report.gold_metrics import GOLD_METRICS
from unlearn_core.domain.results.features import FeatureMapResult, MappedFeatures, Reading, RepresentationResult
from unlearn_core.domain.results.layer_comparison import CkaResult, FeatureSimilarity, LayerSimilarity
from unlearn_core.domain.results.outputs import (
    ACCURACY_PARTS,
    Agreement,
    ClosenessResult,
    GoldComparison,
    KlomResult,
    Part,
    SummaryScoresResult,
    ZrfResult,
    ZrfValues,
)
from unlearn_core.domain.results.predictions import DifficultyResult, InterclassConfusionResult, Score, Third
from unlearn_core.domain.results.privacy import RetainedMembershipResult, RmiaResult
from unlearn_core.domain.results.result import Result
from unlearn_core.domain.split import Split
from unlearn_core.probes.common.attack_curves import MatchedImages, attack_curve, attacked_side, curve_steps
from unlearn_core.probes.common.statistics import score as wilson_score


def alike(seed: int, split: Split, layers: Sequence[str], *, gold: bool, twin: bool) -> list[Result]:
    """ZRF, similarity, map and representation of features and, where there is gold, the metrics of closeness."""
    rng = np.random.default_rng(seed)
    models = ("before", "after", *(["gold"] if gold else []), *(["twin"] if twin else []))
    found: list[Result] = [_zrf(rng, models), _cka(rng, layers, models), _feature_map(seed, split, models)]
    found.append(representation(np.random.default_rng(seed).uniform(0.75, 0.85, len(models)), split, models))
    found.append(difficulty(seed, split, models))
    found.append(interclass_confusion(np.random.default_rng(seed).uniform(0.5, 0.7, 3), gold=gold))
    found.append(_retained_membership(seed, models))
    if gold:
        found += [_closeness(rng, split, twin), _summary_scores(seed, models), _klom(seed, split)]
        found.append(_rmia(seed))
    return found


def _rmia(seed: int) -> RmiaResult:
    """150 forget images, with a second retrained model as the reference."""
    rng = np.random.default_rng(seed)
    apart = {"before": 0.9, "after": 0.2, "gold": 0.0}
    scores = {model: MatchedImages(rng.normal(shift, 1, 150), rng.normal(0, 1, 150)) for model, shift in apart.items()}
    return RmiaResult(
        reference_golds=[1],
        num_population=150,
        attacked=attacked_side(scores),
        steps=curve_steps(150).astype(np.float32),
        curves={model: attack_curve(*own) for model, own in scores.items()},
    )


def _retained_membership(seed: int, models: Sequence[str]) -> RetainedMembershipResult:
    """Scores of 300 members and non-members of each side, attacked as the probe does it."""
    rng = np.random.default_rng(seed)
    apart = {"before": 0.6, "after": 0.3, "gold": 0.25, "twin": 0.25}
    scores = {
        side: {model: MatchedImages(rng.normal(apart[model], 1, 300), rng.normal(0, 1, 300)) for model in models}
        for side in ("retain", "forget")
    }
    return RetainedMembershipResult(
        sides={side: attacked_side(own) for side, own in scores.items()},
        steps=dict.fromkeys(scores, curve_steps(300).astype(np.float32)),
        curves={f"{side}_{model}": attack_curve(*own) for side, one in scores.items() for model, own in one.items()},
    )


def _klom(seed: int, split: Split) -> KlomResult:
    """After is further from gold than other golds are."""
    rng, count = np.random.default_rng(seed), len(split.forget_train)
    return KlomResult(
        num_models=16,
        divergences={
            "after": rng.gamma(4.0, 0.8, count).astype(np.float32),
            "ceiling": rng.gamma(3.0, 0.6, count).astype(np.float32),
        },
        margins={name: rng.normal(2, 1, count).astype(np.float32) for name in ("gold", "after", "ceiling")},
    )


def _summary_scores(seed: int, models: Sequence[str]) -> SummaryScoresResult:
    """Shares in which the original is far from gold and a second gold near."""
    rng = np.random.default_rng(seed)
    parts: tuple[Part, ...] = (*ACCURACY_PARTS, "non_members")
    width = {"before": 0.3, "after": 0.1, "gold": 0.0, "twin": 0.02}
    return SummaryScoresResult(
        shares={model: {part: 0.6 + float(rng.uniform(0.2, 1)) * width[model] for part in parts} for model in models}
    )


def _feature_map(seed: int, split: Split, models: Sequence[str]) -> FeatureMapResult:
    """Some images in places of their own, with the numbers of each model."""
    rng = np.random.default_rng(seed)
    forget_set = "forget_test" if len(split.forget_test) else "forget_train"
    images = np.concatenate([getattr(split, forget_set)[:12], split.retain_test[:40]])
    shown = [model for model in models if model != "twin"]
    return FeatureMapResult(
        num_forget=12,
        forget_set=forget_set,
        retain_set="retain_test",
        layer="head",
        num_neighbours=10,
        models={
            model: MappedFeatures(
                silhouette_forget=float(rng.uniform(-0.1, 0.5)),
                silhouette_retain=float(rng.uniform(0.1, 0.5)),
                neighbours_forget=1.0 if model == "before" else float(rng.uniform(0.1, 0.6)),
                neighbours_retain=1.0 if model == "before" else float(rng.uniform(0.3, 0.8)),
                preserved=float(rng.uniform(0.5, 0.9)),
            )
            for model in shown
        },
        images=images.astype(np.int32),
        points={model: rng.normal(0, 20, (len(images), 2)).astype(np.float32) for model in shown},
    )


def representation(shares: Sequence[float] | np.ndarray, split: Split, models: Sequence[str]) -> RepresentationResult:
    """What a probe finds if it finds these shares (0 to 1) of 200 forget images in the models, each its first ones."""
    images = np.concatenate([split.forget_test, split.forget_train])[:200]
    found = {
        model: (np.arange(len(images)) < round(share * len(images))).astype(np.uint8)
        for model, share in zip(models, shares, strict=True)
    }
    scores = {model: wilson_score(int(own.sum()), len(own)) for model, own in found.items()}
    readings: dict[Reading, dict[str, Score]] = {"probe": scores, "neighbours": scores}
    readings["own_layer"] = {model: wilson_score(180 if model == "before" else 2, 200) for model in models}
    return RepresentationResult(
        num_fitted=2_000,
        num_neighbours=10,
        forget_sets=["forget_test"],
        forget=readings,
        retain=readings,
        images=images.astype(np.int32),
        probe=found,
    )


def difficulty(seed: int, split: Split, models: Sequence[str]) -> DifficultyResult:
    """Forget images of which a sixth is in the low third, and a third in the middle one."""
    images = split.forget_train
    sizes: dict[Third, int] = {"low": len(images) // 6, "middle": len(images) // 3}
    sizes["high"] = len(images) - sum(sizes.values())
    shares = {"before": 1.0, "after": np.random.default_rng(seed).uniform(0.3, 0.9), "gold": 0.25, "twin": 0.25}
    return DifficultyResult(
        num_models=32,
        bounds=[0.0625, 0.5],
        thirds={
            third: {model: wilson_score(int(shares[model] * size), size) for model in models}
            for third, size in sizes.items()
        },
        entanglement=210.5,
        random=[150.25, 180.5, 240.0],
        images=images.astype(np.int32),
        memorisation=np.linspace(-0.1, 1, len(images), dtype=np.float32),
        error=np.full(len(images), 0.15, np.float32),
    )


def interclass_confusion(
    shares: Sequence[float] | np.ndarray, *, gold: bool = True, forgotten: int = 80
) -> InterclassConfusionResult:
    """Cats and dogs of which the models classify these shares (0 to 1) correctly, each its first ones."""
    models = ("before", "after", *(["gold"] if gold else []))
    order = np.arange(400)
    correct = {model: (order < round(share * 400)) for model, share in zip(models, shares, strict=False)}
    confused = {model: ~own & (order % 3 == 0) for model, own in correct.items()}
    return InterclassConfusionResult(
        classes=[3, 5],
        num_mislabelled=80,
        num_forgotten=forgotten,
        accuracy={model: wilson_score(int(own.sum()), 400) for model, own in correct.items()},
        by_class={
            model: [wilson_score(int(own[part::2].sum()), 200) for part in (0, 1)] for model, own in correct.items()
        },
        confused={model: wilson_score(int(own.sum()), 400) for model, own in confused.items()},
        memorized={model: wilson_score(forgotten // 4, forgotten) for model in models},
        correct={model: own.astype(np.uint8) for model, own in correct.items()},
        taken_for_other={model: own.astype(np.uint8) for model, own in confused.items()},
    )


def _closeness(rng: np.random.Generator, split: Split, twin: bool) -> ClosenessResult:
    names = ("forget_train", "retain_val", "retain_test", "forget_test")
    reasons = {} if twin else {"gold-twin": "There is one gold, so how far two golds are apart is not known."}
    sets: dict[str, GoldComparison] = {}
    for name in names:
        count = len(getattr(split, name))
        if not count:
            reasons[name] = "This request leaves no pictures in this set."
            continue
        sets[name] = GoldComparison(
            images=count,
            values={
                what: {
                    "before-gold": float(rng.uniform(0.4, 0.9)),
                    "after-gold": float(rng.uniform(0.05, 0.5)),
                    "gold-twin": 0.1 if twin else None,
                }
                for what in GOLD_METRICS
            },
            agreement={
                "before-gold": agreement(0.2),
                "after-gold": agreement(float(rng.uniform(0.5, 0.8))),
                "gold-twin": agreement(0.85) if twin else None,
            },
        )
    return ClosenessResult(sets=sets, reasons=reasons)


def agreement(share: float) -> Agreement:
    """Two models that agree on this share of 300 images."""
    return Agreement(same=round(300 * share), share=share, low=share - 0.05, high=share + 0.05)


def _zrf(rng: np.random.Generator, models: Sequence[str]) -> ZrfResult:
    values = {
        model: ZrfValues(proper=float(at), official=float(0.8 + at / 5))
        for model, at in zip(models, rng.uniform(0.2, 0.6, len(models)), strict=True)
    }
    return ZrfResult(images=96, evenness=0.8, models=values, reasons={})


def _cka(rng: np.random.Generator, layers: Sequence[str], models: Sequence[str]) -> CkaResult:
    pairs = {
        "before-after": ("before", "after"),
        "after-gold": ("after", "gold"),
        "before-gold": ("before", "gold"),
        "gold-twin": ("gold", "twin"),
    }
    rows = []
    for depth, layer in enumerate(layers):
        values = {pair: float(0.97 - 0.02 * depth - rng.uniform(0, 0.05)) for pair in pairs}
        own = {
            pair: FeatureSimilarity(unbiased=values[pair], plain=(1 + values[pair]) / 2)
            for pair, both in pairs.items()
            if set(both) <= set(models)
        }
        rows.append(LayerSimilarity(layer=layer, pairs=own))
    return CkaResult(images=64, forget_images=32, layers=rows, reasons={})
