"""KLoM of a tiny run: its models are those of the challenge's score, and what the report gets from them."""

import numpy as np
import pytest

from unlearn_core.domain.jobs import MeasureSpec
from unlearn_core.domain.results.outputs import KlomResult
from unlearn_core.engine.execute import measure_on_demand
from unlearn_core.engine.jobs import klom
from unlearn_core.engine.jobs.common.ensemble import ModelEnsemble
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.measuring.measure import load_run
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.probes.common.klom import margin_divergence
from unlearn_core.probes.common.neurips_score import phi
from unlearn_core.store.files import reports

NETS = 4


@pytest.fixture(scope="module")
def result(model_cache: ModelCache, run: int) -> KlomResult:
    measure_on_demand(MeasureSpec(run=run, what="klom", nets=NETS), model_cache, NullListener())
    return reports.read(model_cache.data_dir, run)[KlomResult]


def test_both_sets_are_compared_with_the_same_golds(result: KlomResult, run: int, model_cache: ModelCache) -> None:
    loaded = load_run(run, model_cache)
    rows = loaded.report.split.forget_train
    labels = loaded.report.labels[rows]
    ensemble = ModelEnsemble(loaded, model_cache, NullListener())
    golds = phi(ensemble.gold_outputs(range(2 * NETS)).logits, labels)
    unlearned = phi(ensemble.unlearned_outputs(range(NETS)).logits, labels)
    for side, models in (("after", unlearned), ("ceiling", golds[NETS:])):
        by_hand = [margin_divergence(golds[:NETS, at], models[:, at]) for at in range(len(rows))]
        assert result.divergences[side] == pytest.approx(np.array(by_hand), abs=1e-6)
        assert result.margins[side] == pytest.approx(models.mean(0), abs=1e-5)
    assert result.num_models == NETS and set(result.margins) == {"gold", "after", "ceiling"}


def test_without_a_recipe_it_says_why_there_is_none(run: int, model_cache: ModelCache) -> None:
    loaded = load_run(run, model_cache)
    card = loaded.resolved.card.model_copy(update={"recipe": None})
    unknown = loaded._replace(resolved=loaded.resolved._replace(card=card))
    found = klom.measure(unknown, NETS, model_cache, NullListener())
    assert isinstance(found, str) and "unknown how" in found
