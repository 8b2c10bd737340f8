"""Reports made up from random numbers, shaped like those that the probes write; needs no torch and no training."""

from itertools import combinations
from math import log, nan, sqrt

import numpy as np

from tests.charts.fake_curves import alike
from tests.charts.fake_repeats import seeds_of
from unlearn_core.domain.cards import ClassifierCard, DatasetCard, LayerRoles
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.report import Evaluation, Report, stored
from unlearn_core.domain.results.course import (
    CurvePhase,
    CurvesResult,
    EarlyStop,
    ImageCounts,
    ModelState,
    PhaseTiming,
    RunSeconds,
    TimingsResult,
)
from unlearn_core.domain.results.explanations import (
    CamResult,
    ExplainedImage,
    Explanation,
    MapSimilarity,
    Quartiles,
    RegionsResult,
    SnapshotsResult,
)
from unlearn_core.domain.results.found_settings import Goal, TriedSettings, TuningResult
from unlearn_core.domain.results.layer_comparison import (
    KindWeights,
    LayerStatistics,
    LayerWeights,
    WeightDistance,
    WeightDistanceResult,
)
from unlearn_core.domain.results.method_artifacts import (
    AdversarialImages,
    AdversarialOriginals,
    AdversarialPredictions,
    Artifact,
    NoiseError,
    NoiseErrors,
    NoiseImages,
    ReinitializedLayers,
    SaliencyMask,
    StopRule,
    WeightImportance,
)
from unlearn_core.domain.results.outputs import DistanceResult, LogitsResult
from unlearn_core.domain.results.predictions import (
    AccuracyResult,
    ConfusionResult,
    DistanceToGold,
    PredictedClasses,
    PredictionsResult,
    Score,
)
from unlearn_core.domain.results.privacy import (
    AttackCurve,
    AttackMetrics,
    EnsembleScore,
    EvaluatedImages,
    LiraResult,
    MembershipResult,
    NeuripsScoreResult,
    PredictedMembers,
    RelearnResult,
    RelearnTimes,
)
from unlearn_core.domain.results.relearn_protocol import EVAL_STEPS, PROTOCOL, anamnesis_index, relearn_time
from unlearn_core.domain.split import Split, make_split
from unlearn_core.probes.common.neurips_score import BUCKET_WIDTH, last_bucket, mean_bucket_points, standard_error

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CAT = 3
LAYERS = ("stem", *(f"stage{stage}.{block}" for stage in (1, 2, 3) for block in range(3)), "head")
UNCHANGED = ("stem", "stage1.0")
"""Layers that the made-up run never touched."""
WATCHED = {"forget_train": 20, "forget_val": 20, "retain_val": 40}
KINDS = {"conv": 4, "norm": 0, "head": -1}
"""The kinds of weights, each with the layer whose figures it borrows."""
NO_GOLD = "There is no gold for this request yet: it is being trained."

DATASET = DatasetCard(
    id="made-up",
    title="Made up",
    summary="Ten classes of random numbers.",
    classes=CLASSES,
    size=32,
    train=3000,
    val=500,
    test=2000,
    licence="MIT, the licence of Unlearn Lab.",
    source="tests/charts/fake_reports.py",
)
CLASSIFIER = ClassifierCard(
    id="made-up-model",
    title="Made-up model",
    summary="Answers at random, with a leaning.",
    architecture="made-up-model",
    dataset="made-up",
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    roles=LayerRoles(layers=LAYERS, head=("head",), shortcuts=(), cam="stage3.2"),
    recipe=Recipe(epochs=10, batch=100, peak=0.1),
    seed=0,
    licence="MIT, the licence of Unlearn Lab.",
    source="tests/charts/fake_reports.py",
)


