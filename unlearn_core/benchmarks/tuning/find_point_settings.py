"""Finds the settings from which methods start in the playground.

`python -m unlearn_core.benchmarks.tuning.find_point_settings` takes half an hour on one core.

For each method and kind of request, a search tries values of the hyperparameters that the playground shows, and of the
batch size, on every bundled data set of points. It takes those that come closest to the retrained model, on training
and validation points: the accuracy on the forget side, that on the retain side, and a half of the share of the plane
where predictions differ. Of single points, methods whose aim is to misclassify them should predict none correctly. Test
points are not used. Settings that take too long are not taken.
"""

import argparse
import json
import time
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import optuna
import torch

from unlearn_core.data import playground_points
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.forget_request import ForgetClasses, ForgetImages
from unlearn_core.domain.method import Method, RequestKind
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.domain.split import Split, trainable_split
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.playground import point_models, point_settings
from unlearn_core.engine.playground.boundary_recorder import grid_points
from unlearn_core.engine.setup import build_problem
from unlearn_core.methods import methods
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files.artifacts import write_json
from unlearn_core.training import evaluate
from unlearn_core.training.seeding import seeded

TRIALS = 16
NEAR = 40
"""Points of a request for single points: one point of a class and those that are nearest to it."""
MOST_SECONDS = 0.5
"""CPU seconds that a run may take, without its frames."""
BATCHES = (16, 32, 64, 128)


class Request(NamedTuple):
    """A request of the search: a resolved run for its points, and what the retrained model predicts."""

    points: point_models.PointData
    split: Split
    spec: PointsSpec
    gold: "Judgement"


class Judgement(NamedTuple):
    """Accuracies (0 to 1) on both sides, and the predicted class at every grid point."""

    forget: float
    retain: float
    plane: np.ndarray


def main() -> None:
    """Search for every method, or for those that are named, and write assets/playground/settings.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(methods()))
    parser.add_argument("--trials", type=int, default=TRIALS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    model_cache, file = ModelCache("cpu", open_data_dir()), point_settings.SETTINGS_FILE
    found = _read(file)
    for name in args.only:
        for kind in sorted(methods()[name].supports):
            values, score = search(methods()[name], kind, model_cache, trials=args.trials)
            found["values"].setdefault(name, {})[kind] = values
            found["gaps"].setdefault(name, {})[kind] = score
            print(f"{name} {kind}: {score} {values}", flush=True)
            write_json(file, {part: dict(sorted(own.items())) for part, own in found.items()})


def search(
    method: Method[Any], kind: RequestKind, model_cache: ModelCache, *, trials: int
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the best values of all hyperparameters, and the mean gaps to the retrained model with them."""
    requests = _requests(kind, model_cache)

    def objective(trial: optuna.Trial) -> float:
        params = _suggest(trial, method)
        gaps = [_gap(method, params, request, model_cache) for request in requests]
        trial.set_user_attr("values", params)
        for part in ("forget", "retain", "plane"):
            trial.set_user_attr(part, round(fmean(gap[part] for gap in gaps), 4))
        return fmean(gap["forget"] + gap["retain"] + gap["plane"] / 2 for gap in gaps)

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=trials if len(point_settings.CONTROLS[method.id]) > 1 else 3)
    best = study.best_trial.user_attrs
    return best["values"], {part: best[part] for part in ("forget", "retain", "plane")}


