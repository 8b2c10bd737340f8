"""Accuracies of one run beside those of its retrained model, without a report: for tables of many runs."""

from collections.abc import Sequence

import torch

from unlearn_core.benchmarks.csv_tables import MeasuredRow
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import ResolvedRun, build_problem, resolve_run
from unlearn_core.engine.tracking.tracker import RunTracker
from unlearn_core.training import evaluate


def measure_run(spec: UnlearnSpec, model_cache: ModelCache, sets: Sequence[str]) -> MeasuredRow:
    """Unlearn, and return accuracies (0 to 1) on these sets of the split, sample passes and the device.

    "SET" is that of the unlearned model, "SET_gold" that of the retrained one, which must exist.
    """
    resolved = resolve_run(spec, model_cache)
    problem, tracker = build_problem(resolved, model_cache), RunTracker(NullListener())
    resolved.method.forget(problem, resolved.params, tracker)
    gold = model_cache.gold(resolved.card, spec.request, 0)
    assert gold is not None, "only requests whose retrained model ships are measured"
    known, labels = model_cache.evaluation(gold, resolved.card).logits.argmax(1), resolved.data.image_dataset.labels
    row: MeasuredRow = {name: round(_accuracy(problem.model, resolved, name), 5) for name in sets}
    for name in sets:
        ids = getattr(resolved.split, name)
        row[f"{name}_gold"] = round(float((known[ids] == labels[ids]).mean()), 5)
    return row | {"passes": tracker.images_seen, "device": describe_device(str(model_cache.device))}


def _accuracy(model: torch.nn.Module, resolved: ResolvedRun, name: str) -> float:
    """Return the accuracy on a set of the split."""
    rows = torch.from_numpy(getattr(resolved.split, name)).to(resolved.data.images.device)
    logits = evaluate.logits(model, resolved.data.images[rows])
    return float((logits.argmax(1) == resolved.data.labels[rows].cpu().numpy()).mean())