def made_up_report(*, gold: bool = True, images: bool = False, seed: int = 0) -> Report:
    """A whole report: cat is forgotten, or 100 training pictures if `images`; without `gold` nobody retrained yet."""
    rng = np.random.default_rng(seed)
    count = DATASET.train + DATASET.val + DATASET.test
    labels = np.arange(count) % len(CLASSES)
    chosen = tuple(int(row) for row in rng.choice(DATASET.train, 100, replace=False))
    forget = ForgetImages(images=chosen) if images else ForgetClasses(classes=(CAT,))
    split = make_split(DATASET, labels, forget)
    logits = _answers(rng, labels, split, images)
    if not gold:
        del logits["gold"]
    return Report(
        run=42 + seed,
        spec=UnlearnSpec(
            request=ForgetRequest(classifier=CLASSIFIER.id, dataset=DATASET.id, forget=forget),
            method="finetune" if images else "unsir",
            params={},
            seed=seed,
        ),
        classifier=CLASSIFIER,
        dataset=DATASET,
        method="Fine-tune" if images else "UNSIR",
        labels=labels,
        split=split,
        evaluations={name: Evaluation(f"{name}-{seed}", DATASET.id, values) for name, values in logits.items()},
        parts=stored(
            accuracy_of(logits, labels, split),
            _tried(np.random.default_rng(seed)),
            _logits(logits, labels),
            _predictions(logits, split, images),
            _layers(rng, gold),
            _cam(rng, logits, labels, split),
            _timings(rng),
            _curves(rng),
            _snapshots(rng, logits, labels, split),
            _membership(rng, list(logits), split),
            _confusion(logits, labels),
            *([_distance(rng, images)] if gold else []),
            *_artifacts(rng, images),
            _relearn(rng, list(logits)),
            seeds_of(accuracy_of(logits, labels, split), seed, curves=_curves),
            _regions(np.random.default_rng(seed), list(logits)),
            *([_score(np.random.default_rng(seed)), _lira(np.random.default_rng(seed))] if gold else []),
            *alike(seed, split, LAYERS, gold=gold, twin=images),
        ),
        missing={} if gold else {"gold": NO_GOLD},
    )


def _answers(rng: np.random.Generator, labels: np.ndarray, split: Split, images: bool) -> dict[str, np.ndarray]:
    """Logits (N, C) of three models: before knows its training pictures best, gold never saw the forgotten ones."""
    alike = rng.normal(0, 0.5, (10, 10))
    alike[CAT, [2, 5, 6, 4]] = 1.0, 3.4, 2.0, 0.5
    own = np.where(np.arange(len(labels)) < DATASET.train, 7.5, 5.0)
    forgotten = np.zeros(len(labels), bool)
    forgotten[np.concatenate([split.forget_train, split.forget_val, split.forget_test])] = True
    strength = {"before": own, "after": own - 0.4, "gold": own}
    strength["after"] = np.where(forgotten, 4.2 if images else -3.0, strength["after"])
    strength["gold"] = np.where(forgotten, 5.0 if images else -1.0, strength["gold"])
    made = {}
    for name, values in strength.items():
        logits = alike[labels] + rng.normal(0, 1.5, (len(labels), 10))
        logits[np.arange(len(labels)), labels] += values
        if not images and name != "before":
            logits[:, CAT] -= 4
        made[name] = logits.astype(np.float32)
    return made


def accuracy_of(logits: dict[str, np.ndarray], labels: np.ndarray, split: Split) -> AccuracyResult:
    """The accuracies of these predictions."""
    scores: dict[str, dict[str, Score]] = {}
    for model, values in logits.items():
        right = values.argmax(1) == labels
        scores[model] = {name: score(int(right[rows].sum()), len(rows)) for name, rows in split._asdict().items()}
    return AccuracyResult(scores=scores)


def score(right: int, of: int) -> Score:
    """A share with its Wilson interval."""
    if of == 0:
        return Score(correct=0, total=0, accuracy=nan, low=nan, high=nan)
    share, z = right / of, 1.96
    centre = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return Score(correct=right, total=of, accuracy=share, low=max(0.0, centre - half), high=min(1.0, centre + half))


def _logits(logits: dict[str, np.ndarray], labels: np.ndarray) -> LogitsResult:
    rows = np.arange(len(labels))
    true, top, margin, entropy = {}, {}, {}, {}
    for model, values in logits.items():
        others = values.copy()
        others[rows, labels] = -np.inf
        shares = _shares(values)
        true[model], top[model] = values[rows, labels], values.max(1)
        margin[model] = true[model] - others.max(1)
        entropy[model] = -(shares * np.log(shares)).sum(1).astype(np.float32)
    return LogitsResult(true_logit=true, top_logit=top, margin=margin, entropy=entropy)


