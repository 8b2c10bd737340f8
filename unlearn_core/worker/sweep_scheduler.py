"""Serves sweeps beside everything else: asks for a trial when there is room for one, and sees to their end.

It remembers nothing that the store does not know, so that any worker can go on where another one died.
"""

import time
import traceback
from collections.abc import Sequence
from typing import NamedTuple

from unlearn_core.domain.errors import NotFoundError, StoreError
from unlearn_core.domain.pruning import GoldAccuracy, pruning_reason
from unlearn_core.domain.run import CurvePoint, Run, RunState
from unlearn_core.domain.stacking import MAX_STACK, StackableParams
from unlearn_core.domain.sweep import Sweep, SweepSpec, SweepState, Trial, busy_minutes, sweep_id
from unlearn_core.store.files.log_file import LOG_FILE
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker import sampler
from unlearn_core.worker.logging import append_to_log, log_line

MAX_FAILED_TRIALS = 5
"""When so many trials have failed and none has come through, the next one would fail too."""


ADAPTIVE_STACK = 8
"""Trials side by side where the next ones are chosen by what came of the last."""


class SweepEnd(NamedTuple):
    """How a sweep ended, and why where it failed."""

    state: SweepState
    error: str | None = None


class SweepScheduler:
    """One worker's part in the sweeps: it serves those whose lease it holds, and watches the trial in its hands."""

    def __init__(self, store: RunStore, worker: str) -> None:
        self._store, self._worker = store, worker
        self._weighed: dict[int, int] = {}
        self._curves: dict[int, list[CurvePoint]] = {}

    def schedule(self, stacks: StackableParams) -> None:
        """Gives every sweep of this worker its next trials, or its end.

        As many trials as there are workers; several for each where `stacks` says that this one makes them side by side.
        """
        for sweep in self._store.sweeps.acquire_leases(self._worker):
            try:
                self._schedule_sweep(sweep, max_parallel_trials(sweep.spec, stacks))
            except StoreError:
                raise
            except Exception as problem:  # noqa: BLE001 (a sampler may raise anything; the runs must go on)
                append_to_log(self._store.data_dir, f"Sweep {sweep.id} stopped at this:\n{traceback.format_exc()}")
                reason = f"{type(problem).__name__}: {problem}".strip().rstrip(":.")
                place = self._store.data_dir / LOG_FILE
                self._end_sweep(
                    sweep, SweepEnd(SweepState.FAILED, f"No next trial could be chosen, {reason}. See {place}.")
                )

    def prune_if_hopeless(self, run: Run, points: Sequence[CurvePoint]) -> None:
        """Stops the run in hand where it is a trial that the finished ones have left behind."""
        sweep = sweep_id(run.group)
        if sweep is None or not points:
            return
        try:
            spec = self._store.sweeps.get(sweep).spec
        except NotFoundError:  # it was cancelled and deleted, and this run is about to stop
            return
        if not spec.early:
            return
        done = [trial for trial in self._store.sweeps.trials(sweep) if trial.state is RunState.DONE]
        own = self._store.curve(run.id)
        reason = pruning_reason(spec.objectives, own, [self._curve(trial) for trial in done], gold=_gold_accuracy(done))
        if reason is not None:
            self._store.sweeps.prune_trial(run.id, reason)

    def _schedule_sweep(self, sweep: Sweep, stack_size: int) -> None:
        room = max(1, len(self._store.workers())) * stack_size
        while (under_way := self._store.sweeps.count_unfinished(sweep.id)) < room:
            trials = self._store.sweeps.trials(sweep.id)
            self._update_importance(sweep, trials)
            ended = end_condition(sweep.spec, trials, now=time.time())
            if ended is not None:
                if under_way == 0:
                    self._end_sweep(sweep, ended)
                return
            asked = sampler.suggest(sweep.spec, trials)
            run = self._store.sweeps.add_trial(
                sweep, self._worker, number=asked.number, params=asked.params, attributes=asked.attributes
            )
            if run is None:  # paused, cancelled or taken over this very moment
                return

    def _update_importance(self, sweep: Sweep, trials: Sequence[Trial]) -> None:
        """Says anew which knob matters, when another trial is done."""
        done = sum(trial.state is RunState.DONE for trial in trials)
        if self._weighed.get(sweep.id) == done:
            return
        self._weighed[sweep.id] = done
        found = sampler.importance(sweep.spec, trials)
        if found:
            self._store.sweeps.set_facts(sweep.id, self._worker, {"importance": found, "done": done})

    def _end_sweep(self, sweep: Sweep, ended: SweepEnd) -> None:
        self._store.sweeps.end(sweep.id, self._worker, ended.state, error=ended.error)
        log_line(f"Sweep {sweep.id} ({sweep.title}) is {ended.state}. {ended.error or ''}".rstrip())

    def _curve(self, trial: Trial) -> list[CurvePoint]:
        assert trial.run is not None
        if trial.run not in self._curves:
            self._curves[trial.run] = self._store.curve(trial.run)
        return self._curves[trial.run]


def max_parallel_trials(spec: SweepSpec, stacks: StackableParams) -> int:
    """How many trials a worker makes side by side, fewer where the sampler learns from each."""
    if spec.method not in stacks or not {one.knob for one in spec.ranges} <= stacks[spec.method]:
        return 1
    return ADAPTIVE_STACK if spec.sampler in ("tpe", "nsga2") else MAX_STACK


def end_condition(spec: SweepSpec, trials: Sequence[Trial], *, now: float) -> SweepEnd | None:
    """Whether a sweep asks for no more trials, and how it ends once those under way are over; None while it goes on."""
    done = any(trial.state is RunState.DONE for trial in trials)
    lost = [trial for trial in trials if trial.is_over and trial.status != "stopped early"]
    used_up = len(trials) >= spec.max_trials or (spec.minutes is not None and busy_minutes(trials, now) >= spec.minutes)
    if done:
        return SweepEnd(SweepState.DONE) if used_up else None
    if not used_up and len(lost) < MAX_FAILED_TRIALS:
        return None
    reasons = [trial.error for trial in lost if trial.error]
    why = f" The last one said: {reasons[-1]}" if reasons else " They were cancelled or deleted."
    return SweepEnd(SweepState.FAILED, f"Not one of its {len(trials)} trials came through, so it was ended.{why}")


def _gold_accuracy(done: Sequence[Trial]) -> GoldAccuracy | None:
    """Gold's accuracies on validation pictures, on the forgotten ones themselves where there are no others."""
    for trial in done:
        known = (trial.headline.get("accuracy") or {}).get("gold") or {}
        forget = known.get("forget_val")
        forget = known.get("forget_train") if forget is None else forget
        if forget is not None and known.get("retain_val") is not None:
            return GoldAccuracy(forget, known["retain_val"])
    return None
