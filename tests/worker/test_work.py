"""One warm worker, and everything that can happen to a run in its hands."""

import time
from collections.abc import Iterator

import pytest

from tests.store.specs import REQUEST
from tests.worker.worker_processes import begun, end_of, enough, is_running, output, submit, until, worker
from unlearn_core.domain.jobs import ExplainSpec, ImportDatasetSpec, MeasureSpec, TrainGoldSpec
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.domain.run import Priority, RunState
from unlearn_core.store.files import error_report
from unlearn_core.store.queue.processes import is_alive
from unlearn_core.store.queue.run_store import RunStore

pytestmark = pytest.mark.slow  # real workers, and what may befall them


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Iterator[RunStore]:
    """A store that a worker serves."""
    home = tmp_path_factory.mktemp("work") / "home"
    store = RunStore(home)
    with worker(home):
        until(lambda: [row for row in store.workers() if row.state == "idle"])
        yield store


def test_runs_are_carried_out_by_one_warm_process(store):
    first, second = (end_of(store, submit(store, do="steps", steps=1)) for _ in range(2))
    assert first.state is second.state is RunState.DONE
    assert second.metrics.to_dict()["pid"] == first.metrics.to_dict()["pid"]
    assert second.metrics.to_dict()["runs"] == first.metrics.to_dict()["runs"] + 1
    assert second.device == second.metrics.to_dict()["device"] == "cpu"


def test_progress_and_curve_are_seen_while_it_runs_and_nothing_is_lost(store):
    number = submit(store, do="steps", steps=60, pause=0.02)
    until(lambda: len(store.curve(number)) > 5)
    run = store.get(number)
    assert run.state is RunState.RUNNING
    assert run.progress is not None
    assert 0 < run.progress.phases[0].done < 60
    run = end_of(store, number)
    assert run.progress is not None
    assert run.progress.phases[0].done == 60
    assert [point.step for point in store.curve(number)] == list(range(1, 61))


def test_a_polite_run_is_cancelled_and_the_process_stays(store):
    number = submit(store, do="await")
    pid = begun(store, number)
    store.cancel(number)
    run = end_of(store, number)
    assert (run.state, run.error) == (RunState.CANCELLED, None)
    assert end_of(store, submit(store, do="steps", steps=1)).metrics.to_dict()["pid"] == pid


def test_a_deaf_run_is_killed_and_the_next_one_runs(store):
    number = submit(store, do="deaf")
    pid = begun(store, number)
    began = time.monotonic()
    store.cancel(number)
    assert end_of(store, number).state is RunState.CANCELLED
    assert time.monotonic() - began > 0.5, "it had its time of grace"
    assert not is_alive(pid)
    assert end_of(store, submit(store, do="steps", steps=1)).metrics.to_dict()["pid"] != pid


def test_a_killed_run_starts_again_once(store):
    run = end_of(store, submit(store, do="die", times=1))
    assert (run.state, run.attempt, run.error) == (RunState.DONE, 2, None)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"do": "die", "times": 2}, ("killed twice (signal 9, SIGKILL)", "memory", "batch size")),
        ({"do": "die", "times": 2, "number": 11}, ("crashed twice", "signal 11 (SIGSEGV)", "worker.log")),
        ({"do": "exit"}, ("exited twice", "exit code 3", "worker.log")),
    ],
)
def test_a_run_that_kills_its_process_twice_has_failed(store, params, words):
    run = end_of(store, submit(store, **params))
    assert (run.state, run.attempt) == (RunState.FAILED, 2)
    assert run.error is not None
    assert all(word in run.error for word in words)
    report = error_report.find(store.data_dir, run.error)
    assert report is not None and "Worker on cpu" in report.text


def test_an_error_of_ours_is_told_as_it_is(store):
    run = end_of(store, submit(store, do="fail", kind="ours"))
    assert (run.state, run.attempt, run.error) == (
        RunState.FAILED,
        1,
        "There is nothing to forget: choose a class.",
    )


