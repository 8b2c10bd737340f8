"""Trials around each preset `bundled`: main hyperparameters halved and doubled, one at a time.

Nothing here is reported elsewhere: other requests than the standard ones, another seed than those of RESULTS.md, and no
test image. A trial gets a data set that ends before the test images, so it cannot read one.
"""

import time
from collections.abc import Container, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from unlearn_core.benchmarks.csv_tables import MeasuredRow, pending
from unlearn_core.benchmarks.results import CLASSIFIER
from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.data import datasets
from unlearn_core.domain.errors import DivergedError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.method import ProblemSize
from unlearn_core.domain.split import make_split
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun, build_problem, resolve_run
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.methods import method as find_method
from unlearn_core.models import classifiers
from unlearn_core.probes import probes
from unlearn_core.training import evaluate

VARIED: Mapping[str, tuple[str, ...]] = {
    "bad_teacher": ("lr",),
    "boundary": ("lr",),
    "cfk": ("lr",),
    "delete": ("lr",),
    "finetune": ("lr",),
    "fisher": ("alpha",),
    "l1_sparse": ("lr", "penalty"),
    "l2ul": ("lr", "hold"),
    "msg": ("lr",),
    "neggrad": ("lr",),
    "neggrad_plus": ("lr",),
    "random_labels": ("lr",),
    "reinit": ("lr",),
    "salun": ("lr", "share"),
    "scrub": ("lr",),
    "sfron": ("clip",),
    "ssd": ("share",),
    "unsir": ("impair_lr", "repair_lr"),
}
"""The main hyperparameters of each method that has any; retraining has none."""
FACTORS = (0.5, 2.0)
SEED = 100
CLASSES = ("airplane", "dog")
DRAWN = {"16-others": (1016, 16), "200-others": (1200, 200)}
"""Requests of single images: the seed that they are drawn with, and their number."""
AIM_AT_ZERO = ("l2ul",)
"""Methods whose own aim is an accuracy of 0 on single images too."""
PRESET = "preset"
"""How the trial with the preset itself is named in the table."""
OBJECTIVE_REVISION = 1
"""Raise it if the objective changes: earlier rows then count as outdated."""
COLUMNS = (
    "key",
    "method",
    "request",
    "hyperparameters",
    "seed",
    "forget_train",
    "forget_val",
    "retain_val",
    "objective",
    "passes",
    "seconds",
    "device",
    "error",
)
"""Accuracies and objective as fractions; forget_val is empty for single images, figures are for a run that diverges."""


class TuningTrial(NamedTuple):
    """One trial: its method, request, what it changes in the preset, and its spec."""

    method: str
    request: str
    change: dict[str, float]
    spec: UnlearnSpec

    @property
    def label(self) -> str:
        """The change in words, such as "lr=0.01"."""
        return ", ".join(f"{name}={value:g}" for name, value in self.change.items()) or PRESET


def tuning_requests() -> dict[str, Forget]:
    """Return the requests by name."""
    card = datasets.card(classifiers.card(CLASSIFIER).dataset)
    found: dict[str, Forget] = {name: ForgetClasses(classes=(card.classes.index(name),)) for name in CLASSES}
    for name, (seed, count) in DRAWN.items():
        images = np.random.default_rng(seed).choice(card.train, count, replace=False)
        found[name] = ForgetImages(images=tuple(images.tolist()))
    return found


def all_trials() -> list[TuningTrial]:
    """Return every trial; those of a method on a request stand together, cheap ones first, the preset leading."""
    groups = [
        _group(name, request, forget)
        for name in VARIED
        for request, forget in tuning_requests().items()
        if forget.kind in find_method(name).supports
    ]
    return [trial for group in sorted(groups, key=lambda group: sum(map(_passes, group))) for trial in group]


@cache
def trials_by_key() -> dict[str, TuningTrial]:
    """Return every trial in the same order by the key of its row; a key does not change while a program runs."""
    return {cache_key(trial): trial for trial in all_trials()}


def cache_key(trial: TuningTrial) -> str:
    """Return the hash of everything that a row depends on; a change makes it outdated."""
    return row_key(trial.spec, {"accuracy": probes()["accuracy"].revision}, objective=OBJECTIVE_REVISION)


