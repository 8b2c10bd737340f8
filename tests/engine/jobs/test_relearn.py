"""Relearning with the tiny model, in every special case."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.methods.small_problem import tiny_spec
from unlearn_core.domain.errors import CancelledError, InvalidRequestError
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages
from unlearn_core.domain.jobs import MeasureSpec, UnlearnSpec
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.privacy import EvaluatedImages, RelearnResult, RelearnTimes
from unlearn_core.domain.results.relearn_protocol import EVAL_STEPS, LAST_STEP, PROTOCOL
from unlearn_core.domain.run import Progress
from unlearn_core.engine.execute import execute_job, measure_on_demand, unlearn
from unlearn_core.engine.jobs import relearn as asking
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.setup import resolve_run
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import weights
from unlearn_core.training.relearn import relearn_batches


def spec_of(forget: Forget) -> UnlearnSpec:
    spec = tiny_spec("finetune")
    return spec.model_copy(update={"request": spec.request.model_copy(update={"forget": forget})})


FEW = PROTOCOL.model_copy(update={"draws": 2, "half": 8, "each": 8, "beside": 20})
"""A cheaper protocol. It has two draws, to show that they differ."""


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PROTOCOL", FEW)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> ModelCache:
    return ModelCache("cpu", tmp_path_factory.mktemp("home"))


def asked(warm: ModelCache, forget: Forget, **nets: str) -> RelearnResult:
    """The result where the models are these: "before" or "gold"."""
    layout = resolve_run(spec_of(forget), warm)
    gold = warm.gold(layout.card, tiny_spec("finetune").request, 0)
    assert gold is not None
    known = {"before": layout.before, "gold": gold}
    models = {"before": layout.before} | {name: known[net] for name, net in nets.items()}
    sums = [weights.checksum(one.module) for one in models.values()]
    result = asking.measure(layout, models, warm, NullListener())
    assert [weights.checksum(one.module) for one in models.values()] == sums, "copies are taught, never the nets"
    assert isinstance(result, RelearnResult)
    return result


COLUMNS = ForgetClasses(classes=(1,))


def test_a_model_that_never_forgot_is_back_at_once_and_gold_is_not(warm: ModelCache) -> None:
    result = asked(warm, COLUMNS, after="before", gold="gold")
    models = result.models
    assert models["after"] == RelearnTimes(time=0, by_draw=[0] * FEW.draws)
    assert (models["gold"].time or 0) > 0 and (models["fresh"].time or 0) > 0
    assert result.index == 0 and result.no_index == ""
    assert result.evaluated == EvaluatedImages(set="forget_val", forget=20, retain=FEW.beside)
    assert result.protocol == FEW
    assert result.steps.tolist() == list(EVAL_STEPS)
    for name in ("after", "gold", "fresh"):
        for array in (result.forget[name], result.retain[name]):
            assert array.shape == (FEW.draws, len(EVAL_STEPS)) and array.dtype == np.float32
            assert ((array >= 0) & (array <= 1)).all()
    assert result.forget["after"][0, 0] == pytest.approx(result.ceiling)


def test_gold_beside_itself_has_an_index_of_one(warm: ModelCache) -> None:
    result = asked(warm, COLUMNS, after="gold", gold="gold")
    assert result.index == 1
    assert np.array_equal(result.forget["after"], result.forget["gold"]), "the same lessons for every net"
    assert not np.array_equal(result.forget["gold"][0], result.forget["gold"][1]), "other lessons in another draw"


def test_without_gold_there_is_no_index_and_a_reason(warm: ModelCache) -> None:
    result = asked(warm, COLUMNS, after="before")
    assert set(result.models) == {"after", "fresh"}
    assert result.index is None and result.no_index == "The index needs a retrained model."


def test_single_images_are_evaluated_where_they_are_not_trained_on(warm: ModelCache) -> None:
    images = ForgetImages(images=tuple(range(0, 60, 4)))
    result = asked(warm, images, after="before")
    assert result.evaluated == EvaluatedImages(set="forget_train", forget=7, retain=FEW.beside)
    assert result.num_taught == 8
    layout = resolve_run(spec_of(images), warm)
    plan = asking._choose_sets(layout)
    assert sorted([*plan.teachable, *plan.forget]) == list(images.images), "taught or asked, never both"


def test_a_single_image_is_evaluated_on_itself(warm: ModelCache) -> None:
    result = asked(warm, ForgetImages(images=(8,)), after="before")
    assert result.evaluated == EvaluatedImages(set="taught", forget=1, retain=FEW.beside)
    assert result.num_taught == 1 and result.models["after"].time == 0


def test_lessons_are_the_same_every_time_and_hold_both_sides() -> None:
    forget, keep = torch.arange(100), torch.arange(1000, 1300)

    def given(draw: int, taught: int = 32) -> list[torch.Tensor]:
        return relearn_batches(forget, keep, protocol=PROTOCOL, num_taught=taught, seed=5, draw=draw)

    first = given(0)
    assert len(first) == LAST_STEP
    assert all(torch.equal(one, other) for one, other in zip(first, given(0), strict=True))
    assert not torch.equal(first[0], given(1)[0])
    assert (
        {int((rows < 100).sum()) for rows in first} == {int((rows >= 1000).sum()) for rows in first} == {PROTOCOL.half}
    )
    taught = torch.cat([rows[rows < 100] for rows in first])
    assert len(taught.unique()) == 32 and len(taught[:32].unique()) == 32, "all of them once before any comes again"
    few = given(0, taught=3)
    assert all(sorted(rows[rows < 100].tolist()) == sorted(few[0][:3].tolist()) for rows in few)


class Stopping(NullListener):
    """Cancels after a number of steps."""

    def __init__(self, at: int) -> None:
        self.at, self.steps = at, 0

    def progress(self, progress: Progress) -> None:
        self.steps = sum(phase.done for phase in progress.phases)

    def check(self) -> None:
        if self.steps >= self.at:
            raise CancelledError("Somebody asked for this run to stop.")


def test_a_report_is_completed_on_request(home: Path) -> None:
    done = unlearn(tiny_spec("finetune"), device="cpu", data_dir=home)
    run, store, warm = done.run or -1, RunStore(home), ModelCache("cpu", home)
    assert "relearn" not in done.report.parts
    spec = MeasureSpec(run=run, what="relearn")
    stopped = Stopping(at=7)
    order = store.get(store.submit(spec, title="x"))
    with pytest.raises(CancelledError):
        execute_job(order, warm, stopped)
    assert stopped.steps == 7, "it stops before the next step"
    assert "relearn" not in reports.read(home, run).parts

    order = store.execution.claim("w", device="cpu", kinds={"measure"})
    assert order is not None
    store.execution.finish(order.id, order.attempt, metrics=execute_job(order, warm, NullListener()))
    report = reports.read(home, run)
    result = report[RelearnResult]
    assert result.weights == {name: report.evaluations[name].weights for name in ("after", "gold")}
    row = store.get(run)
    assert row.metrics.relearn is not None and row.metrics.relearn.index == result.index
    assert row.metrics.accuracy, "what was known stays known"

    before = reports.report_version(home, run)
    execute_job(store.get(store.submit(MeasureSpec(run=run), title="x")), warm, NullListener())
    assert "relearn" in reports.read(home, run).parts
    execute_job(order, warm, NullListener())
    assert reports.report_version(home, run) != before, "a part that is measured anew is read anew"


def test_where_nothing_was_known_there_is_nothing_to_bring_back(home: Path) -> None:
    done = unlearn(spec_of(COLUMNS), device="cpu", data_dir=home)
    warm = ModelCache("cpu", home)
    wrong = np.eye(4, dtype=np.float32)[(done.report.labels + 1) % 4]
    warm.evaluations.put(Evaluation(done.report.evaluations["before"].weights, "shapes", wrong))
    order = RunStore(home).get(RunStore(home).submit(MeasureSpec(run=done.run or -1, what="relearn"), title="x"))
    before = reports.report_version(home, done.run or -1)
    assert execute_job(order, warm, NullListener()).to_dict() == {"relearn": None}
    report = reports.read(home, done.run or -1)
    assert "nothing to relearn" in report.missing["relearn"]
    assert set(report.parts) == set(done.report.parts) and "twin" in report.missing
    assert reports.report_version(home, done.run or -1) != before


def test_a_run_without_weights_cannot_be_asked(home: Path) -> None:
    done = unlearn(spec_of(COLUMNS), device="cpu", data_dir=home)
    (artifacts.run_dir(home, done.run or -1) / artifacts.WEIGHTS_FILE).unlink()
    with pytest.raises(InvalidRequestError, match="no stored weights"):
        measure_on_demand(MeasureSpec(run=done.run or -1, what="relearn"), ModelCache("cpu", home), NullListener())


def test_a_run_after_another_is_not_taught_what_that_one_forgot(home: Path) -> None:
    first = unlearn(spec_of(ForgetClasses(classes=(0,))), device="cpu", data_dir=home)
    spec = replace_start(spec_of(COLUMNS), first.run or -1)
    layout = resolve_run(spec, ModelCache("cpu", home))
    plan = asking._choose_sets(layout)
    assert set(layout.data.image_dataset.labels[plan.retain].tolist()) == {2, 3}


def replace_start(spec: UnlearnSpec, start: int) -> UnlearnSpec:
    return spec.model_copy(update={"start": start})
