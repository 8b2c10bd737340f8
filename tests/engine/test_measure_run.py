"""The verdict comes first and the rest after it; whatever stops a run in between, nothing is unlearned again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.methods.small_problem import tiny_spec
from unlearn_core.charts.text.verdict import caveats, verdicts
from unlearn_core.domain.errors import CancelledError, InvalidRequestError
from unlearn_core.domain.jobs import ExplainSpec, MeasureSpec
from unlearn_core.domain.report import NOT_YET, Report
from unlearn_core.domain.results.course import TimingsResult
from unlearn_core.domain.results.explanations import SnapshotsResult
from unlearn_core.domain.results.predictions import AccuracyResult
from unlearn_core.domain.results.privacy import MembershipResult
from unlearn_core.domain.run import Progress
from unlearn_core.engine import execute
from unlearn_core.engine.execute import execute_job, unlearn
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measuring import measure, measure_run
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.probes import probes
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import evaluate

SPEC = tiny_spec("finetune", epochs=1, lr=0.01)


class Killed(BaseException):
    """What the death of a process leaves of its run: files, and nothing that is said."""


class Watching(NullListener):
    """Calls `seen` with the number of each look for a cancel, once the report is open."""

    def __init__(self, seen: Callable[[int], None]) -> None:
        self._seen, self._stage, self._looks = seen, "", 0

    def progress(self, progress: Progress) -> None:
        self._stage = progress.stage

    def check(self) -> None:
        if self._stage == "measuring":
            self._looks += 1
            self._seen(self._looks)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches even of the tiny data set, and additions that are written at once."""
    monkeypatch.setattr(evaluate, "BATCH_SIZE", 50)
    monkeypatch.setattr(measure_run, "WRITE_SECONDS", 0.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of a run that nothing stopped, evaluated in one go."""
    return unlearn(SPEC, device="cpu", data_dir=tmp_path_factory.mktemp("whole")).report


def stopped(home: Path, error: type[BaseException], *, look: int) -> int:
    """A run that is stopped at that look for a cancel."""

    def stop(number: int) -> None:
        if number == look:
            raise error

    with pytest.raises(error):
        unlearn(SPEC, device="cpu", data_dir=home, listener=Watching(stop))
    return RunStore(home).list_runs()[0].id


def assert_same(report: Report, whole: Report) -> None:
    """All but what depends on the clock is equal, bit for bit."""
    assert report.parts.keys() == whole.parts.keys() and not report.pending
    for name in report.parts.keys() - {"timings", "curves", "snapshots"}:
        one, other = report.parts[name], whole.parts[name]
        assert one.facts == other.facts, name
        assert all(np.array_equal(one.arrays[key], other.arrays[key]) for key in one.arrays | other.arrays), name
    ours, theirs = report[SnapshotsResult].gold_maps, whole[SnapshotsResult].gold_maps
    assert ours is not None and theirs is not None and np.array_equal(ours, theirs)
    for model, own in report.evaluations.items():
        assert own.evaluated is None and own.weights == whole.evaluations[model].weights
        assert np.array_equal(own.logits, whole.evaluations[model].logits), model
    assert report.missing == whole.missing


def test_the_verdict_comes_first_and_the_rest_part_by_part(home: Path, whole: Report) -> None:
    found: list[Report] = []
    shared: list[bool] = []

    def look(number: int) -> None:
        found.append(reports.read(home, 1))
        sha = found[-1].evaluations["after"].weights
        shared.append(any((home / "evaluations").rglob(f"*{sha[:32]}*")))

    done = unlearn(SPEC, device="cpu", data_dir=home, listener=Watching(look))
    first, after = found[0], found[0].evaluations["after"]
    assert set(first.pending) == {*probes(), "snapshots", "timings"} - {"accuracy", "regions", "interclass_confusion"}
    assert after.evaluated is not None and not after.covers(first.split.retain_train)
    assert all(after.covers(getattr(first.split, name)) for name in ("forget_train", "forget_test", "retain_test"))
    assert "retain_train" not in first[AccuracyResult].scores["after"]
    assert "retain_train" in first[AccuracyResult].scores["before"]
    assert [one.title for one in verdicts(first)[1:]] == [one.title for one in verdicts(done.report)[1:]]
    assert first.reason(MembershipResult) == NOT_YET and "membership inference may add" in caveats(first)
    assert shared == [False] * (len(found) - 1) + [True], "other runs read only whole evaluations"

    left = [len(report.pending) for report in found]
    assert left == sorted(left, reverse=True) and len(set(left)) > 5
    assert set(found[-2].pending) == {"logits", "retained_membership", "summary_scores", "timings"} and found[
        -1
    ].pending == ("timings",)
    assert_same(done.report, whole)
    assert "Not all was measured" not in caveats(done.report)
    seconds = done.report[TimingsResult].seconds
    assert seconds.verdict is not None and 0 < seconds.verdict < seconds.total
    assert seconds.total >= seconds.load + seconds.forget + seconds.evaluate + seconds.probes - 1e-6
    folder = artifacts.run_dir(home, 1)
    assert not (folder / reports.OUTPUTS_FILE).exists() and "pending" not in (folder / "report.json").read_text()


@pytest.mark.parametrize("look", [1, 5, 12])
def test_a_run_that_was_killed_is_finished_without_unlearning_again(
    home: Path, whole: Report, look: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = stopped(home, Killed, look=look)
    begun = reports.read(home, number)
    assert begun.pending
    monkeypatch.setattr(execute, "prepare_run", lambda *_: pytest.fail("it unlearns again"))
    measured: list[str] = []
    noting = {name: replace(probe, measure=_noting(name, probe.measure, measured)) for name, probe in probes().items()}
    monkeypatch.setattr(measure_run, "probes", lambda: noting)
    metrics = execute_job(RunStore(home).get(number), ModelCache("cpu", home), NullListener())
    assert_same(reports.read(home, number), whole)
    assert set(measured) == {name for name in begun.pending if name in probes()} | {"accuracy"}, "nothing is done twice"
    assert metrics.weights == whole.evaluations["after"].weights
    assert metrics.seconds is not None and metrics.seconds.forget, "that of the attempt that unlearned"


def _noting(name: str, real: Callable, noted: list[str]) -> Callable:
    return lambda context: noted.append(name) or real(context)


def test_a_run_that_was_killed_before_its_verdict_is_not_unlearned_again(
    home: Path, whole: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(measure, "collect_models", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            unlearn(SPEC, device="cpu", data_dir=home)
    assert not artifacts.has_report(artifacts.run_dir(home, 1))
    monkeypatch.setattr(execute, "prepare_run", lambda *_: pytest.fail("it unlearns again"))
    execute_job(RunStore(home).get(1), ModelCache("cpu", home), NullListener())
    assert_same(reports.read(home, 1), whole)


def test_a_cancelled_run_keeps_its_verdict_but_takes_no_more(home: Path, whole: Report) -> None:
    number = stopped(home, CancelledError, look=3)
    assert RunStore(home).get(number).state == "cancelled"
    report = reports.read(home, number)
    assert report.pending and [one.title for one in verdicts(report)[1:]] == [one.title for one in verdicts(whole)[1:]]
    cache = ModelCache("cpu", home)
    for spec in (MeasureSpec(run=number, what="relearn"), ExplainSpec(run=number, picture=0, target=0)):
        run = RunStore(home).get(RunStore(home).submit(spec, title="more"))
        with pytest.raises(InvalidRequestError, match="not complete"):
            execute_job(run, cache, NullListener())


def test_a_measurement_that_fails_fails_the_run_and_its_verdict_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(probes()["membership"], measure=lambda context: {}["missing"])
    monkeypatch.setattr(measure_run, "probes", lambda: probes() | {"membership": broken})
    with pytest.raises(KeyError):
        unlearn(SPEC, device="cpu", data_dir=home)
    run = RunStore(home).get(1)
    assert run.state == "failed" and "KeyError" in (run.error or "")
    report = reports.read(home, 1)
    assert "membership" in report.pending and "cam" not in report.pending, "what came before it stays too"


def test_a_known_model_is_not_evaluated_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlearn(SPEC, device="cpu", data_dir=home)
    monkeypatch.setattr(ModelCache, "_evaluate", lambda *_: pytest.fail("it is evaluated again"))
    assert unlearn(SPEC, device="cpu", data_dir=home).report.evaluations["after"].evaluated is None
