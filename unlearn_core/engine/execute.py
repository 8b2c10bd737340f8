"""RunSpec in, Report out: forgets, asks the nets, lets every probe look, and writes the run's folder."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from unlearn_core.domain.jobs import AddSpec, GoldSpec, ImportSpec, Look, MeasureSpec, RunSpec, TrainSpec
from unlearn_core.domain.measurement import Part
from unlearn_core.domain.report import Report, forgotten, headline_of
from unlearn_core.domain.run import Run
from unlearn_core.engine import measure
from unlearn_core.engine.devices import describe, resolve
from unlearn_core.engine.jobs import (
    add_checkpoint,
    explain,
    import_dataset,
    lira,
    neurips_score,
    relearn,
    train_classifier,
    train_gold,
)
from unlearn_core.engine.listener import Listener, Nobody
from unlearn_core.engine.model_cache import Warm, after_of
from unlearn_core.engine.record_run import in_history
from unlearn_core.engine.setup import Layout, lay_out, problem_of
from unlearn_core.engine.tracker import RunTracker, Watch
from unlearn_core.probes.common import class_activation
from unlearn_core.store.data_folder import home as data_folder
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import weights
from unlearn_core.training.problem import Problem
from unlearn_core.training.seeding import seeded

__all__ = ["Finished", "Listener", "Warm", "carry_out", "title_of", "unlearn"]

WATCHED = {"forget_train": 30, "forget_val": 50, "retain_val": 80}
"""How many fixed pictures are asked along the way; never test pictures, which nobody may choose a step by."""


class Finished(NamedTuple):
    """A run that is over: its report, the folder that holds it, its number in the history (None if it has none)."""

    report: Report
    folder: Path
    run: int | None
    headline: dict[str, Any]


def carry_out(run: Run, warm: Warm, listener: Listener) -> dict[str, Any]:
    """Does any kind of run and writes what comes of it; gives the headline figures.

    Raises Cancelled or GaveWay when the listener says so, and UnlearnError where the run cannot be done.
    """
    folder = artifacts.folder_of(warm.home, run.id)
    match run.spec:
        case RunSpec():
            return _unlearn(run.spec, warm, listener, folder)
        case GoldSpec():
            return train_gold.train_gold(run.spec, warm, listener)
        case MeasureSpec():
            return _measure(run.spec, warm, listener)
        case TrainSpec():
            return train_classifier.train(run.spec, warm, listener, folder)
        case AddSpec():
            return add_checkpoint.look_over(run.spec, warm, listener, folder)
        case ImportSpec():
            return import_dataset.bring_in(run.spec, warm.home, listener)
        case Look():
            return explain.answer(run.spec, warm, folder)


def _measure(spec: MeasureSpec, warm: Warm, listener: Listener) -> dict[str, Any]:
    match spec.what:
        case "new":
            return measure.add_what_is_new(spec.run, warm, listener)
        case "relearn":
            return relearn.add(spec.run, warm, listener)
        case "score":
            return neurips_score.add(spec.run, spec.nets, warm, listener)
        case "lira":
            return lira.add(spec.run, spec.nets, warm, listener)


def unlearn(
    spec: RunSpec,
    *,
    device: str = "auto",
    home: Path | None = None,
    listener: Listener | None = None,
    out: Path | None = None,
) -> Finished:
    """Unlearns in this process: for notebooks, scripts and the command line.

    The run joins the history of the data folder, unless `out` names a folder for its report; that one then holds
    everything that reading it back needs. Raises UnlearnError where the spec cannot be carried out.
    """
    where, folder = resolve(device), home or data_folder()
    warm, listener = Warm(where, folder), listener or Nobody()
    lay_out(spec, warm)  # A spec that cannot be done leaves no row in the history.
    if out is not None:
        headline = _unlearn(spec, warm, listener, out)
        return Finished(reports.read_folder(out), out, None, headline)
    run, headline = in_history(
        RunStore(folder),
        spec,
        title=title_of(spec, warm),
        device=where,
        work=lambda run: _unlearn(spec, warm, listener, artifacts.folder_of(folder, run)),
    )
    return Finished(reports.read(folder, run), artifacts.folder_of(folder, run), run, headline)


def title_of(spec: RunSpec, warm: Warm) -> str:
    """What a run is called: "Forget cat with UNSIR"."""
    layout = lay_out(spec, warm)
    return f"Forget {forgotten(spec, layout.data.card)} with {layout.method.title}"


class Begun(NamedTuple):
    """A run that is laid out and about to forget; `load` are the seconds that this took."""

    layout: Layout
    problem: Problem
    tracker: RunTracker
    listener: Listener
    started: str
    load: float


def begin(spec: RunSpec, warm: Warm, listener: Listener) -> Begun:
    """Lays a run out. Raises UnlearnError where its spec cannot be done."""
    began, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    layout = lay_out(spec, warm)
    problem = problem_of(layout, warm)
    tracker = RunTracker(listener, _watch(layout, problem.net))
    return Begun(layout, problem, tracker, listener, started, time.perf_counter() - began)


def _unlearn(spec: RunSpec, warm: Warm, listener: Listener, folder: Path) -> dict[str, Any]:
    begun = begin(spec, warm, listener)
    began = time.perf_counter()
    # Dropout inside a net draws from the global state; everything else has streams of its own.
    with seeded(spec.seed, "noise", device=warm.device):
        begun.layout.method.forget(begun.problem, begun.layout.knobs, begun.tracker)
    settle(warm.device)
    return finish(begun, warm, folder, forget=time.perf_counter() - began)


def finish(begun: Begun, warm: Warm, folder: Path, *, forget: float, together: int = 1) -> dict[str, Any]:
    """Evaluates and measures a run that has forgotten in so many seconds, writes its report, and gives its headline.

    Where runs forgot `together`, side by side, `forget` is this one's share of the time that all of them took.
    """
    layout, tracker, listener, spec = begun.layout, begun.tracker, begun.listener, begun.layout.spec
    forgot = time.perf_counter()
    tracker.doing("evaluating")
    after = after_of(begun.problem.net)
    missing: dict[str, str] = {}
    models = measure.models_of(spec, layout, warm, after, missing)
    evaluations = {name: warm.evaluation(one, layout.card) for name, one in models.items() if name != "other"}
    evaluated = time.perf_counter()

    tracker.doing("measuring")
    parts = measure.look_at_all(spec, layout, models, evaluations, missing) | tracker.parts()
    measure.add_gold_to_replay(parts, layout, models)
    now = time.perf_counter()
    seconds = {
        "total": begun.load + forget + now - forgot,
        "load": begun.load,
        "forget": forget,
        "evaluate": evaluated - forgot,
        "probes": now - evaluated,
    }
    parts["timings"] = Part(
        {
            "phases": [phase._asdict() for phase in tracker.phases()],
            "seconds": seconds,
            "steps": tracker.steps,
            "pictures": tracker.pictures,
            "device": describe(str(warm.device)),
            "threads": torch.get_num_threads(),
            "versions": {"torch": torch.__version__, "numpy": np.__version__},
            "started": begun.started,
        }
        | ({"together": together} if together > 1 else {}),
        {},
    )
    listener.check()
    weights.write(folder / artifacts.WEIGHTS, after.net)
    report = Report(
        run=None,
        spec=spec,
        classifier=layout.card,
        dataset=layout.data.card,
        method=layout.method.title,
        labels=layout.data.pictures.labels,
        split=layout.split,
        evaluations=evaluations,
        parts=parts,
        missing=missing,
    )
    # Runs of this data folder share their evaluations; what goes elsewhere has files of its own.
    reports.write(report, folder, pool=warm.evaluations if folder.is_relative_to(warm.home) else None)
    # What a picture takes in a stack says nothing of what a run of its own will take.
    speed = seconds["forget"] / tracker.pictures if tracker.pictures and together == 1 else None
    cost = {"seconds": seconds, "seconds_per_picture": speed, "weights": after.weights}
    return headline_of(parts, {model: one.weights for model, one in evaluations.items()}) | cost


def _watch(layout: Layout, net: torch.nn.Module) -> Watch:
    """The curve follows validation pictures where there are any; single forgotten pictures are watched themselves."""
    class_activation.prepare()
    counts = dict(WATCHED)
    if not len(layout.split.forget_val):
        counts["forget_train"] += counts["forget_val"]
    sets = {name: _spread(getattr(layout.split, name), count) for name, count in counts.items()}
    return Watch(net, layout.data.images, layout.data.pictures.labels, sets, layout.card.roles)


def _spread(ids: np.ndarray, count: int) -> np.ndarray:
    """So many of them at even distances: all classes in their natural share, the same ones every time."""
    return ids[np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int)]


def settle(device: torch.device) -> None:
    """Waits until a GPU has really done what it was told, so that seconds mean something."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
