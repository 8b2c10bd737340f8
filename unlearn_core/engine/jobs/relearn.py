"""Can it be brought back? After, gold and a net that knows nothing are taught again a few of the forgotten pictures."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.domain.relearn_protocol import EVAL_STEPS, LAST_STEP, PROTOCOL, anamnesis_index, relearn_time
from unlearn_core.engine.initial_weights import naive_model_factory
from unlearn_core.engine.listener import RunListener
from unlearn_core.engine.measure import LoadedRun, collect_models, load_run, store_measurement
from unlearn_core.engine.model_cache import FrozenModel, ModelCache
from unlearn_core.engine.setup import ResolvedRun, remaining_split
from unlearn_core.engine.tracker import RunTracker
from unlearn_core.training.batches import to_floats
from unlearn_core.training.relearn import EvalSet, relearn, relearn_batches
from unlearn_core.training.seeding import random_generator

PHASE_NAMES = {"fresh": "fresh net"}
"""What a phase is called where a net's name alone would not say it."""


class RelearnSets(NamedTuple):
    """Positions in the data set: forgotten pictures that may be taught, and those of either side that are asked.

    `taught` of the forgotten ones are taught in a draw; `source` is the set that the asked ones are from.
    """

    teachable: np.ndarray
    num_taught: int
    forget: np.ndarray
    retain: np.ndarray
    source: str


def add_to_report(run: int, model_cache: ModelCache, listener: RunListener) -> dict[str, Any]:
    """Adds the part "relearn" to a finished run's report, or the reason for its absence; gives what the row keeps."""
    listener.check()
    return add_to_loaded(load_run(run, model_cache), model_cache, listener)


def add_to_loaded(loaded: LoadedRun, model_cache: ModelCache, listener: RunListener) -> dict[str, Any]:
    """The same for a report wherever its folder lies."""
    models = collect_models(loaded.report.spec, loaded.resolved, model_cache, loaded.after, {})
    found = measure(loaded.resolved, models, model_cache, listener)
    listener.check()
    store_measurement(loaded, "relearn", found, model_cache)
    if isinstance(found, str):
        return {"relearn": None}
    times = {model: own["time"] for model, own in found.facts["models"].items()}
    return {"relearn": {"times": times, "index": found.facts["index"]}}


def measure(
    resolved: ResolvedRun, models: Mapping[str, FrozenModel], model_cache: ModelCache, listener: RunListener
) -> ReportPart | str:
    """Both accuracies over the steps for after, gold where there is one, and fresh nets; or why there are none.

    In the arrays each model has `{model}` and `{model}_keep` (draws, len(STEPS)), 0 to 1. Times are counted on the mean
    over the draws, and once more for each draw.
    """
    began, plan = time.perf_counter(), _choose_sets(resolved)
    images, labels = resolved.data.images, resolved.data.labels
    asked = [_eval_set(rows, resolved, model_cache) for rows in (plan.forget, plan.retain)]
    ceiling, sane = (
        _original_accuracy(models["before"], group, model_cache, resolved) for group in (plan.forget, plan.retain)
    )
    if ceiling == 0:
        count = len(plan.forget)
        return (
            f"The original itself names none of the {count:,} pictures asked rightly: there is nothing to bring back."
        )
    tracker, arrays = RunTracker(listener), {"step": np.array(EVAL_STEPS, np.float32)}
    shown = [name for name in ("after", "gold") if name in models] + ["fresh"]
    tracker.plan(**{PHASE_NAMES.get(name, name): PROTOCOL.draws * LAST_STEP for name in shown})
    pool, keep = (
        torch.from_numpy(rows).to(model_cache.device)
        for rows in (plan.teachable, remaining_split(resolved).retain_train)
    )
    seed, fresh = resolved.spec.seed, naive_model_factory(resolved.card, model_cache)
    for name in shown:
        tracker.phase(PHASE_NAMES.get(name, name))
        found = []
        for draw in range(PROTOCOL.draws):
            net = fresh(seed, "relearn", draw) if name == "fresh" else models[name].module
            batches = relearn_batches(pool, keep, protocol=PROTOCOL, num_taught=plan.num_taught, seed=seed, draw=draw)
            try:
                found.append(relearn(net, images, labels, batches, eval_sets=asked, protocol=PROTOCOL, tracker=tracker))
            except DivergedError:
                raise DivergedError(f"Teaching {name} again broke down: its loss is no longer a number.") from None
        arrays |= {name: np.stack([one[0] for one in found]), f"{name}_keep": np.stack([one[1] for one in found])}
    facts = _facts(arrays, shown, ceiling=ceiling, sane=sane) | {
        "asked": {"set": plan.source, "pictures": len(plan.forget), "beside": len(plan.retain)},
        "taught": plan.num_taught,
        "terms": PROTOCOL._asdict(),
        "weights": {name: models[name].weights for name in shown if name in models},
        "seconds": time.perf_counter() - began,
    }
    return ReportPart(facts, arrays)