def _suggest(trial: optuna.Trial, method: Method[Any]) -> dict[str, Any]:
    """Values of all hyperparameters: those that the page shows are searched, and the batch size."""
    params = next(iter(method.presets.values())).params.model_dump()
    params |= {name: value for name, value in _FIXED.items() if name in params}
    for info in point_settings.shown_hyperparameters(method):
        if method.id == "retrain":
            continue
        if info.kind in ("choice", "bool"):
            continue  # Switches of the idea itself stay as they are published.
        low = _LEAST.get(info.name, info.low or 0)
        if info.kind == "int":
            step = int(info.step or 1)
            first = -(-int(low) // step) * step
            params[info.name] = trial.suggest_int(info.name, first, int(info.high or 0), step=step)
        else:
            value = trial.suggest_float(info.name, info.low or 0, info.high or 0, log=info.scale == "log")
            params[info.name] = float(f"{value:.2g}")
    for name, low, high in _HIDDEN.get(method.id, ()):
        params[name] = float(f"{trial.suggest_float(name, low, high, log=low > 0):.2g}")
    if "batch" in params and method.id != "ssd":
        params["batch"] = trial.suggest_categorical("batch", BATCHES)
    return method.params.parse(params).model_dump()


_HIDDEN = {
    "l2ul": (("ascent", 0.2, 0.9), ("most", 0.0, 6.0), ("hold", 0.1, 30.0), ("radius", 0.1, 0.4)),
    "scrub": (("alpha", 1e-3, 1.0), ("temperature", 1.0, 6.0)),
}
"""Hyperparameters that the page does not show, and their bounds in the search: name, low, high."""

_LEAST = {"noise_pictures": 32}
"""What belongs to the idea of a method is not left out, whether or not the result needs it."""

_FIXED = {"augment": False, "radius": 0.2, "attack_step": 0.03, "attack_steps": 20, "attacked": 48, "max_steps": 120}
"""Points are not augmented. An attack moves them by up to a fifth of the plane, in few steps and from few points."""


def _gap(method: Method[Any], params: dict[str, Any], request: Request, model_cache: ModelCache) -> dict[str, float]:
    """How far a run of the method ends from the retrained model; 1 each where it fails or takes too long."""
    worst = {"forget": 1.0, "retain": 1.0, "plane": 1.0}
    spec = request.spec.model_copy(update={"part": "unlearn", "method": method.id, "params": params})
    before = model_cache.original(request.points.card)
    assert before is not None
    resolved = point_models.resolve_points(spec, request.points, request.split, before)
    problem = build_problem(resolved, model_cache)
    began = time.thread_time()
    try:
        with seeded(0, "noise"):
            method.forget(problem, resolved.params, NullTracker())
        found = _judge(problem.model, request.points, request.split)
    except (UnlearnError, RuntimeError):
        return worst
    if time.thread_time() - began > MOST_SECONDS and method.id != "retrain":
        return worst
    gold = request.gold
    if request.spec.forget is not None and request.spec.forget.kind == "images" and _misclassifies(method):
        return {"forget": found.forget, "retain": abs(found.retain - gold.retain), "plane": 0.0}
    plane = float((found.plane != gold.plane).mean())
    return {"forget": abs(found.forget - gold.forget), "retain": abs(found.retain - gold.retain), "plane": plane}


def _misclassifies(method: Method[Any]) -> bool:
    return method.tuning is not None and method.tuning.misclassifies


def _judge(model: torch.nn.Module, points: point_models.PointData, split: Split) -> Judgement:
    data = points.data

    def accuracy(rows: np.ndarray) -> float:
        chosen = torch.from_numpy(rows)
        return float((evaluate.logits(model, data.images[chosen]).argmax(1) == data.labels[chosen].numpy()).mean())

    forget = split.forget_val if len(split.forget_val) else split.forget_train
    return Judgement(accuracy(forget), accuracy(split.retain_val), evaluate.logits(model, grid_points()).argmax(1))


@cache
def _requests(kind: RequestKind, model_cache: ModelCache) -> list[Request]:
    """The second class of each data set, or the points around one point of its first class."""
    found: list[Request] = []
    for name in playground_points.point_datasets():
        points = point_models.point_data(PointsSpec(part="train", dataset=name), model_cache)
        forget = ForgetClasses(classes=(1,)) if kind == "classes" else _near(points)
        spec = PointsSpec(part="retrain", dataset=name, forget=forget)
        split = trainable_split(points.data.card, points.data.image_dataset.labels, forget)
        model = point_models.retrained(spec, points, split, model_cache, NullListener())
        found.append(Request(points, split, spec, _judge(model, points, split)))
    return found


def _near(points: point_models.PointData) -> ForgetImages:
    data = points.data
    places = data.images[: data.card.train, 0, 0, :2].numpy().astype(float)
    first = int(np.flatnonzero(data.labels.numpy() == 0)[0])
    order = np.linalg.norm(places - places[first], axis=1).argsort(kind="stable")
    return ForgetImages(images=tuple(int(place) for place in order[:NEAR]))


def _read(file: Path) -> dict[str, dict[str, Any]]:
    return json.loads(file.read_text()) if file.exists() else {"values": {}, "gaps": {}}


if __name__ == "__main__":
    main()
