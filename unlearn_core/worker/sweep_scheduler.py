"""SweepScheduler, which adds trials to a worker's sweeps, stops hopeless ones early, and ends the sweeps.

It has no state that is not in the store, so any worker can continue after another one died.
"""

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

from unlearn_core.domain.errors import DamagedSweepError, NotFoundError, StoreError
from unlearn_core.domain.run import CurvePoint, Run, RunState
from unlearn_core.domain.stacking import MAX_STACK, StackableParams
from unlearn_core.domain.sweeps.pruning import GoldAccuracy, pruning_reason
from unlearn_core.domain.sweeps.sweep import Sweep, SweepFindings, SweepSpec, SweepState, Trial, busy_minutes, sweep_id
from unlearn_core.store.files import error_report
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.worker import sampler

MAX_FAILED_TRIALS = 5
"""After this many failed trials and no finished one, the next would fail too."""

ADAPTIVE_STACK = 8
"""Stacked trials for samplers that learn from finished trials."""

_logger = logging.getLogger(__name__)


class SweepEnd(NamedTuple):
    """How a sweep ended, with the reason if it failed."""

    state: SweepState
    error: str | None = None


class SweepScheduler:
    """One worker's part in sweeps: it schedules those whose lease it holds, and prunes its active trials."""

    def __init__(self, store: RunStore, worker: str) -> None:
        self._store, self._worker = store, worker
        self._importance_at: dict[int, int] = {}
        self._curves: dict[int, list[CurvePoint]] = {}

    def schedule(self, stacks: StackableParams) -> None:
        """Add the next trials to every sweep of this worker, or end it.

        One trial per worker, or several if `stacks` says that this worker trains them stacked.
        """
        for sweep in self._store.sweeps.acquire_leases(self._worker):
            try:
                self._schedule_sweep(sweep, max_parallel_trials(sweep.spec, stacks))
            except DamagedSweepError as problem:
                self._end_sweep(sweep, SweepEnd(SweepState.FAILED, str(problem)))
            except StoreError:
                raise
            except Exception as problem:  # a sampler may raise anything, and runs must continue
                _logger.exception(f"Sweep {sweep.id} failed:")
                report = error_report.record(
                    problem,
                    self._store.data_dir,
                    task=f"sweep {sweep.id}, {sweep.title}",
                    request=sweep.spec.model_dump_json(indent=1),
                )
                reason = f"The next trial could not be chosen. {report.sentence}"
                self._end_sweep(sweep, SweepEnd(SweepState.FAILED, reason))

    def prune_if_hopeless(self, run: Run, points: Sequence[CurvePoint]) -> None:
        """Stop an active run if it is a trial that is clearly worse than the finished ones."""
        sweep = sweep_id(run.group)
        if sweep is None or not points:
            return
        try:
            spec = self._store.sweeps.get(sweep).spec
            trials = self._store.sweeps.trials(sweep) if spec.early else []
        except (NotFoundError, DamagedSweepError):  # it was cancelled and deleted, so this run will stop, or fails soon
            return
        if not spec.early:
            return
        done = [trial for trial in trials if trial.state is RunState.DONE]
        curve = self._store.curve(run.id)
        reason = pruning_reason(
            spec.objectives, curve, [self._curve(trial) for trial in done], gold=_gold_accuracy(done)
        )
        if reason is not None:
            self._store.sweeps.prune_trial(run.id, reason)

    def _schedule_sweep(self, sweep: Sweep, stack_size: int) -> None:
        room = max(1, len(self._store.workers())) * stack_size
        while (unfinished := self._store.sweeps.count_unfinished(sweep.id)) < room:
            trials = self._store.sweeps.trials(sweep.id)
            self._update_importance(sweep, trials)
            ended = end_condition(sweep.spec, trials, now=time.time())
            if ended is not None:
                if unfinished == 0:
                    self._end_sweep(sweep, ended)
                return
            suggested = sampler.suggest(sweep.spec, trials)
            run = self._store.sweeps.add_trial(
                sweep, self._worker, number=suggested.number, params=suggested.params, attributes=suggested.attributes
            )
            if run is None:  # paused, cancelled or taken over just now
                return

    def _update_importance(self, sweep: Sweep, trials: Sequence[Trial]) -> None:
        """Update the hyperparameter importance after another trial has finished."""
        done = sum(trial.state is RunState.DONE for trial in trials)
        if self._importance_at.get(sweep.id) == done:
            return
        self._importance_at[sweep.id] = done
        found = sampler.importance(sweep.spec, trials)
        if found:
            findings = SweepFindings(importance=found, num_trials=done)
            self._store.sweeps.set_findings(sweep.id, self._worker, findings)

    def _end_sweep(self, sweep: Sweep, ended: SweepEnd) -> None:
        self._store.sweeps.end(sweep.id, self._worker, ended.state, error=ended.error)
        _logger.info(f"Sweep {sweep.id} ({sweep.title}): {ended.state}. {ended.error or ''}".rstrip())

    def _curve(self, trial: Trial) -> list[CurvePoint]:
        assert trial.run is not None
        if trial.run not in self._curves:
            self._curves[trial.run] = self._store.curve(trial.run)
        return self._curves[trial.run]


def max_parallel_trials(spec: SweepSpec, stacks: StackableParams) -> int:
    """Return how many trials a worker trains stacked; fewer if the sampler learns from each."""
    if spec.method not in stacks or not {search_range.knob for search_range in spec.ranges} <= stacks[spec.method]:
        return 1
    return ADAPTIVE_STACK if spec.sampler in ("tpe", "nsga2") else MAX_STACK


def end_condition(spec: SweepSpec, trials: Sequence[Trial], *, now: float) -> SweepEnd | None:
    """Return how a sweep ends once its unfinished trials do; None while it needs more trials."""
    done = any(trial.state is RunState.DONE for trial in trials)
    failed = [trial for trial in trials if trial.is_over and trial.status != "stopped early"]
    used_up = len(trials) >= spec.max_trials or (spec.minutes is not None and busy_minutes(trials, now) >= spec.minutes)
    if done:
        return SweepEnd(SweepState.DONE) if used_up else None
    if not used_up and len(failed) < MAX_FAILED_TRIALS:
        return None
    reasons = [trial.error for trial in failed if trial.error]
    why = f"The last error: {reasons[-1]}" if reasons else "They were cancelled or deleted."
    return SweepEnd(SweepState.FAILED, f"None of its {len(trials)} trials finished, so the sweep was stopped. {why}")


def _gold_accuracy(done: Sequence[Trial]) -> GoldAccuracy | None:
    """Return the retrained model's accuracies on validation images, or on the forget images if it has no others."""
    for trial in done:
        forget = trial.metrics.first_accuracy("gold", "forget_val", "forget_train")
        retain = trial.metrics.first_accuracy("gold", "retain_val")
        if forget is not None and retain is not None:
            return GoldAccuracy(forget, retain)
    return None