def _confusion(logits: dict[str, np.ndarray], labels: np.ndarray) -> ConfusionResult:
    """The confusion matrices of these predictions."""
    test = np.arange(DATASET.train + DATASET.val, len(labels))
    counts = {
        model: np.histogram2d(labels[test], values[test].argmax(1), bins=(np.arange(11), np.arange(11)))[0]
        for model, values in logits.items()
    }
    scores = {model: [score(int(row[n]), int(row.sum())) for n, row in enumerate(own)] for model, own in counts.items()}
    return ConfusionResult(scores=scores, matrices={model: own.astype(np.float32) for model, own in counts.items()})


def _regions(rng: np.random.Generator, shown: list[str]) -> RegionsResult:
    """Decision regions, as if the pictures were points: stripes of ten classes, each model's moved a little."""
    points = rng.integers(0, 256, (40, 2)).astype(np.uint8)
    predictions, confidences = {}, {}
    for model in shown:
        stripes = np.arange(64) // 7 + rng.integers(0, 2, 64)
        predictions[model] = np.tile(stripes % 10, (64, 1)).astype(np.uint8)
        confidences[model] = rng.uniform(0.2, 1, (64, 64)).astype(np.float32)
    return RegionsResult(
        grid=64,
        shares={model: (np.bincount(own.ravel(), minlength=10) / 64**2).tolist() for model, own in predictions.items()},
        agreement={
            f"{one}-{other}": float((predictions[one] == predictions[other]).mean())
            for one, other in combinations(shown, 2)
        },
        points=points,
        labels=(np.arange(40) % 10).astype(np.uint8),
        forgotten=(np.arange(40) % 10 == CAT).astype(np.uint8),
        predictions=predictions,
        confidences=confidences,
    )


def _score(rng: np.random.Generator) -> NeuripsScoreResult:
    """The score of 32 models: after is found out more easily than golds are."""
    epsilons = {
        "after": rng.gamma(3.0, 1.1, 120).astype(np.float32),
        "ceiling": np.append(rng.gamma(4.0, 0.45, 119), np.nan).astype(np.float32),
    }
    after, ceiling = (
        EnsembleScore(
            score=mean_bucket_points(found, 32) * ratio,
            forgetting=mean_bucket_points(found, 32),
            error=standard_error(found, 32),
            retain=ratio,
            test=1.0,
        )
        for found, ratio in zip(epsilons.values(), (0.97, 1.0), strict=True)
    )
    return NeuripsScoreResult(
        num_models=32,
        bucket_width=BUCKET_WIDTH,
        last_bucket=last_bucket(32),
        after=after,
        ceiling=ceiling,
        epsilons=epsilons,
    )


def _lira(rng: np.random.Generator) -> LiraResult:
    """Unlearned shadow models are identified more often than retrained ones are."""
    unlearned, retrained = rng.normal(0.62, 0.06, 17), rng.normal(0.4, 0.05, 17)
    return LiraResult(
        num_shadows=16,
        success_rate=0.71,
        low=0.66,
        high=0.76,
        after=unlearned[-1],
        gold=retrained[-1],
        unlearned_shadows=unlearned[:-1].astype(np.float32),
        retrained_shadows=retrained[:-1].astype(np.float32),
        attack=AttackCurve(
            auc=0.78, auc_low=0.72, auc_high=0.84, found=unlearned[0] / 10, found_low=0.02, found_high=0.1
        ),
        curves={
            "rate": np.geomspace(0.001, 1, 20).astype(np.float32),
            "found": np.geomspace(0.004, 1, 20).astype(np.float32),
        },
    )


