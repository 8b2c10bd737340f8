"""Can it be brought back? After, gold and a net that knows nothing are taught again a few of the forgotten pictures."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from unlearn_core.domain.errors import Diverged
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.measurement import Part
from unlearn_core.domain.relearn_protocol import LAST, STEPS, TERMS, index_of, time_of
from unlearn_core.engine.initial_weights import unknowing
from unlearn_core.engine.listener import Listener
from unlearn_core.engine.measure import Reopened, attach, models_of, reopen
from unlearn_core.engine.model_cache import Trained, Warm
from unlearn_core.engine.setup import Layout, still_there
from unlearn_core.engine.tracker import RunTracker
from unlearn_core.training.batches import to_floats
from unlearn_core.training.relearn import Asked, lessons, relearn
from unlearn_core.training.seeding import stream

PHASES = {"fresh": "fresh net"}
"""What a phase is called where a net's name alone would not say it."""


class Plan(NamedTuple):
    """Positions in the data set: forgotten pictures that may be taught, and those of either side that are asked.

    `taught` of the forgotten ones are taught in a draw; `source` is the set that the asked ones are from.
    """

    pool: np.ndarray
    taught: int
    forget: np.ndarray
    keep: np.ndarray
    source: str


def add(run: int, warm: Warm, listener: Listener) -> dict[str, Any]:
    """Adds the part "relearn" to a finished run's report, or the reason for its absence; gives what the row keeps."""
    listener.check()
    return complete(reopen(run, warm), warm, listener)


def complete(finished: Reopened, warm: Warm, listener: Listener) -> dict[str, Any]:
    """The same for a report wherever its folder lies."""
    models = models_of(finished.report.spec, finished.layout, warm, finished.after, {})
    found = measure(finished.layout, models, warm, listener)
    listener.check()
    attach(finished, "relearn", found, warm)
    if isinstance(found, str):
        return {"relearn": None}
    times = {model: own["time"] for model, own in found.facts["models"].items()}
    return {"relearn": {"times": times, "index": found.facts["index"]}}


def measure(layout: Layout, models: Mapping[str, Trained], warm: Warm, listener: Listener) -> Part | str:
    """Both accuracies over the steps for after, gold where there is one, and fresh nets; or why there are none.

    In the arrays each model has `{model}` and `{model}_keep` (draws, len(STEPS)), 0 to 1. Times are counted on the mean
    over the draws, and once more for each draw.
    """
    began, plan = time.perf_counter(), _plan(layout)
    images, labels = layout.data.images, layout.data.labels
    asked = [_asked(rows, layout, warm) for rows in (plan.forget, plan.keep)]
    ceiling, sane = (_right(models["before"], group, warm, layout) for group in (plan.forget, plan.keep))
    if ceiling == 0:
        count = len(plan.forget)
        return (
            f"The original itself names none of the {count:,} pictures asked rightly: there is nothing to bring back."
        )
    tracker, arrays = RunTracker(listener), {"step": np.array(STEPS, np.float32)}
    shown = [name for name in ("after", "gold") if name in models] + ["fresh"]
    tracker.plan(**{PHASES.get(name, name): TERMS.draws * LAST for name in shown})
    pool, keep = (torch.from_numpy(rows).to(warm.device) for rows in (plan.pool, still_there(layout).retain_train))
    seed, fresh = layout.spec.seed, unknowing(layout.card, warm)
    for name in shown:
        tracker.phase(PHASES.get(name, name))
        found = []
        for draw in range(TERMS.draws):
            net = fresh(seed, "relearn", draw) if name == "fresh" else models[name].net
            batches = lessons(pool, keep, terms=TERMS, taught=plan.taught, seed=seed, draw=draw)
            try:
                found.append(relearn(net, images, labels, batches, asked=asked, terms=TERMS, track=tracker))
            except Diverged:
                raise Diverged(f"Teaching {name} again broke down: its loss is no longer a number.") from None
        arrays |= {name: np.stack([one[0] for one in found]), f"{name}_keep": np.stack([one[1] for one in found])}
    facts = _facts(arrays, shown, ceiling=ceiling, sane=sane) | {
        "asked": {"set": plan.source, "pictures": len(plan.forget), "beside": len(plan.keep)},
        "taught": plan.taught,
        "terms": TERMS._asdict(),
        "weights": {name: models[name].weights for name in shown if name in models},
        "seconds": time.perf_counter() - began,
    }
    return Part(facts, arrays)


def _facts(arrays: Mapping[str, np.ndarray], shown: list[str], *, ceiling: float, sane: float) -> dict[str, Any]:
    """What the curves come to: the relearn time of every model and the anamnesis index."""
    goal = {"target": TERMS.back * ceiling, "floor": TERMS.sane * sane}
    own: dict[str, dict[str, Any]] = {}
    for name in shown:
        forget, keep = arrays[name], arrays[f"{name}_keep"]
        own[name] = {
            "time": time_of(forget.mean(0), keep.mean(0), **goal),
            "times": [time_of(*both, **goal) for both in zip(forget, keep, strict=True)],
        }
    index: float | str = "There is no index without gold."
    if "gold" in own:
        index = index_of(own["after"]["time"], own["gold"]["time"])
    said = {"index": None, "why": index} if isinstance(index, str) else {"index": index}
    return {"ceiling": ceiling, "kept": sane, **goal, "models": own, **said}


def _plan(layout: Layout) -> Plan:
    """Who is taught and who is asked: whole classes by validation, single pictures by those that are not taught."""
    split, chance = layout.split, stream(layout.spec.seed, "relearn", "asked")
    wish = layout.spec.request.forget
    classes = len(wish.classes) if isinstance(wish, ForgetClasses) else 1
    keep = _few(still_there(layout).retain_val, TERMS.beside, chance)
    pool, rest = split.forget_train, split.forget_val
    source = "forget_val"
    if not len(rest):
        source, order = "forget_train", pool[torch.randperm(len(pool), generator=chance).numpy()]
        rest = order[: min(len(pool) // 2, TERMS.asked)]
        pool = order[len(rest) :]
    if not len(rest):  # One picture: it can only be asked about itself.
        source, rest = "taught", pool
    taught = min(TERMS.each * classes, len(pool))
    return Plan(np.sort(pool), taught, _few(rest, TERMS.asked, chance), keep, source)


def _few(rows: np.ndarray, count: int, chance: torch.Generator) -> np.ndarray:
    return np.sort(rows[torch.randperm(len(rows), generator=chance)[:count].numpy()])


def _asked(rows: np.ndarray, layout: Layout, warm: Warm) -> Asked:
    where = torch.from_numpy(rows).to(warm.device)
    return Asked(to_floats(layout.data.images[where]), layout.data.labels[where])


def _right(before: Trained, rows: np.ndarray, warm: Warm, layout: Layout) -> float:
    """The share (0 to 1) of these pictures that the original names rightly, from what it answered long ago."""
    answers = warm.evaluation(before, layout.card).logits[rows].argmax(1)
    return float((answers == layout.data.pictures.labels[rows]).mean())
