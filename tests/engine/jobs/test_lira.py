"""The likelihood-ratio attack on a tiny run: the models it trains, what it stores, and where it is unavailable."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from tests.methods.small_problem import tiny_spec
from unlearn_core.domain.errors import CancelledError
from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.results.privacy import LiraResult
from unlearn_core.engine.execute import execute_job, unlearn
from unlearn_core.engine.jobs import lira
from unlearn_core.engine.jobs.common import ensemble_members
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measuring.measure import LoadedRun, load_run
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.probes.common.likelihood_ratio import cross_validate
from unlearn_core.store.files import reports
from unlearn_core.store.queue.run_store import RunStore

NETS = 4


@pytest.fixture(scope="module")
def result(model_cache: ModelCache, run: int) -> LiraResult:
    found = lira.measure(load_run(run, model_cache), NETS, model_cache, NullListener())
    assert isinstance(found, LiraResult)
    return found


def test_every_figure_is_a_share_and_every_shadow_has_its_own(result: LiraResult) -> None:
    assert all(0 <= share <= 1 for share in (result.success_rate, result.after, result.gold))
    assert 0 <= result.low <= result.success_rate <= result.high <= 1
    assert result.unlearned_shadows.shape == result.retrained_shadows.shape == (NETS,)


def test_few_false_positives_are_counted_over_all_pairs_of_a_model_and_an_image(result: LiraResult) -> None:
    rng = np.random.default_rng(0)
    seen, unseen = rng.normal(1, 1, (6, 50)), rng.normal(0, 1, (6, 50))
    held = cross_validate(seen, unseen)
    attack = lira.attack_of_pairs(held)
    truth, scores = np.repeat([1, 0], [300, 300]), np.concatenate([held.in_ratio.ravel(), held.out_ratio.ravel()])
    assert attack.auc == pytest.approx(roc_auc_score(truth, scores), abs=1e-6)
    limit = sorted(held.out_ratio.ravel())[-1 - 3]  # 1 % of 300
    by_model = [float((own > limit).mean()) for own in held.in_ratio]
    half = stats.t.ppf(0.975, 5) * np.std(by_model, ddof=1) / np.sqrt(6)
    assert attack.found == pytest.approx(np.mean(by_model), abs=1e-6)
    assert attack.found_high == pytest.approx(np.mean(by_model) + half, abs=1e-6)
    assert result.attack is not None and result.curves["rate"][-1] < 1
    assert result.curves["rate"].shape == result.curves["found"].shape


def test_shadows_are_originals_of_their_own_and_are_trained_once_for_every_method(
    result: LiraResult, run: int, model_cache: ModelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    (crowds,) = (model_cache.data_dir / "trained" / "crowds").iterdir()
    files = sorted((crowds / "originals").glob("*/*"))
    assert len({file.read_bytes() for file in files}) == NETS
    for kind in ("shadows", "golds"):
        assert sum(1 for _ in (crowds / kind).glob("*/*")) == NETS + (kind == "golds")
    monkeypatch.setattr(ensemble_members, "train_original", lambda *_: pytest.fail("they are there"))
    finished = load_run(run, model_cache)
    again = lira.measure(finished, NETS, model_cache, NullListener())
    assert isinstance(again, LiraResult) and again.success_rate == result.success_rate
    other = unlearn(tiny_spec("finetune", epochs=1, lr=0.02), device="cpu", data_dir=model_cache.data_dir)
    assert other.run is not None
    found = lira.measure(load_run(other.run, model_cache), NETS, model_cache, NullListener())
    assert isinstance(found, LiraResult)


def test_it_stops_within_a_step(run: int, tmp_path: Path, model_cache: ModelCache) -> None:
    class Stops(NullListener):
        steps = 0

        def check(self) -> None:
            self.steps += 1
            if self.steps > 3:
                raise CancelledError("Stopped.")

    stops = Stops()
    with pytest.raises(CancelledError):
        lira.measure(load_run(run, model_cache), NETS, ModelCache("cpu", tmp_path), stops)
    assert stops.steps == 4


def test_a_run_of_this_kind_adds_its_part(run: int, model_cache: ModelCache, result: LiraResult) -> None:
    store = RunStore(model_cache.data_dir)
    number = store.execution.register_running(MeasureSpec(run=run, what="lira", nets=NETS), title="LiRA", device="cpu")
    metrics = execute_job(store.get(number), model_cache, NullListener())
    stored = reports.read(model_cache.data_dir, run)[LiraResult]
    assert metrics.to_dict()["lira"] == {
        "nets": NETS,
        "told": stored.success_rate,
        "low": stored.low,
        "high": stored.high,
        "after": stored.after,
        "gold": stored.gold,
    }
    assert stored.success_rate == result.success_rate


def test_without_a_recipe_it_says_why_there_is_none(run: int, model_cache: ModelCache) -> None:
    finished = load_run(run, model_cache)
    card = finished.resolved.card.model_copy(update={"recipe": None})
    without = LoadedRun(finished.folder, finished.report, finished.resolved._replace(card=card), finished.after)
    found = lira.measure(without, NETS, model_cache, NullListener())
    assert isinstance(found, str) and "unknown how" in found