def _relearn(rng: np.random.Generator, shown: list[str]) -> RelearnResult:
    """After is back early, gold later, a fresh model only by predicting one class for everything."""
    steps, ceiling, kept = np.array(EVAL_STEPS), 0.9, 0.86
    goal = {"target": 0.95 * ceiling, "floor": 0.5 * kept}
    halfway = {"after": int(rng.integers(2, 6)), "gold": 14, "fresh": 4}
    accuracies, retain, times = {}, {}, {}
    for model in (*(name for name in ("after", "gold") if name in shown), "fresh"):
        rise = 1 / (1 + np.exp(-(np.log1p(steps) - np.log1p(halfway[model])) * 4))
        accuracies[model] = (rise + rng.normal(0, 0.01, (3, len(steps)))).clip(0, 1).astype(np.float32)
        retain[model] = np.full((3, len(steps)), 0.1 if model == "fresh" else 0.8, np.float32)
        times[model] = RelearnTimes(
            time=relearn_time(accuracies[model].mean(0), retain[model].mean(0), **goal),
            by_draw=[relearn_time(*pair, **goal) for pair in zip(accuracies[model], retain[model], strict=True)],
        )
    index = "There is no index without gold."
    if "gold" in times:
        index = anamnesis_index(times["after"].time, times["gold"].time)
    return RelearnResult(
        ceiling=ceiling,
        retain_accuracy=kept,
        **goal,
        models=times,
        index=None if isinstance(index, str) else index,
        no_index=index if isinstance(index, str) else "",
        evaluated=EvaluatedImages(set="forget_val", forget=50, retain=50),
        num_taught=32,
        protocol=PROTOCOL,
        weights={},
        seconds=20.0,
        steps=steps.astype(np.float32),
        forget=accuracies,
        retain=retain,
    )


def _membership(rng: np.random.Generator, shown: list[str], split: Split) -> MembershipResult:
    attacks = ("loss", "confidence", "entropy", "modified entropy", "margin", "logistic")
    metrics = {
        model: {name: attack_metrics(float(auc)) for name, auc in zip(attacks, rng.uniform(0.3, 0.9, 6), strict=True)}
        for model in shown
    }
    privacy = {"before": 0.4, "after": float(rng.uniform(0.5, 1))} if "gold" in shown else {}
    members = split.forget_train[:100]
    probabilities = {model: rng.uniform(0.2, 0.9, len(members)).astype(np.float32) for model in shown}
    return MembershipResult(
        num_members=len(members),
        attacks=metrics,
        predicted_members={
            model: PredictedMembers(members=int((own > 0.5).sum()), non_members=int(rng.integers(20, 60)))
            for model, own in probabilities.items()
        },
        leak=dict.fromkeys(shown, 0.3),
        privacy=privacy,
        member_rows=members.astype(np.float32),
        probabilities=probabilities,
    )


def attack_metrics(auc: float, half: float = 0.05) -> AttackMetrics:
    """An attack with this AUC, and the interval's half width."""
    return AttackMetrics(auc=auc, low=auc - half, high=auc + half, true_positive_rate=auc / 10)


def _distance(rng: np.random.Generator, images: bool) -> DistanceResult:
    """There is a second gold where single images are forgotten."""
    sets = {
        name: DistanceToGold(
            before=float(rng.uniform(0.2, 0.6)),
            after=float(rng.uniform(0.05, 0.2)),
            between_golds=0.04 if images else nan,
        )
        for name in ("forget_train", "retain_val", "retain_test", *(() if images else ("forget_test",)))
    }
    forget = sets["forget_train"]
    overall = {
        split: DistanceToGold(
            before=(forget.before + retain.before) / 2,
            after=(forget.after + retain.after) / 2,
            between_golds=(forget.between_golds + retain.between_golds) / 2,
        )
        for split, retain in (("val", sets["retain_val"]), ("test", sets["retain_test"]))
    }
    return DistanceResult(sets=sets, overall=overall)


