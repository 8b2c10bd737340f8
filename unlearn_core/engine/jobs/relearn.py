"""Relearning: trains after, gold and a fresh model on a few forgotten images, and measures how fast they recover."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch

from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.report import Report
from unlearn_core.domain.results import relearn_protocol
from unlearn_core.domain.results.metrics import RelearnMetrics, RunMetrics
from unlearn_core.domain.results.privacy import EvaluatedImages, EvaluatedSet, RelearnResult, RelearnTimes
from unlearn_core.domain.results.relearn_protocol import (
    EVAL_STEPS,
    LAST_STEP,
    PROTOCOL,
    anamnesis_index,
    images_needed,
    relearn_time,
)
from unlearn_core.engine.initial_weights import naive_model_factory
from unlearn_core.engine.job import OnDemandMeasurement, Workload
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measuring.measure import LoadedRun, collect_models
from unlearn_core.engine.model_cache import FrozenModel, ModelCache
from unlearn_core.engine.setup import ResolvedRun
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.training.batches import to_floats
from unlearn_core.training.relearn import EvalSet, relearn, relearn_batches
from unlearn_core.training.seeding import random_generator

PHASE_TITLES = {"after": "unlearned model", "gold": "retrained model", "fresh": "fresh model"}
"""The titles of the phases, by model."""


class RelearnSets(NamedTuple):
    """Positions in the data set: forget images that may be trained on, and the evaluated images of each side.

    `num_taught` of the former are trained on per draw; `source` is the set of the evaluated forget images.
    """

    teachable: np.ndarray
    num_taught: int
    forget: np.ndarray
    retain: np.ndarray
    source: EvaluatedSet


def measure(
    resolved: ResolvedRun, models: Mapping[str, FrozenModel], model_cache: ModelCache, listener: RunListener
) -> RelearnResult | str:
    """Return both accuracies over the steps for after, gold (if there is one) and fresh models; or why not."""
    began, plan = time.perf_counter(), _choose_sets(resolved)
    images, labels = resolved.data.images, resolved.data.labels
    eval_sets = [_eval_set(rows, resolved, model_cache) for rows in (plan.forget, plan.retain)]
    ceiling, retain_accuracy = (
        _original_accuracy(models["before"], group, model_cache, resolved) for group in (plan.forget, plan.retain)
    )
    if ceiling == 0:
        count = len(plan.forget)
        return (
            f"The original model classifies none of the {count:,} evaluated images correctly: "
            "there is nothing to relearn."
        )
    tracker = RunTracker(listener)
    accuracies: dict[str, np.ndarray] = {}  # (2, draws, len(EVAL_STEPS)): on forget and on retained images.
    shown = [name for name in ("after", "gold") if name in models] + ["fresh"]
    tracker.plan(**{PHASE_TITLES[name]: PROTOCOL.draws * LAST_STEP for name in shown})
    teachable, retain = (
        torch.from_numpy(rows).to(model_cache.device)
        for rows in (plan.teachable, resolved.remaining_split.retain_train)
    )
    seed, fresh = resolved.spec.seed, naive_model_factory(resolved.card, model_cache)
    for name in shown:
        tracker.phase(PHASE_TITLES[name])
        found = []
        for draw in range(PROTOCOL.draws):
            model = fresh(seed, "relearn", draw) if name == "fresh" else models[name].module
            batches = relearn_batches(
                teachable, retain, protocol=PROTOCOL, num_taught=plan.num_taught, seed=seed, draw=draw
            )
            try:
                found.append(
                    relearn(model, images, labels, batches, eval_sets=eval_sets, protocol=PROTOCOL, tracker=tracker)
                )
            except DivergedError:
                raise DivergedError(
                    f"Relearning of the {PHASE_TITLES[name]} diverged: its loss is not finite."
                ) from None
        accuracies[name] = np.stack(found, 1)
    target, floor = PROTOCOL.back * ceiling, PROTOCOL.sane * retain_accuracy
    times = {name: _times(*own, target=target, floor=floor) for name, own in accuracies.items()}
    index: float | str = "The index needs a retrained model."
    if "gold" in times:
        index = anamnesis_index(times["after"].time, times["gold"].time)
    return RelearnResult(
        ceiling=ceiling,
        retain_accuracy=retain_accuracy,
        target=target,
        floor=floor,
        models=times,
        index=None if isinstance(index, str) else index,
        no_index=index if isinstance(index, str) else "",
        evaluated=EvaluatedImages(set=plan.source, forget=len(plan.forget), retain=len(plan.retain)),
        num_taught=plan.num_taught,
        protocol=PROTOCOL,
        weights={name: models[name].weights for name in shown if name in models},
        seconds=time.perf_counter() - began,
        steps=np.array(EVAL_STEPS, np.float32),
        forget={name: own[0] for name, own in accuracies.items()},
        retain={name: own[1] for name, own in accuracies.items()},
    )


def _times(forget: np.ndarray, retain: np.ndarray, *, target: float, floor: float) -> RelearnTimes:
    """Return the relearn times from accuracies (draws, len(EVAL_STEPS))."""
    return RelearnTimes(
        time=relearn_time(forget.mean(0), retain.mean(0), target=target, floor=floor),
        by_draw=[relearn_time(*draw, target=target, floor=floor) for draw in zip(forget, retain, strict=True)],
    )


def _choose_sets(resolved: ResolvedRun) -> RelearnSets:
    """Choose the images: classes are evaluated on validation images, single images on those that are not trained on."""
    split, generator = resolved.split, random_generator(resolved.spec.seed, "relearn", "asked")
    forget = resolved.spec.request.forget
    classes = len(forget.classes) if isinstance(forget, ForgetClasses) else 1
    retain = _sample(resolved.remaining_split.retain_val, PROTOCOL.beside, generator)
    pool, rest = split.forget_train, split.forget_val
    source: EvaluatedSet = "forget_val"
    if not len(rest):
        source, order = "forget_train", pool[torch.randperm(len(pool), generator=generator).numpy()]
        rest = order[: min(len(pool) // 2, PROTOCOL.asked)]
        pool = order[len(rest) :]
    if not len(rest):  # A single image can only be evaluated on itself.
        source, rest = "taught", pool
    taught = min(PROTOCOL.each * classes, len(pool))
    return RelearnSets(np.sort(pool), taught, _sample(rest, PROTOCOL.asked, generator), retain, source)


def _sample(rows: np.ndarray, count: int, generator: torch.Generator) -> np.ndarray:
    return np.sort(rows[torch.randperm(len(rows), generator=generator)[:count].numpy()])


def _eval_set(rows: np.ndarray, resolved: ResolvedRun, model_cache: ModelCache) -> EvalSet:
    positions = torch.from_numpy(rows).to(model_cache.device)
    return EvalSet(to_floats(resolved.data.images[positions]), resolved.data.labels[positions])


def _original_accuracy(before: FrozenModel, rows: np.ndarray, model_cache: ModelCache, resolved: ResolvedRun) -> float:
    """Return the original's accuracy (0 to 1) on these images, from its stored outputs."""
    predictions = model_cache.evaluation(before, resolved.card).logits[rows].argmax(1)
    return float((predictions == resolved.data.image_dataset.labels[rows]).mean())


