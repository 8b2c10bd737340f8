"""Can it be brought back? Asked of the tiny net, in each case in which the question is special."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.methods.small_problem import tiny_spec
from unlearn_core.domain.errors import BadRequest, Cancelled
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages
from unlearn_core.domain.jobs import MeasureSpec, RunSpec
from unlearn_core.domain.measurement import Part
from unlearn_core.domain.relearn_protocol import LAST, STEPS, TERMS
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.run import Progress
from unlearn_core.engine.execute import carry_out, unlearn
from unlearn_core.engine.jobs import relearn as asking
from unlearn_core.engine.listener import Nobody
from unlearn_core.engine.model_cache import Warm
from unlearn_core.engine.setup import lay_out
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.training import weights
from unlearn_core.training.relearn import lessons


def spec_of(forget: Forget) -> RunSpec:
    spec = tiny_spec("finetune")
    return spec.model_copy(update={"request": spec.request.model_copy(update={"forget": forget})})


FEW = TERMS._replace(draws=2, half=8, each=8, beside=20)
"""Terms that ask less of the machine. Two draws, so that one sees that they differ."""


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "TERMS", FEW)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Warm:
    return Warm("cpu", tmp_path_factory.mktemp("home"))


def asked(warm: Warm, forget: Forget, **nets: str) -> Part:
    """The part where the models are these: "before" or "gold"."""
    layout = lay_out(spec_of(forget), warm)
    gold = warm.gold(layout.card, tiny_spec("finetune").request, 0)
    assert gold is not None
    known = {"before": layout.before, "gold": gold}
    models = {"before": layout.before} | {name: known[net] for name, net in nets.items()}
    sums = [weights.checksum(one.net) for one in models.values()]
    part = asking.measure(layout, models, warm, Nobody())
    assert [weights.checksum(one.net) for one in models.values()] == sums, "copies are taught, never the nets"
    assert isinstance(part, Part)
    return part


COLUMNS = ForgetClasses(classes=(1,))


def test_a_net_that_never_forgot_is_back_at_once_and_gold_is_not(warm: Warm) -> None:
    part = asked(warm, COLUMNS, after="before", gold="gold")
    models = part.facts["models"]
    assert models["after"] == {"time": 0, "times": [0] * FEW.draws}
    assert models["gold"]["time"] > 0 and models["fresh"]["time"] > 0
    assert part.facts["index"] == 0
    assert part.facts["asked"] == {"set": "forget_val", "pictures": 20, "beside": FEW.beside}
    assert part.arrays["step"].tolist() == list(STEPS)
    for name in ("after", "gold", "fresh"):
        for array in (part.arrays[name], part.arrays[f"{name}_keep"]):
            assert array.shape == (FEW.draws, len(STEPS)) and array.dtype == np.float32
            assert ((array >= 0) & (array <= 1)).all()
    assert part.arrays["after"][0, 0] == pytest.approx(part.facts["ceiling"])


def test_gold_beside_itself_has_an_index_of_one(warm: Warm) -> None:
    part = asked(warm, COLUMNS, after="gold", gold="gold")
    assert part.facts["index"] == 1
    assert np.array_equal(part.arrays["after"], part.arrays["gold"]), "the same lessons for every net"
    assert not np.array_equal(part.arrays["gold"][0], part.arrays["gold"][1]), "other lessons in another draw"


def test_without_gold_there_is_no_index_and_a_reason(warm: Warm) -> None:
    facts = asked(warm, COLUMNS, after="before").facts
    assert set(facts["models"]) == {"after", "fresh"}
    assert facts["index"] is None and facts["why"] == "There is no index without gold."


def test_single_pictures_are_asked_where_they_are_not_taught(warm: Warm) -> None:
    images = ForgetImages(images=tuple(range(0, 60, 4)))
    facts = asked(warm, images, after="before").facts
    assert facts["asked"] == {"set": "forget_train", "pictures": 7, "beside": FEW.beside}
    assert facts["taught"] == 8
    layout = lay_out(spec_of(images), warm)
    plan = asking._plan(layout)
    assert sorted([*plan.pool, *plan.forget]) == list(images.images), "taught or asked, never both"


def test_one_picture_is_asked_about_itself(warm: Warm) -> None:
    facts = asked(warm, ForgetImages(images=(8,)), after="before").facts
    assert facts["asked"] == {"set": "taught", "pictures": 1, "beside": FEW.beside}
    assert facts["taught"] == 1 and facts["models"]["after"]["time"] == 0


def test_lessons_are_the_same_every_time_and_hold_both_sides() -> None:
    forget, keep = torch.arange(100), torch.arange(1000, 1300)

    def given(draw: int, taught: int = 32) -> list[torch.Tensor]:
        return lessons(forget, keep, terms=TERMS, taught=taught, seed=5, draw=draw)

    first = given(0)
    assert len(first) == LAST
    assert all(torch.equal(one, other) for one, other in zip(first, given(0), strict=True))
    assert not torch.equal(first[0], given(1)[0])
    assert {int((rows < 100).sum()) for rows in first} == {int((rows >= 1000).sum()) for rows in first} == {TERMS.half}
    taught = torch.cat([rows[rows < 100] for rows in first])
    assert len(taught.unique()) == 32 and len(taught[:32].unique()) == 32, "all of them once before any comes again"
    few = given(0, taught=3)
    assert all(sorted(rows[rows < 100].tolist()) == sorted(few[0][:3].tolist()) for rows in few)


class Stopping(Nobody):
    """Wants no more after so many steps."""

    def __init__(self, at: int) -> None:
        self.at, self.steps = at, 0

    def progress(self, progress: Progress) -> None:
        self.steps = sum(phase.done for phase in progress.phases)

    def check(self) -> None:
        if self.steps >= self.at:
            raise Cancelled("Somebody asked for this run to stop.")


def test_a_report_is_completed_once_somebody_asks(home: Path) -> None:
    done = unlearn(tiny_spec("finetune"), device="cpu", home=home)
    run, store, warm = done.run or -1, RunStore(home), Warm("cpu", home)
    assert "relearn" not in done.report.parts
    spec = MeasureSpec(run=run, what="relearn")
    stopped = Stopping(at=7)
    order = store.get(store.submit(spec, title="x"))
    with pytest.raises(Cancelled):
        carry_out(order, warm, stopped)
    assert stopped.steps == 7, "it stops before the next step"
    assert "relearn" not in reports.read(home, run).parts

    order = store.claim("w", device="cpu", kinds={"measure"})
    assert order is not None
    store.finish(order.id, order.attempt, headline=carry_out(order, warm, Nobody()))
    report = reports.read(home, run)
    facts = report.parts["relearn"].facts
    assert facts["weights"] == {name: report.evaluations[name].weights for name in ("after", "gold")}
    row = store.get(run)
    assert row.headline["relearn"]["index"] == facts["index"]
    assert row.headline["accuracy"], "what was known stays known"

    before = reports.parts_of(home, run)
    carry_out(store.get(store.submit(MeasureSpec(run=run), title="x")), warm, Nobody())
    assert "relearn" in reports.read(home, run).parts
    carry_out(order, warm, Nobody())
    assert reports.parts_of(home, run) != before, "a part that is measured anew is read anew"


def test_where_nothing_was_known_there_is_nothing_to_bring_back(home: Path) -> None:
    done = unlearn(spec_of(COLUMNS), device="cpu", home=home)
    warm = Warm("cpu", home)
    wrong = np.eye(4, dtype=np.float32)[(done.report.labels + 1) % 4]
    warm.evaluations.put(Evaluation(done.report.evaluations["before"].weights, "shapes", wrong))
    order = RunStore(home).get(RunStore(home).submit(MeasureSpec(run=done.run or -1, what="relearn"), title="x"))
    before = reports.parts_of(home, done.run or -1)
    assert carry_out(order, warm, Nobody()) == {"relearn": None}
    report = reports.read(home, done.run or -1)
    assert "nothing to bring back" in report.missing["relearn"]
    assert set(report.parts) == set(done.report.parts) and "twin" in report.missing
    assert reports.parts_of(home, done.run or -1) != before


def test_a_run_without_weights_cannot_be_asked(home: Path) -> None:
    done = unlearn(spec_of(COLUMNS), device="cpu", home=home)
    (artifacts.folder_of(home, done.run or -1) / artifacts.WEIGHTS).unlink()
    with pytest.raises(BadRequest, match="kept no weights"):
        asking.add(done.run or -1, Warm("cpu", home), Nobody())


def test_a_run_after_another_is_not_taught_what_that_one_forgot(home: Path) -> None:
    first = unlearn(spec_of(ForgetClasses(classes=(0,))), device="cpu", home=home)
    spec = replace_start(spec_of(COLUMNS), first.run or -1)
    layout = lay_out(spec, Warm("cpu", home))
    plan = asking._plan(layout)
    assert set(layout.data.pictures.labels[plan.keep].tolist()) == {2, 3}


def replace_start(spec: RunSpec, start: int) -> RunSpec:
    return spec.model_copy(update={"start": start})
