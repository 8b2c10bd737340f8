"""The search: it tries strengths of a method on training images, judges each by validation images, and chooses one."""

from collections.abc import Callable
from dataclasses import replace
from math import nan, sqrt
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.forget_request import ForgetClasses
from unlearn_core.domain.params import BaseHyperparameters
from unlearn_core.domain.results.course import ImageCounts
from unlearn_core.domain.results.found_settings import Goal, TriedSettings, TuningResult
from unlearn_core.domain.split import evenly_spaced
from unlearn_core.domain.tracker import Tracker
from unlearn_core.domain.tuning import Tuning
from unlearn_core.engine.forecasts.here import image_cost
from unlearn_core.engine.model_cache import DeviceDataset, trainable_copy
from unlearn_core.engine.setup import ResolvedRun
from unlearn_core.engine.tuning import budget
from unlearn_core.training import evaluate
from unlearn_core.training.problem import ImageSubset, Problem
from unlearn_core.training.seeding import seeded

REVISION = 4
"""Raise it if a change alters what is found for the same spec: measured results then count as outdated."""

STRIDE = 4.0
"""The ratio of two strengths until one is too weak and the other too strong; from then on they are halved."""

CLASS_LEFT = 0.02
"""The accuracy on a forgotten class that counts as none."""

TOLERANCE = 0.02
"""How much less of the retain set may be classified correctly than before."""

FEWEST_LOST = 2
"""So many retained images may be lost in any case: of a few images, one is more than the tolerance."""

REPAIRED_LATER = 0.15
"""How much less may be in a try that is shorter than the run, which repairs the rest."""

IMAGES_TOLERANCE = 0.04
"""By how much the accuracy on forgotten images may differ from that on unseen ones."""


NO_ROOM = "A try would cost too much beside the run."
NO_REFERENCE = "There are no validation images of these classes, which would tell how a model predicts unseen images."


class Judge(NamedTuple):
    """The images after which settings are judged, none of them test images, and the goal."""

    data: DeviceDataset
    forget: np.ndarray
    retain: np.ndarray
    goal: Goal
    has_reference: bool = True
    """False if nothing tells how well the model should predict single images: there are no held-out ones of their
    classes."""

    def accuracies(self, model: nn.Module) -> tuple[float, float]:
        """Return a model's accuracies (0 to 1) on the forget and the retain side."""
        return _accuracy(model, self.data, self.forget), _accuracy(model, self.data, self.retain)


def find(
    resolved: ResolvedRun,
    problem: Problem,
    make_tracker: Callable[[], Tracker],
    announce: Callable[[int, int], None],
) -> TuningResult:
    """Find the hyperparameters of a run that are named in its spec, and return everything that was tried.

    Every try begins with the original model, the run's seed and a tracker of `make_tracker`. `announce` is called with
    the number of a try (from 1) and how many there are at most. Raises CancelledError if the run is cancelled.
    """
    tuning = resolved.method.tuning
    assert tuning is not None, "resolve_run refuses to search for hyperparameters of other methods"
    judge = judge_of(resolved)
    base = resolved.params
    if tuning.aim in resolved.spec.auto:
        base = base.updated({tuning.aim: round((judge.goal.forget_low + judge.goal.forget_high) / 2, 2)})

    def settings(strength: float) -> BaseHyperparameters:
        return tuning.settings(base, problem.sizes, strength, only=resolved.spec.auto)

    cost = image_cost(resolved.card.architecture, resolved.data.card.size)
    evaluated = len(judge.forget) + len(judge.retain)
    tries, share = budget.plan(resolved.method, settings(1.0), problem.sizes, cost, evaluated=evaluated)
    goal, stronger = judge.goal, tuning.compensation(settings(1.0), share)
    if share < 1 and tuning.repairs_later:
        goal = goal.model_copy(update={"retain_low": max(0.0, goal.retain_low - REPAIRED_LATER)})
    reason = NO_ROOM if not tries else "" if judge.has_reference else NO_REFERENCE
    tried: list[TriedSettings] = []
    strength: float | None = 1.0
    while not reason and strength is not None and len(tried) < tries:
        announce(len(tried) + 1, tries)
        params = settings(strength), settings(strength * stronger)
        tried.append(_try(resolved, problem, strength, params, share, judge, make_tracker()))
        strength = _next_strength(tried, goal, tuning)
        if strength is not None and any(_values(resolved, settings(strength)) == one.params for one in tried):
            break  # The bounds of the hyperparameters are reached.
    chosen = choose(tried, goal)
    params = _values(resolved, settings(1.0)) if chosen is None else tried[chosen].params
    counts = ImageCounts(forget=len(judge.forget), retain=len(judge.retain))
    titles = {name: info.title for name, info in resolved.params.hyperparameters().items() if name in params}
    found = TuningResult(
        goal=goal,
        images=counts,
        share=share,
        compensation=stronger,
        tried=tried,
        chosen=chosen,
        params=params,
        titles=titles,
    )
    return found.model_copy(update={"reason": reason}) if reason else found


