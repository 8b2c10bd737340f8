"""Measures the ladder, resumably: the original, golds of both requests, a learning rate per step, then every step.

What takes long is stored as soon as it is there: the original and the outputs of the golds beside the table, those of
the unlearned models in the scratch folder until their row is written.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from unlearn_core.benchmarks.csv_tables import MEMORISED_LADDER, MeasuredRow, Row, read_rows, write_rows
from unlearn_core.benchmarks.reproduction.ladder import resampling
from unlearn_core.benchmarks.reproduction.ladder.setting import (
    MAX_LOSS,
    NUM_GOLDS,
    NUM_MODELS,
    PRINTED_AS_VARIANCE,
    RATES,
    REPORTED,
    SIGMAS,
    TUNING,
    LadderStep,
    forget_request,
    recipe,
    step_spec,
    steps,
    tuned_steps,
)
from unlearn_core.benchmarks.row_keys import row_key
from unlearn_core.data import datasets
from unlearn_core.data.atomic_files import atomic_write, sha256
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.split import make_split
from unlearn_core.domain.tracker import NullTracker
from unlearn_core.engine.devices import describe_device
from unlearn_core.engine.jobs.common import ensemble_members
from unlearn_core.engine.jobs.common.ensemble_members import EnsembleTask
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.probes.common import neurips_score
from unlearn_core.training import evaluate
from unlearn_core.training.batches import to_floats
from unlearn_core.training.seeding import random_generator

FOLDER = MEMORISED_LADDER.parent
ORIGINAL = FOLDER / "original.safetensors"
CEILING = "golds against golds"
"""The name of the ceiling's row."""
GOLDS_AT_ONCE = 2
"""How many golds a process trains before they are stored and the time is looked at."""
COLUMNS = (
    "key", "request", "step", "sigma", "rate", "models", "forgetting", "retain", "test", "score", "error", "resampled",
    "device",
)  # fmt: skip
"""`retain` and `test` are relative to the golds; `error` is the standard deviation of the `resampled` scores."""


class Entry(NamedTuple):
    """A row to measure: a step on a request, with its noise and learning rate; without a step, the ceiling."""

    step: LadderStep | None
    request: str
    sigma: float
    rate: float | None

    @property
    def spec(self) -> UnlearnSpec | None:
        return None if self.step is None else step_spec(self.step, self.request, sigma=self.sigma, rate=self.rate)

    def key(self, original: str) -> str:
        """Return the hash of everything that the row depends on; `original` is the checksum of its weights."""
        revisions = {"epsilon": neurips_score.REVISION}
        if self.spec is None:
            return f"ceiling-{original[:8]}-{neurips_score.REVISION}"
        return row_key(self.spec, revisions, nets=NUM_MODELS, original=original)