def measure(trial: TuningTrial, model_cache: ModelCache) -> MeasuredRow:
    """Run a trial and return its row; for a run that diverges, a row with its error."""
    resolved = without_test_images(resolve_run(trial.spec, model_cache))
    problem, tracker = build_problem(resolved, model_cache), RunTracker(NullListener())
    row: MeasuredRow = dict.fromkeys(COLUMNS, "") | {
        "key": cache_key(trial),
        "method": trial.method,
        "request": trial.request,
        "hyperparameters": trial.label,
        "seed": SEED,
        "device": describe_device(str(model_cache.device)),
    }
    began = time.perf_counter()
    try:
        resolved.method.forget(problem, resolved.params, tracker)
    except DivergedError as error:
        return row | {"error": str(error)}
    row |= {"seconds": round(time.perf_counter() - began, 1), "passes": tracker.images_seen}
    left = _accuracy(problem.model, resolved, "forget_train")
    left_val = _accuracy(problem.model, resolved, "forget_val")
    retain = _accuracy(problem.model, resolved, "retain_val")
    assert left is not None and retain is not None
    unseen = _accuracy(resolved.before.module, resolved, "retain_val")
    aim = 0.0 if left_val is not None or trial.method in AIM_AT_ZERO else unseen
    assert aim is not None
    figures = {"forget_train": left, "retain_val": retain, "objective": objective(left, left_val, retain, aim)}
    figures |= {} if left_val is None else {"forget_val": left_val}
    return row | {name: round(value, 5) for name, value in figures.items()}


def objective(forget_train: float, forget_val: float | None, retain_val: float, aim: float) -> float:
    """Return retain accuracy minus the distance of forget accuracy from its aim: higher is better, at most 1.

    For a class the aim is 0, and the larger of both forget accuracies counts. For single images (None) it is the
    original's accuracy on validation images: what a model reaches on images that it never saw.
    """
    return retain_val - abs(max(forget_train, forget_val or 0.0) - aim)


def without_test_images(resolved: ResolvedRun) -> ResolvedRun:
    """Return a run whose images end before the test images: reading one of these is an IndexError."""
    data, visible = resolved.data, resolved.data.card.train + resolved.data.card.val
    return resolved._replace(data=data._replace(images=data.images[:visible], labels=data.labels[:visible]))


def measure_missing(
    known: Container[str], *, method: str | None, seconds: float, device: str, data_dir: Path
) -> Iterator[MeasuredRow]:
    """Yield the rows of trials whose keys are not known, one after another, and start none after so many seconds."""
    model_cache = ModelCache(device, data_dir)
    wanted = {key: trial for key, trial in trials_by_key().items() if method in (None, trial.method)}
    for _, trial in pending(wanted, known, seconds=seconds):
        yield measure(trial, model_cache)


def _accuracy(model: torch.nn.Module, resolved: ResolvedRun, name: str) -> float | None:
    """Return the accuracy on a set of the split; None if it is empty."""
    ids = getattr(resolved.split, name)
    if not len(ids):
        return None
    rows = torch.from_numpy(ids).to(resolved.data.images.device)
    logits = evaluate.logits(model, resolved.data.images[rows])
    return float((logits.argmax(1) == resolved.data.labels[rows].cpu().numpy()).mean())


def _group(name: str, request: str, forget: Forget) -> list[TuningTrial]:
    method = find_method(name)
    preset = method.presets["bundled"].for_request(forget)
    infos = method.params.hyperparameters()
    changes: list[dict[str, float]] = [{}]
    for varied in VARIED[name]:
        low, high, value = infos[varied].low, infos[varied].high, getattr(preset, varied)
        assert low is not None and high is not None
        values = {min(max(value * factor, low), high) for factor in FACTORS} - {value}
        changes += [{varied: one} for one in sorted(values)]
    card = classifiers.card(CLASSIFIER)
    of = ForgetRequest(classifier=card.id, dataset=card.dataset, forget=forget)
    return [
        TuningTrial(
            name,
            request,
            change,
            UnlearnSpec(request=of, method=name, params=preset.updated(change).model_dump(), seed=SEED),
        )
        for change in changes
    ]


def _passes(trial: TuningTrial) -> int:
    """Return about how many images a trial processes."""
    card = classifiers.card(CLASSIFIER)
    dataset, forget = datasets.card(card.dataset), trial.spec.request.forget
    split = make_split(dataset, _labels(card.dataset), forget)
    method = find_method(trial.method)
    return method.images_processed(method.params.parse(trial.spec.params), ProblemSize.of(split, dataset, forget, card))


@cache
def _labels(dataset: str) -> np.ndarray:
    return datasets.load(dataset).labels
