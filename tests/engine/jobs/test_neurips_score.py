"""The challenge's score of a tiny run: the models it trains, what it stores, and where it is unavailable."""

from pathlib import Path

import numpy as np
import pytest

from tests.methods.small_problem import tiny_spec
from unlearn_core.domain.errors import CancelledError, PreemptedError
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.results.privacy import NeuripsScoreResult
from unlearn_core.engine.execute import execute_job
from unlearn_core.engine.jobs import neurips_score as scoring
from unlearn_core.engine.jobs.common import ensemble_members
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measuring.measure import LoadedRun, load_run
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.tracking.tracker import CancelOnlyTracker
from unlearn_core.models import ensembles
from unlearn_core.models.ensembles import EnsembleOutputs
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore

NETS = 4


@pytest.fixture(scope="module")
def result(model_cache: ModelCache, run: int) -> NeuripsScoreResult:
    found = scoring.measure(load_run(run, model_cache), NETS, model_cache, NullListener())
    assert isinstance(found, NeuripsScoreResult)
    return found


def test_models_and_golds_are_scored_beside_golds_and_golds(
    result: NeuripsScoreResult, model_cache: ModelCache, run: int
) -> None:
    report = load_run(run, model_cache).report
    for side, score in (("after", result.after), ("ceiling", result.ceiling)):
        assert result.epsilons[side].shape == (len(report.split.forget_train),)
        assert 0 <= score.forgetting <= 1
        assert score.score == pytest.approx(score.forgetting * score.retain * score.test)
    assert result.after.forgetting <= result.ceiling.forgetting
    assert (result.num_models, result.last_bucket) == (NETS, 2.0)


class Stops(NullListener):
    """Yields after each model, or cancels."""

    def __init__(self, *, urgent: bool = False, after: int | None = None) -> None:
        self.urgent, self.after, self.steps = urgent, after, 0

    def check(self) -> None:
        self.steps += 1
        if self.after is not None and self.steps > self.after:
            raise CancelledError("Stopped.")

    def should_yield(self) -> bool:
        return self.urgent


def test_what_is_done_is_not_done_again_and_an_interruption_changes_nothing(
    result: NeuripsScoreResult, run: int, model_cache: ModelCache
) -> None:
    again = scoring.measure(load_run(run, model_cache), NETS, model_cache, Stops(urgent=True))
    assert isinstance(again, NeuripsScoreResult), "there was nothing left to give way with"
    folder = next((model_cache.data_dir / "trained" / "crowds").glob("*/unlearned/*"))
    kept = sorted(folder.iterdir())
    assert len(kept) == NETS
    first = kept[0].read_bytes()
    kept[0].unlink()
    kept[1].unlink()
    with pytest.raises(PreemptedError):
        scoring.measure(load_run(run, model_cache), NETS, model_cache, Stops(urgent=True))
    assert kept[0].read_bytes() == first
    whole = scoring.measure(load_run(run, model_cache), NETS, model_cache, NullListener())
    assert isinstance(whole, NeuripsScoreResult)
    assert np.array_equal(whole.epsilons["after"], result.epsilons["after"], equal_nan=True)


def test_it_stops_within_a_step(run: int, tmp_path: Path, model_cache: ModelCache) -> None:
    finished = load_run(run, model_cache)
    elsewhere = ModelCache("cpu", tmp_path)
    stops = Stops(after=3)
    with pytest.raises(CancelledError):
        scoring.measure(finished, NETS, elsewhere, stops)
    assert stops.steps == 4


def test_a_run_of_this_kind_adds_its_part(run: int, model_cache: ModelCache, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(model_cache.data_dir)
    number = store.execution.register_running(
        MeasureSpec(run=run, what="score", nets=NETS), title="Score", device="cpu"
    )
    metrics = execute_job(store.get(number), model_cache, NullListener())
    stored = reports.read(model_cache.data_dir, run)[NeuripsScoreResult]
    assert metrics.to_dict()["score"] == {"nets": NETS, "ours": stored.after.score, "ceiling": stored.ceiling.score}


@pytest.mark.parametrize(("change", "words"), [("start", "continues an earlier run"), ("recipe", "unknown how")])
def test_where_no_gold_is_defined_it_says_so(run: int, model_cache: ModelCache, change: str, words: str) -> None:
    finished = load_run(run, model_cache)
    if change == "start":
        spec = finished.report.spec.model_copy(update={"start": 1})
        finished.report.__dict__["spec"] = spec
    else:
        card = finished.resolved.card.model_copy(update={"recipe": None})
        finished = LoadedRun(finished.folder, finished.report, finished.resolved._replace(card=card), finished.after)
    found = scoring.measure(finished, NETS, model_cache, NullListener())
    assert isinstance(found, str) and words in found


def test_shipped_golds_are_used_and_only_the_missing_trained(
    run: int, model_cache: ModelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = load_run(run, model_cache)
    request = finished.report.spec.request
    some = [
        ensemble_members.gold_outputs(request, number, model_cache, CancelOnlyTracker(NullListener()))
        for number in range(2)
    ]
    monkeypatch.setattr(
        ensembles, "bundled_golds", lambda asked: EnsembleOutputs.concatenate(some * 4) if asked == request else None
    )
    monkeypatch.setattr(ensemble_members, "gold_outputs", lambda *_: pytest.fail("none is missing"))
    found = scoring.measure(finished, NETS, model_cache, NullListener())
    assert isinstance(found, NeuripsScoreResult)


def test_a_gold_of_a_population_is_the_gold_of_that_number(run: int, model_cache: ModelCache) -> None:
    finished = load_run(run, model_cache)
    gold = model_cache.gold(finished.resolved.card, finished.report.spec.request, 0)
    assert gold is not None
    trained = ensemble_members.gold_outputs(
        finished.report.spec.request, 0, model_cache, CancelOnlyTracker(NullListener())
    )
    asked = ensemble_members.outputs_of(gold.module, finished.resolved.data, finished.resolved.split)
    # What ships was cut to 16 bits.
    assert np.allclose(trained.logits, asked.logits, atol=0.1)


def test_a_population_survives_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    logits, shares = rng.normal(size=(3, 5, 4)).astype(np.float32), rng.random(3).astype(np.float32)
    whole = EnsembleOutputs(logits, shares, shares)
    again = EnsembleOutputs.from_bytes(whole.to_bytes())
    assert len(again) == 3 and np.allclose(again.logits, logits, atol=1e-2) and np.array_equal(again.test, shares)
    assert np.array_equal(EnsembleOutputs.concatenate([again.members(0, 1), again.members(1, 3)]).logits, again.logits)
    request = tiny_spec("finetune").request
    ensembles.write_golds(tmp_path, request, whole, {"torch": "x"})
    assert ensembles.bundled_golds(request) is None, "this is not a folder of assets"
