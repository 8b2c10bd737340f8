"""The outputs of further golds: they ship beside a classifier, are checked, and count in verdicts."""

import json
from pathlib import Path

import numpy as np
import pytest

from unlearn_core.benchmarks.make_bundle import BuildTask, pack_outputs, plan_tasks
from unlearn_core.data import datasets
from unlearn_core.domain.errors import CorruptAssetError
from unlearn_core.domain.forget_request import ForgetClasses, ForgetRequest
from unlearn_core.domain.split import make_split
from unlearn_core.models import further_golds
from unlearn_core.models.bundled_models import GOLD_SEED_OFFSET, pack_logits, unpack_logits

REQUEST = ForgetRequest(classifier="tiny", dataset="shapes", forget=ForgetClasses(classes=(1,)))
FACTS = {
    "seed": GOLD_SEED_OFFSET + 1,
    "weights": "ab",
    "recipe": {"epochs": 3},
    "test accuracy on kept classes": 0.9,
    "seconds": 2.0,
    "made with": {"torch": "2"},
}


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(further_golds, "asset_roots", lambda: [tmp_path])
    return tmp_path


def built(assets: Path, number: int) -> BuildTask:
    """A gold that was trained in a folder of its own, with made-up logits."""
    images = len(datasets.load("shapes").labels)
    classes = len(datasets.card("shapes").classes)
    folder, name = assets / "built", f"gold-one-{number}"
    folder.mkdir(exist_ok=True)
    logits = np.random.default_rng(number).normal(size=(images, classes)).astype(np.float16)
    (folder / f"{name}.npz").write_bytes(pack_logits(logits))
    (folder / f"{name}.json").write_text(json.dumps({**FACTS, "seed": GOLD_SEED_OFFSET + number}))
    return BuildTask("tiny", name, REQUEST.forget, GOLD_SEED_OFFSET + number, folder, assets, "cpu", 1)


def test_outputs_come_back_for_their_request_only(assets: Path) -> None:
    assert further_golds.bundled_outputs(REQUEST) is None
    tasks = [built(assets, 1), built(assets, 2)]
    for task in tasks:
        pack_outputs([task], assets)
    found = further_golds.bundled_outputs(REQUEST)
    assert found is not None
    assert found.numbers == [1, 2]
    data = datasets.load("shapes")
    split = make_split(datasets.card("shapes"), data.labels, REQUEST.forget)
    for rows in (split.forget_train, split.forget_val, split.forget_test, split.retain_val, split.retain_test):
        assert found.covers(rows)
        expected = [unpack_logits((task.assets / f"{task.name}.npz").read_bytes())[rows] for task in tasks]
        assert np.array_equal(found.on(rows), np.stack(expected).astype(np.float32))
    assert not found.covers(split.retain_train)
    other = REQUEST.model_copy(update={"forget": ForgetClasses(classes=(0,))})
    assert further_golds.bundled_outputs(other) is None


def test_the_first_gold_ships_whole_and_is_not_packed(assets: Path) -> None:
    first = built(assets, 0)
    pack_outputs([first, first._replace(forget=None)], assets)
    assert further_golds.bundled_outputs(REQUEST) is None


def test_only_missing_golds_are_planned(assets: Path) -> None:
    def names(num_golds: int) -> list[str]:
        plan = plan_tasks("tiny", num_golds=num_golds, assets=assets, scratch=assets, device="cpu", jobs=1)
        return [task.name for task in plan if task.forget == REQUEST.forget]

    whole, second, third = names(3)
    assert (names(1), names(0)) == ([whole], [])
    pack_outputs([built(assets, 1)], assets)
    assert names(3) == [whole, third] != [whole, second]


def test_damaged_outputs_are_said_to_be_damaged(assets: Path) -> None:
    pack_outputs([built(assets, 1)], assets)
    path = assets / "classifiers" / "tiny" / further_golds.FOLDER / "gold-one.npz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptAssetError, match="its checksum differs"):
        further_golds.bundled_outputs(REQUEST)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(CorruptAssetError, match="is damaged"):
        further_golds.bundled_outputs(REQUEST)