def _facts(arrays: Mapping[str, np.ndarray], shown: list[str], *, ceiling: float, sane: float) -> dict[str, Any]:
    """What the curves come to: the relearn time of every model and the anamnesis index."""
    goal = {"target": PROTOCOL.back * ceiling, "floor": PROTOCOL.sane * sane}
    own: dict[str, dict[str, Any]] = {}
    for name in shown:
        forget, keep = arrays[name], arrays[f"{name}_keep"]
        own[name] = {
            "time": relearn_time(forget.mean(0), keep.mean(0), **goal),
            "times": [relearn_time(*both, **goal) for both in zip(forget, keep, strict=True)],
        }
    index: float | str = "There is no index without gold."
    if "gold" in own:
        index = anamnesis_index(own["after"]["time"], own["gold"]["time"])
    said = {"index": None, "why": index} if isinstance(index, str) else {"index": index}
    return {"ceiling": ceiling, "kept": sane, **goal, "models": own, **said}


def _choose_sets(resolved: ResolvedRun) -> RelearnSets:
    """Who is taught and who is asked: whole classes by validation, single pictures by those that are not taught."""
    split, chance = resolved.split, random_generator(resolved.spec.seed, "relearn", "asked")
    wish = resolved.spec.request.forget
    classes = len(wish.classes) if isinstance(wish, ForgetClasses) else 1
    keep = _sample(remaining_split(resolved).retain_val, PROTOCOL.beside, chance)
    pool, rest = split.forget_train, split.forget_val
    source = "forget_val"
    if not len(rest):
        source, order = "forget_train", pool[torch.randperm(len(pool), generator=chance).numpy()]
        rest = order[: min(len(pool) // 2, PROTOCOL.asked)]
        pool = order[len(rest) :]
    if not len(rest):  # One picture: it can only be asked about itself.
        source, rest = "taught", pool
    taught = min(PROTOCOL.each * classes, len(pool))
    return RelearnSets(np.sort(pool), taught, _sample(rest, PROTOCOL.asked, chance), keep, source)


def _sample(rows: np.ndarray, count: int, chance: torch.Generator) -> np.ndarray:
    return np.sort(rows[torch.randperm(len(rows), generator=chance)[:count].numpy()])


def _eval_set(rows: np.ndarray, resolved: ResolvedRun, model_cache: ModelCache) -> EvalSet:
    where = torch.from_numpy(rows).to(model_cache.device)
    return EvalSet(to_floats(resolved.data.images[where]), resolved.data.labels[where])


def _original_accuracy(before: FrozenModel, rows: np.ndarray, model_cache: ModelCache, resolved: ResolvedRun) -> float:
    """The share (0 to 1) of these pictures that the original names rightly, from what it answered long ago."""
    answers = model_cache.evaluation(before, resolved.card).logits[rows].argmax(1)
    return float((answers == resolved.data.image_dataset.labels[rows]).mean())
