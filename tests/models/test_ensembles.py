"""The ensemble of golds that ships: complete, large enough, and as accurate as golds of that classifier should be."""

import numpy as np
import pytest

from unlearn_core.benchmarks import ablation
from unlearn_core.data import datasets
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.domain.split import make_split
from unlearn_core.models import bundled_models, ensembles


def test_the_golds_that_ship_answer_like_golds() -> None:
    request = ablation.forget_request()
    golds = ensembles.bundled_golds(request)
    assert golds is not None and len(golds) >= 32, "enough for a score of 16 models and its ceiling"
    card = datasets.card(request.dataset)
    labels = datasets.load(card.id).labels
    forgotten = make_split(card, labels, request.forget).forget_train
    assert golds.logits.shape == (len(golds), len(forgotten), len(card.classes))
    named = (golds.logits.argmax(2) == labels[forgotten]).mean()
    assert abs(named - golds.test.mean()) < 0.1, "golds classify forget images as well as test images"
    assert (golds.test > 0.55).all() and (golds.retain > golds.test).all()
    assert len(np.unique(golds.logits.reshape(len(golds), -1), axis=0)) == len(golds), "no model occurs twice"


def test_the_first_of_them_is_the_gold_that_ships() -> None:
    request = ablation.forget_request()
    golds, first = (
        ensembles.bundled_golds(request),
        bundled_models.find_bundled(request.classifier, request.forget, bundled_models.GOLD_SEED_OFFSET),
    )
    assert golds is not None and first is not None
    forgotten = make_split(
        datasets.card(request.dataset), datasets.load(request.dataset).labels, request.forget
    ).forget_train
    # What ships as a net was cut to 16 bits.
    assert np.allclose(golds.logits[0], bundled_models.read_logits(first)[forgotten], atol=0.15)


def test_other_requests_have_none() -> None:
    request = ablation.forget_request()
    other = request.model_copy(update={"classifier": "resnet20"})
    assert ensembles.bundled_golds(other) is None


def test_a_damaged_description_says_how_to_restore_it(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    folder = tmp_path / "populations" / "resnet8"
    folder.mkdir(parents=True)
    (folder / ensembles.MANIFEST_FILE).write_text("{")
    monkeypatch.setattr(ensembles, "asset_roots", lambda: [tmp_path])
    with pytest.raises(CorruptAssetError, match="git checkout"):
        ensembles.bundled_golds(ablation.forget_request())