def _measure_run(
    loaded: LoadedRun, num_models: int, model_cache: ModelCache, listener: RunListener
) -> RelearnResult | str:
    models = collect_models(loaded.report.spec, loaded.resolved, model_cache, loaded.after, {})
    return measure(loaded.resolved, models, model_cache, listener)


def _purpose(report: Report) -> str:
    images = f"{report.dataset.item_noun}s"
    if "gold" in report.evaluations:
        models, reference = "this model, the retrained model and an untrained model", "the retrained model"
    else:
        models, reference = "this model and an untrained model (there is no retrained model yet)", "a retrained model"
    return (
        f"0 % accuracy does not prove forgetting. Copies of {models} are fine-tuned on a few forget {images}. If this "
        f"model recovers faster than {reference}, information remained."
    )


def _workload(report: Report, num_models: int) -> Workload:
    """Return the images of three models that are fine-tuned (two without gold), in several draws."""
    shown = [model for model in PHASE_TITLES if model != "gold" or "gold" in report.evaluations]
    evaluated = len(report.split.forget_val) or max(1, len(report.split.forget_train) // 2)
    trained_images, evaluated_images = images_needed(shown, evaluated)
    return Workload(trained_images=trained_images, evaluated_images=evaluated_images)


def _lacks_gold(report: Report) -> bool:
    """Return whether it was measured without gold, and there is a gold now."""
    return "gold" in report.evaluations and "gold" not in report[RelearnResult].models


def _metrics(result: RelearnResult) -> RunMetrics:
    times = {model: own.time for model, own in result.models.items()}
    return RunMetrics(relearn=RelearnMetrics(times=times, index=result.index))


JOB = OnDemandMeasurement(
    id="relearn",
    title="Relearn time",
    documentation=relearn_protocol.__doc__ or "",
    purpose=_purpose,
    action="Measure",
    unit="step",
    workload=_workload,
    is_outdated=_lacks_gold,
    measure=_measure_run,
    metrics=_metrics,
)