def test_an_error_of_a_method_is_told_in_short_and_logged_in_full(store):
    run = end_of(store, submit(store, do="fail", kind="theirs"))
    assert (run.state, run.attempt) == (RunState.FAILED, 1)
    assert "ValueError: shapes do not match" in (run.error or "")
    assert "Traceback" not in (run.error or "")
    until(lambda: f"INFO Run {run.id} (a test): failed. {run.error}" in output(store.data_dir))
    for log in ((store.data_dir / "worker.log").read_text(), output(store.data_dir)):
        assert log.count(f"ERROR Run {run.id} failed:\nTraceback") == 1
        assert 'raise ValueError("shapes do not match")' in log
    report = error_report.find(store.data_dir, run.error or "")
    assert report is not None
    for part in (f"during: run {run.id}, a test", '"kind": "theirs"', 'ValueError("shapes do not match")', "INFO "):
        assert part in report.text
    assert str(store.data_dir) not in report.text


def test_out_of_memory_is_explained_and_the_next_run_has_a_fresh_process(store):
    before = end_of(store, submit(store, do="steps", steps=1)).metrics.to_dict()["pid"]
    run = end_of(store, submit(store, do="fail", kind="memory"))
    assert (run.state, run.attempt) == (RunState.FAILED, 1)
    assert "needed 2.00 GiB more, but 1.20 GiB were free" in (run.error or "")
    assert "batch size" in (run.error or "")
    after = end_of(store, submit(store, do="steps", steps=1))
    assert after.state is RunState.DONE
    assert after.metrics.to_dict()["pid"] != before


def test_metrics_that_cannot_be_stored_fails_its_run_only(store):
    assert "not JSON serializable" in (end_of(store, submit(store, do="fail", kind="metrics")).error or "")
    assert end_of(store, submit(store, do="steps", steps=1)).state is RunState.DONE


def test_a_look_is_answered_while_a_run_is_in_progress(store):
    number = submit(store, do="await")
    pid = begun(store, number)
    began = time.monotonic()
    look = end_of(store, store.submit(ExplainSpec(run=1, picture=0, target=0), title="look"))
    assert time.monotonic() - began < 2
    assert look.state is RunState.DONE
    assert look.metrics.to_dict()["device"] == "cpu"
    assert look.metrics.to_dict()["pid"] != pid
    assert is_running(store, number)
    store.cancel(number)
    end_of(store, number)


def test_runs_on_points_are_made_while_a_run_is_in_progress_by_one_warm_process(store):
    number = submit(store, do="await")
    pid = begun(store, number)
    spec = PointsSpec(part="train", dataset="moons")
    first, second = (
        end_of(store, store.submit(spec.model_copy(update={"seed": seed}), title="points")) for seed in (0, 1)
    )
    assert store.get(number).state is RunState.RUNNING
    facts = [one.metrics.to_dict() for one in (first, second)]
    assert facts[0]["pid"] == facts[1]["pid"] != pid and facts[1]["runs"] == 2
    assert facts[0]["device"] == "cpu"
    store.cancel(number)
    end_of(store, number)


def test_pictures_are_brought_in_while_a_run_is_in_progress(store):
    number = submit(store, do="await")
    begun(store, number)
    wanted = ImportDatasetSpec(dataset="faces", title="Faces", source="folder", size=32)
    ends = [end_of(store, store.submit(wanted, title="import")) for _ in range(2)]
    assert [end.state for end in ends] == [RunState.DONE] * 2
    assert len({end.metrics.to_dict()["pid"] for end in ends}) == 2, (
        "a process for each, which holds no memory afterwards"
    )
    assert {end.metrics.to_dict()["device"] for end in ends} == {"cpu"}
    assert is_running(store, number)
    enough(store, number)
    assert end_of(store, number).state is RunState.DONE


def test_a_gold_gives_way_and_goes_on_where_it_was(store):
    gold = store.submit(TrainGoldSpec(request=REQUEST), title="gold", priority=Priority.BACKGROUND)
    until(lambda: (store.data_dir / "epochs.json").exists())
    urgent = end_of(store, submit(store, do="steps", steps=1))
    assert not store.get(gold).state.is_finished
    run = end_of(store, gold)
    assert run.state is RunState.DONE
    assert run.attempt == 2
    assert run.metrics.to_dict()["epochs"] == list(range(8)), "no epoch was made twice"
    assert set(run.metrics.to_dict()["attempts"]) == {1, 2}
    assert urgent.finished is not None
    assert run.finished is not None
    assert urgent.finished < run.finished


def test_a_measurement_reaches_the_run_that_it_is_about(store):
    number = end_of(store, submit(store, do="steps", steps=1)).id
    end_of(store, store.submit(MeasureSpec(run=number), title="measure"))
    assert store.get(number).metrics.to_dict()["gold"] == "measured"
