"""The challenge's score of a tiny run: what is made, what is kept, and what nothing can be said about."""

from pathlib import Path

import numpy as np
import pytest

from tests.methods.small_problem import tiny_spec
from unlearn_core.domain.errors import Cancelled, GaveWay
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.measurement import Part
from unlearn_core.engine.execute import carry_out, unlearn
from unlearn_core.engine.jobs import ensemble_members
from unlearn_core.engine.jobs import neurips_score as scoring
from unlearn_core.engine.jobs.ensemble import Inside
from unlearn_core.engine.listener import Nobody
from unlearn_core.engine.measure import Reopened, reopen
from unlearn_core.engine.model_cache import Warm
from unlearn_core.models import ensembles
from unlearn_core.models.ensembles import Population
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore

NETS = 4
QUICK = {"epochs": 1, "lr": 0.01}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def warm(home: Path) -> Warm:
    return Warm("cpu", home)


@pytest.fixture(scope="module")
def run(home: Path) -> int:
    finished = unlearn(tiny_spec("finetune", **QUICK), device="cpu", home=home)
    assert finished.run is not None
    return finished.run


@pytest.fixture(scope="module")
def part(warm: Warm, run: int) -> Part:
    found = scoring.measure(reopen(run, warm), NETS, warm, Nobody())
    assert isinstance(found, Part)
    return found


def test_nets_and_golds_are_scored_beside_golds_and_golds(part: Part, warm: Warm, run: int) -> None:
    report = reopen(run, warm).report
    for side in ("after", "ceiling"):
        assert part.arrays[side].shape == (len(report.split.forget_train),)
        facts = part.facts[side]
        assert 0 <= facts["forgetting"] <= 1
        assert facts["score"] == pytest.approx(facts["forgetting"] * facts["retain"] * facts["test"])
    assert part.facts["after"]["forgetting"] <= part.facts["ceiling"]["forgetting"]
    assert (part.facts["nets"], part.facts["last"]) == (NETS, 2.0)


class Stops(Nobody):
    """Wants something more urgent after each net, or nothing at all any more."""

    def __init__(self, *, urgent: bool = False, after: int | None = None) -> None:
        self.urgent, self.after, self.steps = urgent, after, 0

    def check(self) -> None:
        self.steps += 1
        if self.after is not None and self.steps > self.after:
            raise Cancelled("Stopped.")

    def give_way(self) -> bool:
        return self.urgent


def test_what_is_done_is_not_done_again_and_an_interruption_changes_nothing(part: Part, run: int, home: Path) -> None:
    warm = Warm("cpu", home)
    again = scoring.measure(reopen(run, warm), NETS, warm, Stops(urgent=True))
    assert isinstance(again, Part), "there was nothing left to give way with"
    folder = next((home / "trained" / "crowds").glob("*/unlearned/*"))
    kept = sorted(folder.iterdir())
    assert len(kept) == NETS
    first = kept[0].read_bytes()
    kept[0].unlink()
    kept[1].unlink()
    with pytest.raises(GaveWay):
        scoring.measure(reopen(run, warm), NETS, warm, Stops(urgent=True))
    assert kept[0].read_bytes() == first
    whole = scoring.measure(reopen(run, warm), NETS, warm, Nobody())
    assert isinstance(whole, Part)
    assert np.array_equal(whole.arrays["after"], part.arrays["after"], equal_nan=True)


def test_it_stops_within_a_step(run: int, tmp_path: Path, warm: Warm) -> None:
    finished = reopen(run, warm)
    elsewhere = Warm("cpu", tmp_path)
    stops = Stops(after=3)
    with pytest.raises(Cancelled):
        scoring.measure(finished, NETS, elsewhere, stops)
    assert stops.steps == 4


def test_a_run_of_this_kind_adds_its_part(run: int, home: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(home)
    number = store.adopt(MeasureSpec(run=run, what="score", nets=NETS), title="Score", device="cpu")
    headline = carry_out(store.get(number), warm, Nobody())
    part = reports.read(home, run).parts["score"]
    assert headline["score"] == {
        "nets": NETS,
        "ours": part.facts["after"]["score"],
        "ceiling": part.facts["ceiling"]["score"],
    }


@pytest.mark.parametrize(
    ("change", "words"), [("start", "goes on from an earlier one"), ("recipe", "Nobody has said how")]
)
def test_where_no_gold_is_defined_it_says_so(run: int, warm: Warm, change: str, words: str) -> None:
    finished = reopen(run, warm)
    if change == "start":
        spec = finished.report.spec.model_copy(update={"start": 1})
        finished.report.__dict__["spec"] = spec
    else:
        card = finished.layout.card.model_copy(update={"recipe": None})
        finished = Reopened(finished.folder, finished.report, finished.layout._replace(card=card), finished.after)
    found = scoring.measure(finished, NETS, warm, Nobody())
    assert isinstance(found, str) and words in found


def test_shipped_golds_are_used_and_only_the_missing_trained(
    run: int, warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = reopen(run, warm)
    request = finished.report.spec.request
    some = [ensemble_members.gold(request, number, warm, Inside(Nobody())) for number in range(2)]
    monkeypatch.setattr(ensembles, "golds", lambda asked: Population.of(some * 4) if asked == request else None)
    monkeypatch.setattr(ensemble_members, "gold", lambda *_: pytest.fail("none is missing"))
    found = scoring.measure(finished, NETS, warm, Nobody())
    assert isinstance(found, Part)


def test_a_gold_of_a_population_is_the_gold_of_that_number(run: int, warm: Warm) -> None:
    finished = reopen(run, warm)
    gold = warm.gold(finished.layout.card, finished.report.spec.request, 0)
    assert gold is not None
    trained = ensemble_members.gold(finished.report.spec.request, 0, warm, Inside(Nobody()))
    asked = ensemble_members.asked(gold.net, finished.layout.data, finished.layout.split)
    # What ships was cut to 16 bits.
    assert np.allclose(trained.logits, asked.logits, atol=0.1)


def test_a_population_survives_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    logits, shares = rng.normal(size=(3, 5, 4)).astype(np.float32), rng.random(3).astype(np.float32)
    whole = Population(logits, shares, shares)
    again = Population.from_bytes(whole.to_bytes())
    assert len(again) == 3 and np.allclose(again.logits, logits, atol=1e-2) and np.array_equal(again.test, shares)
    assert np.array_equal(Population.of([again.part(0, 1), again.part(1, 3)]).logits, again.logits)
    request = tiny_spec("finetune").request
    ensembles.write(tmp_path, request, whole, {"torch": "x"})
    assert ensembles.golds(request) is None, "this is not a folder of assets"
