"""A real worker with the real engine: what people wait for goes before a gold, which loses nothing by it."""

from pathlib import Path

import pytest
import torch

from tests.methods.small_problem import tiny_spec
from tests.worker.engine_work import FATAL_SEED
from tests.worker.worker_processes import until, worker
from unlearn_core.domain.forget_request import ForgetImages
from unlearn_core.domain.jobs import MeasureSpec, TrainGoldSpec
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.privacy import RelearnResult
from unlearn_core.domain.run import Priority, Run, RunState
from unlearn_core.engine.execute import execute_job
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore

pytestmark = pytest.mark.slow  # real workers, and what may befall them

LONG = 240.0
"""Seconds that training may take where other things train too."""


def end_of(store: RunStore, run: int) -> Run:
    return until(lambda: one if (one := store.get(run)).state.is_finished else None, LONG)


def test_trials_of_a_group_are_made_side_by_side_by_the_real_engine(home) -> None:
    store = RunStore(home)
    with worker(home, "--work", "tests.worker.engine_work"):
        rates = (0.01, 0.02)
        other = store.submit(tiny_spec("finetune", seed=9), title="something else")
        runs = [
            store.submit(tiny_spec("finetune", lr=rate), title="trial", priority=Priority.SWEEP, group="sweep-1")
            for rate in rates
        ]
        assert end_of(store, other).state is RunState.DONE
        ends = [end_of(store, run) for run in runs]
    assert [end.state for end in ends] == [RunState.DONE] * 2, [end.error for end in ends]
    reports_of = [reports.read(home, run) for run in runs]
    assert {report[TimingsResult].stack_size for report in reports_of} == {2}
    assert [report.spec.params["lr"] for report in reports_of] == list(rates)


def test_a_run_whose_process_dies_after_the_verdict_is_finished_by_the_next(home) -> None:
    store = RunStore(home)
    with worker(home, "--work", "tests.worker.engine_work"):
        run = end_of(store, store.submit(tiny_spec("finetune", seed=FATAL_SEED), title="it dies once"))
        other = end_of(store, store.submit(tiny_spec("finetune", seed=FATAL_SEED + 1), title="it does not"))
    assert (run.state, run.attempt) == (RunState.DONE, 2), run.error
    assert run.progress is not None and not run.progress.phases, "the second attempt made no step"
    report = reports.read(home, run.id)
    assert not report.pending and report.parts.keys() == reports.read(home, other.id).parts.keys()
    assert report[TimingsResult].steps == reports.read(home, other.id)[TimingsResult].steps


@pytest.mark.timeout(900)
def test_a_persons_run_starts_within_an_epoch_of_a_gold_and_the_gold_ends_with_the_same_bits(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else each run has as many threads as there are idle cores when it starts, and other bits with another number.
    monkeypatch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))
    store = RunStore(home)
    spec = tiny_spec("finetune", kind="images")
    request = spec.request.model_copy(update={"forget": ForgetImages(images=tuple(range(40)))})
    spec = spec.model_copy(update={"request": request})
    with worker(home, "--work", "tests.worker.engine_work"):
        gold = store.submit_unique(TrainGoldSpec(request=request), title="gold", priority=Priority.BACKGROUND).run
        until((home / "epochs").exists, LONG)
        urgent = end_of(store, store.submit(spec, title="a person's"))
        assert urgent.state is RunState.DONE, urgent.error
        assert (home / "epochs").read_text() == "over\n", "not one epoch more was made before it"
        run = end_of(store, gold)
        assert (run.state, run.attempt) == (RunState.DONE, 2), run.error
        assert urgent.started and urgent.finished and run.started
        assert urgent.finished <= run.started, "the gold went on when the person was served"
        (measure,) = store.list_runs(kinds=("measure",))
        assert end_of(store, measure.id).state is RunState.DONE
        asked = end_of(store, store.submit_unique(MeasureSpec(run=urgent.id, what="relearn"), title="relearn").run)
        assert asked.state is RunState.DONE, asked.error
    report = reports.read(home, urgent.id)
    assert report[RelearnResult].models.keys() == {"after", "gold", "fresh"}
    assert store.get(urgent.id).metrics.to_dict()["relearn"]["index"] == report[RelearnResult].index
    elsewhere = RunStore(home.parent / "elsewhere")
    straight = elsewhere.get(elsewhere.submit(TrainGoldSpec(request=request), title="gold"))
    never_interrupted = execute_job(straight, ModelCache("cpu", elsewhere.data_dir), NullListener())
    assert run.metrics.to_dict()["gold"] == never_interrupted.gold