def _shares(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits.astype(float) - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _predictions(logits: dict[str, np.ndarray], split: Split, images: bool) -> PredictionsResult:
    sets: dict[str, dict[str, PredictedClasses]] = {}
    variation: dict[str, DistanceToGold] = {}
    for name in ("forget_train", "forget_test"):
        rows = getattr(split, name)
        if not len(rows):
            continue
        counts = {model: np.bincount(values[rows].argmax(1), minlength=10) for model, values in logits.items()}
        sets[name] = {}
        for model, hits in counts.items():
            kept = hits if images else np.delete(hits, CAT)
            shares = kept[kept > 0] / max(1, kept.sum())
            entropy = float(-(shares * np.log(shares)).sum() / log(len(kept))) if len(shares) else None
            top = float(hits.max() / hits.sum())
            sets[name][model] = PredictedClasses(counts=hits.tolist(), entropy=entropy, top=top)
        gold = counts.get("gold")
        before, after = (
            nan if gold is None else float(abs(counts[model] - gold).sum() / len(rows) / 2)
            for model in ("before", "after")
        )
        variation[name] = DistanceToGold(before=before, after=after)
    return PredictionsResult(sets=sets, total_variation=variation)


def _layers(rng: np.random.Generator, gold: bool) -> WeightDistanceResult:
    rows = []
    for depth, layer in enumerate(LAYERS):
        weights = 448 if layer == "stem" else 650 if layer == "head" else 4672 * 4 ** ((depth - 1) // 3)
        size = sqrt(weights) * 0.1
        moved = 0.0 if layer in UNCHANGED else 0.004 * 1.5**depth * rng.uniform(0.8, 1.25)
        shares = {"before-after": moved}
        if gold:
            shares |= {"before-gold": rng.uniform(1.2, 1.5), "before-other": rng.uniform(1.25, 1.45)}
        pairs = {pair: WeightDistance(l2=share * size, relative=share) for pair, share in shares.items()}
        shape = "10×64" if layer == "head" else "64×64×3×3"
        names = [(f"{layer}.weight", shape), (f"{layer}.bias", "10")]
        kinds = {"head" if layer == "head" else "conv": pairs}
        row = LayerWeights(
            name=layer, tensors=6, weights=weights, shape=shape, tensor_shapes=names, pairs=pairs, kinds=kinds
        )
        rows.append(row)
    statistics = [
        LayerStatistics(name=row.name, tensors=2, weights=32, shape="16", pairs=row.pairs) for row in rows[:-1]
    ]
    total = {
        pair: WeightDistance(l2=sqrt(sum(row.pairs[pair].l2 ** 2 for row in rows)), relative=0.2)
        for pair in rows[0].pairs
    }
    kinds = [KindWeights(name=kind, **rows[at].model_dump(exclude={"name", "kinds"})) for kind, at in KINDS.items()]
    return WeightDistanceResult(layers=rows, kinds=kinds, statistics=statistics, total=total, mean=total)


def _cam(rng: np.random.Generator, logits: dict[str, np.ndarray], labels: np.ndarray, split: Split) -> CamResult:
    name = "forget_test" if len(split.forget_test) else "forget_train"
    picks = [(int(row), name) for row in getattr(split, name)[:3]] + [
        (int(row), "retain_test") for row in split.retain_test[:3]
    ]
    y, x = np.mgrid[:8, :8]
    grid = np.mgrid[:32, :32].transpose(1, 2, 0)
    images, pictures, maps = [], [], {model: [] for model in logits}
    for row, where in picks:
        target = int(labels[row])
        centre = rng.uniform(2, 6, 2)
        blob = np.exp(-((grid - 4 * centre) ** 2).sum(2) / 60)[..., None]
        tone = rng.uniform(60, 200, 3)
        noisy = tone * (0.4 + 0.8 * blob) + rng.normal(0, 6, (32, 32, 3))
        pictures.append(noisy.clip(0, 255).astype(np.uint8))
        models: dict[str, Explanation] = {}
        for model, values in logits.items():
            weak = model != "before" and where.startswith("forget")
            peak = rng.uniform(0.3, 0.7) if weak else rng.uniform(2.5, 3.5)
            drawn = peak * np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / 4)
            maps[model].append(drawn.astype(np.float32))
            shares = _shares(values[row : row + 1])[0]
            models[model] = Explanation(
                predicted=int(shares.argmax()),
                probability=float(shares.max()),
                target_probability=float(shares[target]),
                peak=float(drawn.max()),
            )
        images.append(ExplainedImage(image=row, set=where, label=target, target=target, models=models))
    return CamResult(
        images=images,
        layer="stage3.2",
        similarity=_similarity(rng, "gold" in logits),
        pixels=np.stack(pictures),
        maps={model: np.stack(drawn) for model, drawn in maps.items()},
    )


def _similarity(rng: np.random.Generator, gold: bool) -> dict[str, dict[str, MapSimilarity]]:
    """How alike maps are, side by side and pair by pair."""
    pairs = ("before-after", *(("gold-after", "before-gold") if gold else ()))

    def one() -> MapSimilarity:
        middle = float(rng.uniform(0.3, 0.8))
        same = Quartiles(middle - 0.1, middle, middle + 0.1)
        return MapSimilarity(images=40, flat=int(rng.integers(0, 5)), cosine=same, rank=same, top=same)

    return {side: {pair: one() for pair in pairs} for side in ("forget", "retain")}


def _timings(rng: np.random.Generator) -> TimingsResult:
    pace = float(rng.uniform(0.8, 1.2))
    phases = [("noise", 20, 1.9 * pace), ("impair", 42, 4.4 * pace), ("repair", 38, 3.9 * pace)]
    return TimingsResult(
        phases=[PhaseTiming(name=name, steps=steps, done=steps, seconds=spent) for name, steps, spent in phases],
        seconds=RunSeconds(total=10.3 * pace + 3.9, load=0.3, forget=10.3 * pace, evaluate=2.6, probes=1.0),
        steps=100,
        images=14_520,
        device="CPU",
        threads=2,
        versions={"torch": "2.15.0"},
        started="2025-11-21T09:00:00+00:00",
    )


def _curves(rng: np.random.Generator) -> CurvesResult:
    seconds = np.linspace(0, 10.2, 18)
    fall = np.where(seconds < 1.9, 0.94, 0.94 * np.exp(-(seconds - 1.9) / 1.1))
    dip = np.where(seconds < 1.9, 0.86, 0.86 - 0.17 * (1 - np.exp(-(seconds - 1.9))))
    back = np.where(seconds < 6.3, 0, 0.16 * (1 - np.exp(-(seconds - 6.3) / 1.2)))
    return CurvesResult(
        phases=[
            CurvePhase(name="noise", first_step=0, start=0.0, end=1.9),
            CurvePhase(name="impair", first_step=20, start=1.9, end=6.3),
            CurvePhase(name="repair", first_step=62, start=6.3, end=10.2),
        ],
        images=ImageCounts(forget=150, retain=150),
        logged={"loss": [(0, 2.0), (50, 1.1), (100, 0.6)]},
        early_stop=_early_stop(fall),
        steps=np.linspace(0, 100, 18).round().astype(int),
        seconds=seconds,
        forget=fall,
        retain=dip + back + rng.normal(0, 0.004, 18),
    )


def _early_stop(forget: np.ndarray) -> EarlyStop:
    """Five states of the last phase, of which the second fits best; the accuracies follow those of the curve."""
    retain = (0.9 - 0.1 * forget[-1] - np.array([0.05, 0, 0.02, 0.03, 0.04])).tolist()
    return EarlyStop(
        images=ImageCounts(forget=300, retain=500),
        planned=64,
        stopped=38,
        states=[
            ModelState(step=8 * place + 6, forget=float(forget[-1]), retain=value) for place, value in enumerate(retain)
        ],
        best=1,
        reached=True,
    )


def _snapshots(
    rng: np.random.Generator, logits: dict[str, np.ndarray], labels: np.ndarray, split: Split
) -> SnapshotsResult:
    """Forgotten and kept pictures on their way from before to after, in three phases."""
    sets = {name: getattr(split, name)[:count] for name, count in WATCHED.items()}
    ids = np.concatenate(list(sets.values()))
    count = 18
    way = np.clip(np.linspace(-0.5, 1.5, count) + rng.normal(0, 0.02, count), 0, 1)[:, None, None]
    shown = ids[[0, 1, len(ids) - len(sets["retain_val"]) - 1, len(ids) - 1]]
    y, x = np.mgrid[:8, :8]
    centres = rng.uniform(2, 6, (4, 2))
    blobs = np.stack([np.exp(-((y - a) ** 2 + (x - b) ** 2) / 4) for a, b in centres])
    return SnapshotsResult(
        set_sizes={name: len(rows) for name, rows in sets.items()},
        phases=["noise"] * 5 + ["impair"] * 7 + ["repair"] * 6,
        layer="stage3.2",
        no_maps="",
        seconds=0.8,
        logits=((1 - way) * logits["before"][ids] + way * logits["after"][ids]).astype(np.float16),
        maps=((3 - 2.8 * way[..., None]) * blobs).astype(np.float16),
        steps=np.linspace(0, 100, count).round().astype(int),
        ids=ids,
        shown=shown,
        pixels=rng.integers(0, 256, (4, 32, 32, 3)).astype(np.uint8),
        gold_maps=(0.3 * blobs).astype(np.float16) if "gold" in logits else None,
    )


def _tried(rng: np.random.Generator) -> TuningResult:
    """Three tries, of which the last one reached the goal."""
    left, kept = (0.8, float(rng.uniform(0.2, 0.6)), 0.0), rng.uniform(0.86, 0.9, 3).tolist()
    tried = [
        TriedSettings(strength=4.0**place, params={"impair_lr": 0.01 * 4.0**place}, forget=forget, retain=retain)
        for place, (forget, retain) in enumerate(zip(left, kept, strict=True))
    ]
    return TuningResult(
        goal=Goal(forget_low=0.0, forget_high=0.02, retain_low=0.85),
        images=ImageCounts(forget=300, retain=500),
        share=1.0,
        tried=tried,
        chosen=2,
        params=tried[2].params,
        titles={"impair_lr": "Impair: learning rate"},
    )


def _artifacts(rng: np.random.Generator, images: bool) -> list[Artifact]:
    """What several methods save, as if one method did all of it: no method does, but each chart looks for its own."""
    saved = [*_guard(rng), _saliency(rng)]
    return saved if images else [*saved, *_noise(rng), _reinitialized(rng)]


def _guard(rng: np.random.Generator) -> list[Artifact]:
    """What L2UL saves: adversarial pictures and what they are called, importances, and its way to the end."""
    label = rng.integers(0, 10, 200)
    target = (label + rng.integers(1, 10, 200)) % 10
    before = np.where(rng.random(200) < rng.uniform(0.85, 0.99), target, label)
    after = np.where(rng.random(200) < rng.uniform(0.6, 0.9), before, rng.integers(0, 10, 200))
    shown = np.linspace(0, 199, 12).round().astype(int)
    originals = rng.integers(0, 256, (12, 32, 32, 3))
    moved = originals + rng.normal(0, 12, originals.shape)
    steps = int(rng.integers(20, 60))
    classes = np.stack([label, target, before, after], 1).astype(np.int16)
    means = rng.uniform(0.02, 0.35, len(LAYERS)).astype(np.float32)
    remaining = np.linspace(1, 0, steps + 1, dtype=np.float32)
    return [
        AdversarialPredictions(mean_distance=3.9, radius=4.0, classes=classes),
        AdversarialOriginals(pixels=originals.astype(np.uint8)),
        AdversarialImages(rows=shown.tolist(), pixels=moved.clip(0, 255).astype(np.uint8)),
        WeightImportance(layers=LAYERS, images=100, means=means),
        StopRule(goal="misclassify", done=True, max_steps=200, remaining=remaining),
    ]


def _reinitialized(rng: np.random.Generator) -> ReinitializedLayers:
    """Two draws with replacement in each of three cycles, from the two convolutions of each block."""
    pool = [f"{layer}.conv{number}" for layer in LAYERS[1:-1] for number in (1, 2)]
    counts = np.stack([np.bincount(rng.integers(0, len(pool), 2), minlength=len(pool)) for _ in range(3)])
    counts[1, int(rng.integers(len(pool)))] = 2
    return ReinitializedLayers(layers=pool, granularity="layers", choice="random", counts=counts)


def _noise(rng: np.random.Generator) -> list[Artifact]:
    steps = np.arange(21)
    error = 2.3 + rng.uniform(8, 10) * (1 - np.exp(-np.maximum(0, steps - 6) / 5)) + rng.normal(0, 0.15, 21)
    ends = {str(CAT): NoiseError(before=float(error[0]), after=float(error[-1]))}
    pictures = rng.integers(0, 256, (24, 32, 32, 3)).astype(np.uint8)
    return [
        NoiseImages(classes=[CAT], images_per_class=24, pixels=pictures),
        NoiseErrors(classes=[CAT], ends=ends, errors=error[:, None].astype(np.float32)),
    ]


def _saliency(rng: np.random.Generator) -> SaliencyMask:
    """What SalUn saves: of each layer the share of weights that may move."""
    shares = rng.uniform(0.1, 0.7, len(LAYERS)).astype(np.float32)
    sizes = [row.weights for row in _layers(rng, gold=False).layers]
    whole = float((shares * sizes).sum() / sum(sizes))
    return SaliencyMask(layers=LAYERS, weights=sizes, share=whole, shares=shares)