def judge_of(resolved: ResolvedRun) -> Judge:
    """Return the images and the goal by which the settings of a run are judged.

    A class should not be predicted any more. Single images should be predicted as well as the original model predicts
    validation images of the same classes, which it was not trained on; or wrongly, if that is the method's aim.
    """
    split, labels, tuning = resolved.remaining_split, resolved.data.image_dataset.labels, resolved.method.tuning
    is_class = isinstance(resolved.spec.request.forget, ForgetClasses)
    forget = evenly_spaced(np.concatenate([split.forget_train, split.forget_val]), budget.EVALUATED["forget"])
    judged = split.retain_val if len(split.retain_val) else split.retain_train
    retain = evenly_spaced(judged, budget.EVALUATED["retain"])
    before = resolved.before.module
    low, high, unseen = 0.0, CLASS_LEFT, 0.0
    if not is_class and not (tuning is not None and tuning.misclassifies):
        unseen = _unseen_accuracy(before, resolved.data, split.retain_val, labels, forget)
        within = max(IMAGES_TOLERANCE, 1 / len(forget))
        low, high = (0.0, 1.0) if unseen is None else (max(0.0, unseen - within), min(1.0, unseen + within))
    floor = max(0.0, _accuracy(before, resolved.data, retain) - max(TOLERANCE, FEWEST_LOST / len(retain)))
    goal = Goal(forget_low=low, forget_high=high, retain_low=floor)
    return Judge(resolved.data, forget, retain, goal, has_reference=unseen is not None)


def choose(tried: list[TriedSettings], goal: Goal) -> int | None:
    """Return the place of the settings that come closest to the goal; of several, the first. None without any."""
    known = [place for place, one in enumerate(tried) if not one.failed]
    return min(known, key=lambda place: goal.shortfall(tried[place].forget, tried[place].retain), default=None)


def _next_strength(tried: list[TriedSettings], goal: Goal, tuning: Tuning) -> float | None:
    """Return the strength to try next; None if the last one reached the goal."""
    if not tried[-1].failed and goal.shortfall(tried[-1].forget, tried[-1].retain) == 0:
        return None
    weak = [one.strength for one in tried if _is_too_weak(one, goal, tuning)]
    strong = [one.strength for one in tried if not _is_too_weak(one, goal, tuning)]
    if not strong:
        return max(weak) * STRIDE
    if not weak:
        return min(strong) / STRIDE
    return sqrt(max(weak) * min(strong))


def _is_too_weak(one: TriedSettings, goal: Goal, tuning: Tuning) -> bool:
    if one.failed:
        return False
    damaged = one.retain < goal.retain_low
    return damaged if tuning.repairs and damaged else one.forget > goal.forget_high and not damaged


def _try(
    resolved: ResolvedRun,
    problem: Problem,
    strength: float,
    params: tuple[BaseHyperparameters, BaseHyperparameters],
    share: float,
    judge: Judge,
    tracker: Tracker,
) -> TriedSettings:
    """Try hyperparameters; of the two, the first are those of a run at this strength, and the second those of a try."""
    values, own, tuning = _values(resolved, params[0]), params[1], resolved.method.tuning
    if share < 1 and tuning is not None:
        own, images = tuning.shortened(own, share)
        problem = _sampled(problem, images)
    problem = replace(problem, model=trainable_copy(problem.original_model))
    try:
        with seeded(problem.seed, "noise", device=problem.device):
            resolved.method.forget(problem, own, tracker)
    except DivergedError as problem_found:
        return TriedSettings(strength=strength, params=values, forget=nan, retain=nan, failed=str(problem_found))
    forget, retain = judge.accuracies(problem.model)
    return TriedSettings(strength=strength, params=values, forget=forget, retain=retain)


def _values(resolved: ResolvedRun, params: BaseHyperparameters) -> dict[str, object]:
    """Return the values of the hyperparameters that are to be found."""
    return {name: value for name, value in params.model_dump().items() if name in resolved.spec.auto}


def _sampled(problem: Problem, share: float) -> Problem:
    """Return the problem with a share of its training images; the same ones for every try."""
    if share == 1:
        return problem
    sizes = budget.shortened(problem.sizes, share)

    def part(subset: ImageSubset | None, count: int) -> ImageSubset | None:
        return None if subset is None else subset.sample(count, problem.random_generator("tuning"))

    return replace(
        problem,
        sizes=sizes,
        forget_subset=part(problem.forget_subset, sizes.forget),
        retain_subset=part(problem.retain_subset, sizes.retain),
    )


def _unseen_accuracy(
    model: nn.Module, data: DeviceDataset, held_out: np.ndarray, labels: np.ndarray, forget: np.ndarray
) -> float | None:
    """Return the accuracy on held-out images, weighted by the classes of the forget images; None without any."""
    counts = np.bincount(labels[forget], minlength=int(labels.max()) + 1)
    found = held_out[counts[labels[held_out]] > 0]
    if not len(found):
        return None
    right = _predict(model, data, found) == labels[found]
    shares = [(count, right[labels[found] == label]) for label, count in enumerate(counts.tolist()) if count]
    known = [(count, float(own.mean())) for count, own in shares if len(own)]
    return sum(count * mean for count, mean in known) / sum(count for count, _ in known)


def _accuracy(model: nn.Module, data: DeviceDataset, rows: np.ndarray) -> float:
    return float((_predict(model, data, rows) == data.image_dataset.labels[rows]).mean())


def _predict(model: nn.Module, data: DeviceDataset, rows: np.ndarray) -> np.ndarray:
    return evaluate.logits(model, data.images[torch.from_numpy(rows).to(data.images.device)]).argmax(1)
