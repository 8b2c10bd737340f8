"""Sweeps that were never run, for the charts of sweeps."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from tests.domain.test_sweep import spec
from unlearn_core.charts.drawing.sweep_drawing import SweepData
from unlearn_core.domain.results.metrics import DistanceMetrics, JobSeconds, RunMetrics
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweeps.sweep import Sweep, SweepFindings, SweepState, Trial
from unlearn_core.methods import method

KNOBS = [
    {"knob": "impair_lr", "low": 0.0002, "high": 0.02, "log": True},
    {"knob": "repair_epochs", "low": 1, "high": 4, "whole": True, "step": 1},
    {"knob": "augment", "values": [False, True]},
]
GOLD = {"forget_val": 0.12, "retain_val": 0.86, "forget_test": 0.1, "retain_test": 0.85, "forget_train": 0.11}
BEFORE = {"forget_val": 0.7, "retain_val": 0.86, "forget_test": 0.72, "retain_test": 0.85, "forget_train": 0.9}


def trial(
    number: int, *, knobs: list[dict[str, Any]], state: RunState | None = RunState.DONE, gold: bool = True
) -> Trial:
    """A trial whose rate decides: the higher, the more it forgets and the less it keeps."""
    rng = np.random.default_rng(number)
    values = {"impair_lr": round(float(0.0002 * 100 ** rng.random()), 6), "repair_epochs": int(rng.integers(1, 5))}
    values["augment"] = bool(rng.integers(2))
    strength = np.log10(values["impair_lr"] / 0.0002) / 2
    forget, keep = 0.7 * (1 - strength) ** 2, 0.86 - 0.15 * strength**2 + 0.01 * values["repair_epochs"]
    after = {"forget_val": forget, "retain_val": keep, "forget_test": forget, "retain_test": keep - 0.01}
    accuracy = {"before": BEFORE, "after": after}
    metrics = RunMetrics(accuracy=accuracy, seconds=JobSeconds(total=4.0 + number / 9, forget=2.0 + number / 9))
    if gold:
        distance = {"val": DistanceMetrics(before=0.4, after=0.2 * forget + 0.03)}
        metrics = metrics.updated(
            RunMetrics(accuracy=accuracy | {"gold": GOLD}, distance=distance, privacy_val=1 - forget)
        )
    params = {one["knob"]: values[one["knob"]] for one in knobs}
    over = state is not RunState.QUEUED and state is not RunState.RUNNING
    return Trial(
        number,
        number + 10,
        params,
        {},
        None,
        state,
        "It broke." if state is RunState.FAILED else None,
        metrics if state is RunState.DONE else RunMetrics(),
        1000.0 + 10 * number,
        1008.0 + 10 * number if over else None,
    )


def swept(count: int = 24, *, knobs: list[dict[str, Any]] = KNOBS, gold: bool = True, **changes: Any) -> SweepData:
    """A sweep of so many finished trials, with one that failed and one that was stopped early where there is room."""
    findings = changes.pop("findings", None)
    wanted = spec(
        ranges=knobs, trials=max(2, count), objectives=changes.pop("objectives", ["forget", "retain"]), **changes
    )
    trials = [trial(number, knobs=knobs, gold=gold) for number in range(count)]
    if count > 5:
        trials[3] = trial(3, knobs=knobs, state=RunState.FAILED)
        trials[4] = trial(4, knobs=knobs, state=RunState.CANCELLED)._replace(stopped="Too slow.")
    shares = {one["knob"]: 1 / len(knobs) for one in knobs}
    if findings is None:
        findings = SweepFindings(importance=dict.fromkeys(wanted.objectives, shares), num_trials=count)
    sweep = Sweep(
        id=7,
        spec=wanted,
        title="Forget cat with UNSIR",
        state=SweepState.DONE,
        owner="local",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        finished=datetime(2026, 1, 1, tzinfo=UTC),
        error=None,
        findings=findings,
    )
    return SweepData(
        sweep=sweep,
        trials=trials,
        hyperparameters=method("unsir").params.hyperparameters(),
        method="UNSIR",
        forgotten="cat",
    )