class Ladder:
    """The measurement on one device; `end` is the time after which nothing is begun, as of time.monotonic()."""

    def __init__(self, device: str, scratch: Path, end: float) -> None:
        self.device, self.scratch, self.end = device, scratch, end
        self.jobs = 1 if device != "cpu" else os.cpu_count() or 1
        self.threads = max(1, (os.cpu_count() or 1) // self.jobs)
        self.model_cache = ModelCache(device, scratch)

    @property
    def is_over(self) -> bool:
        """Whether nothing more may be begun."""
        return time.monotonic() >= self.end

    def original(self) -> nn.Module:
        """Return the original, which is trained if there is none yet."""
        request = forget_request(REPORTED)
        if not ORIGINAL.exists():
            trained = ensemble_members.train_original(request, 0, self.model_cache, NullTracker(), recipe=recipe())
            FOLDER.mkdir(parents=True, exist_ok=True)
            save_file({name: value.cpu().contiguous() for name, value in trained.state_dict().items()}, ORIGINAL)
        return ensemble_members.load_original(request, ORIGINAL, self.model_cache).module

    def build_golds(self, request: str) -> Iterator[int]:
        """Build the missing golds of a request, and yield how many there are after each few."""
        folder = self.scratch / "ladder" / f"golds-{request}-{sha256(recipe().model_dump_json().encode())[:8]}"
        known = golds(request)
        few = GOLDS_AT_ONCE * self.jobs
        for first in range(len(known or ()), NUM_GOLDS[request], few):
            if self.is_over:
                return
            numbers = range(first, min(first + few, NUM_GOLDS[request]))
            tasks = [
                EnsembleTask(forget_request(request), number, folder, self.scratch, self.device, self.threads)._replace(
                    recipe=recipe()
                )
                for number in numbers
            ]
            list(ensemble_members.build_all(tasks, self.jobs))
            built = [ensemble_members.load_outputs(folder, number) for number in numbers]
            known = EnsembleOutputs.concatenate([one for one in (known, *built) if one is not None])
            atomic_write(_golds_file(request), known.to_bytes())
            yield len(known)

    def build_models(self, entry: Entry) -> EnsembleOutputs | None:
        """Return the outputs of a step's models, which are built as far as they are missing; None if time is over."""
        assert entry.spec is not None, "the ceiling has no models of its own"
        folder = self.scratch / "ladder" / entry.key(checksum())
        tasks = [
            EnsembleTask(entry.spec, number, folder, self.scratch, self.device, self.threads)._replace(
                original=ORIGINAL
            )
            for number in range(NUM_MODELS)
        ]
        if self.is_over:
            return None
        list(ensemble_members.build_all(tasks, self.jobs))
        outputs = [ensemble_members.load_outputs(folder, task.number) for task in tasks]
        return EnsembleOutputs.concatenate([one for one in outputs if one is not None])

    def row(self, entry: Entry) -> MeasuredRow | None:
        """Return the row of an entry; None if time is over before its models are there."""
        retrained = golds(entry.request)
        if retrained is None or len(retrained) < NUM_GOLDS[entry.request]:
            return None
        ours = retrained.members(NUM_MODELS, 2 * NUM_MODELS) if entry.step is None else self.build_models(entry)
        if ours is None:
            return None
        return scored(entry, ours, retrained.members(0, NUM_MODELS), describe_device(self.device))


def measure_all(ladder: Ladder) -> Iterator[str]:
    """Measure what is missing until time is over, store it, and yield what was done in words."""
    accuracies = validation_accuracies(ladder.original(), ladder.model_cache)
    sigma = tolerated_noise(accuracies)
    yield f"The original's accuracy without noise is {accuracies[0.0]:.3f}; it tolerates noise of {sigma:g}."
    yield from (f"golds of the tuning request: {count}" for count in ladder.build_golds(TUNING))
    tuning = tuning_entries(sigma)
    yield from _measure_rows(ladder, tuning, tuning)
    yield from (f"golds of the reported request: {count}" for count in ladder.build_golds(REPORTED))
    reported = reported_entries(sigma, chosen_rates(read_rows(MEMORISED_LADDER, "key"), sigma))
    yield from _measure_rows(ladder, reported, [*tuning, *reported])


def _measure_rows(ladder: Ladder, entries: Sequence[Entry], known_entries: Sequence[Entry]) -> Iterator[str]:
    """Measure the missing rows of these entries; the table then has those of the known entries, in their order."""
    keys = [entry.key(checksum()) for entry in known_entries]
    known = read_rows(MEMORISED_LADDER, "key")
    for entry in entries:
        key = entry.key(checksum())
        row = None if key in known else ladder.row(entry)
        if row is not None:
            known[key] = {name: str(value) for name, value in row.items()}
            write_rows(MEMORISED_LADDER, COLUMNS, [known[one] for one in keys if one in known])
            yield f"{row['request']}: {row['step']}, noise {row['sigma']:g}, rate {row['rate']}: {row['score']}"


def scored(entry: Entry, ours: EnsembleOutputs, retrained: EnsembleOutputs, device: str) -> MeasuredRow:
    """Return the row of models against golds; the tuning request's rows have no error."""
    labels = forget_labels(entry.request)
    score = ensemble_members.ensemble_score(ours, retrained, labels)
    figures = {"forgetting": score.forgetting, "retain": score.retain, "test": score.test, "score": score.final}
    again = resampling.resampled_scores(ours, retrained, labels) if entry.request == REPORTED else np.empty(0)
    return {
        "key": entry.key(checksum()),
        "request": entry.request,
        "step": CEILING if entry.step is None else entry.step.name,
        "sigma": entry.sigma,
        "rate": "" if entry.rate is None else entry.rate,
        "models": len(ours),
        **{name: round(float(value), 5) for name, value in figures.items()},
        "error": round(float(again.std(ddof=1)), 5) if len(again) else "",
        "resampled": " ".join(f"{value:.5f}" for value in again),
        "device": device,
    }


def golds(request: str) -> EnsembleOutputs | None:
    """Return the golds of a request that there are so far."""
    file = _golds_file(request)
    return EnsembleOutputs.from_bytes(file.read_bytes()) if file.exists() else None


def checksum() -> str:
    """Return the checksum of the original's weights."""
    return sha256(ORIGINAL.read_bytes())


def forget_labels(request: str) -> np.ndarray:
    """Return the labels of a request's images, in ascending order of the images."""
    asked = forget_request(request)
    card, labels = datasets.card(asked.dataset), datasets.load(asked.dataset).labels
    return labels[make_split(card, labels, asked.forget).forget_train]


def validation_accuracies(original: nn.Module, model_cache: ModelCache) -> dict[float, float]:
    """Return the original's accuracy (0 to 1) on validation images by the noise's standard deviation; 0.0 is none."""
    request = forget_request(REPORTED)
    data = model_cache.dataset(request.dataset)
    split = make_split(data.card, data.image_dataset.labels, request.forget)
    rows = torch.from_numpy(np.sort(split.retain_val)).to(model_cache.device)
    images, labels = to_floats(data.images[rows]), data.labels[rows]
    drift = torch.randn(images.shape, generator=random_generator(0, "ladder")).to(images.device)
    with torch.inference_mode(), evaluate.eval_mode(original):
        predictions = {sigma: original(images + sigma * drift).argmax(1) for sigma in (0.0, *SIGMAS)}
    return {sigma: float((own == labels).float().mean()) for sigma, own in predictions.items()}


def tolerated_noise(accuracies: Mapping[float, float]) -> float:
    """Return the largest noise under which the original loses at most `MAX_LOSS`, and less noise costs no more."""
    fitting = 0.0
    for sigma in SIGMAS:
        if accuracies[0.0] - accuracies[sigma] > MAX_LOSS:
            return fitting
        fitting = sigma
    return fitting


def tuning_entries(sigma: float) -> list[Entry]:
    """Return the rows from which learning rates are chosen."""
    return [Entry(step, TUNING, sigma * step.is_noisy, rate) for step in tuned_steps() for rate in RATES]


def chosen_rates(rows: Mapping[str, Row], sigma: float) -> dict[str, float]:
    """Return the rate with the best score on the tuning request, by step; steps lack whose rows are not all there."""
    chosen = {}
    for step in tuned_steps():
        own = [row for row in rows.values() if (row["request"], row["step"]) == (TUNING, step.name)]
        own = [row for row in own if float(row["sigma"]) == sigma * step.is_noisy]
        if len(own) == len(RATES):
            chosen[step.name] = float(max(own, key=lambda row: float(row["score"]))["rate"])
    return chosen


def reported_entries(sigma: float, rates: Mapping[str, float]) -> list[Entry]:
    """Return the rows of the results whose rates are chosen: the ceiling, every step, noisy ones with both noises."""
    entries = [Entry(None, REPORTED, 0.0, None)]
    for step in steps().values():
        if step.rate_of and step.rate_of not in rates:
            continue
        noises = (sigma, PRINTED_AS_VARIANCE) if step.is_noisy else (0.0,)
        entries += [Entry(step, REPORTED, noise, rates.get(step.rate_of)) for noise in dict.fromkeys(noises)]
    return entries


def _golds_file(request: str) -> Path:
    return FOLDER / f"golds-{request}.npz"
