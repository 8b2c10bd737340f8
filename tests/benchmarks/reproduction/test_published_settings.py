"""The published settings of UNSIR and L2UL: which are measured, how, and what is said of their rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.uploaded_model import DATASET, bring
from unlearn_core.benchmarks.reproduction.published import published_rows
from unlearn_core.benchmarks.reproduction.published.published_rows import COLUMNS
from unlearn_core.benchmarks.reproduction.published.published_section import published_section, published_setting_claims
from unlearn_core.benchmarks.reproduction.published.published_settings import (
    PUBLISHED_RESULTS,
    PublishedSetting,
    published_settings,
)
from unlearn_core.data import user_catalog
from unlearn_core.domain.recipe import Recipe
from unlearn_core.engine.listener import NullListener
from unlearn_core.methods import method

ONE, TWENTY = PUBLISHED_RESULTS


def row_of(name: str = ONE, seed: int = 0, **changes: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "0.5") | {"name": name, "seed": str(seed), "device": "CPU"} | changes


def test_every_setting_is_valid_and_the_published_ones_come_first() -> None:
    settings = list(published_settings().values())
    assert [setting.name for setting in settings[:2]] == [ONE, TWENTY] and all(s.published for s in settings[:2])
    assert len({setting.name for setting in settings}) == len(settings) == 23
    for setting in settings:
        method(setting.method).presets["paper"].params.updated(dict(setting.changes))
        assert (setting.classes > 0) != (setting.images > 0)


def test_a_row_without_a_retrained_model_is_measured_again_and_every_seed_comes_after_the_one_before() -> None:
    rows = [row_of(), row_of(TWENTY, retain_gold="")]
    missing = published_rows.missing(rows)
    assert [setting.name for setting, seed in missing if seed == 0] == list(published_settings())[1:]
    assert [seed for _, seed in missing] == sorted(seed for _, seed in missing) and len(missing) == 3 * 23 - 1


def test_without_rows_it_is_said_how_to_measure() -> None:
    assert published_section([]).startswith(f"Not measured: {ONE}; {TWENTY}; CIFAR-10, 16 images")
    assert {claim.finding for claim in published_setting_claims([])} == {"not measured"}


def test_ours_stands_under_theirs_and_what_was_not_run_is_said() -> None:
    text = published_section([row_of(passes="1234", seconds="12.34", moved_after="")])
    assert f"| UNSIR: {ONE} | published, before | 77.86 | 81.01 | | | | |" in text
    assert "|  | after | 50.00 | 50.00 |  | 0.50 | 1,234 | 12.3 |" in text
    assert "|  | retrained | 50.00 | 50.00 | 0.50 | 0.50 | 0 | 0.5 |" in text
    assert f"Not measured: {TWENTY};" in text and "Without a retrained model" not in text
    assert f"Without a retrained model: {ONE}. " in published_section([row_of(retain_gold="")])


def test_one_run_is_judged_by_its_images_and_several_by_their_spread() -> None:
    claims = {claim.id: claim for claim in published_setting_claims([row_of(retain_before="0.6", forget_after="0")])}
    assert claims["unsir-forget-cifar10"].finding == "holds"
    assert claims["unsir-retain-cifar10"].finding == "does not hold", "10 points where 6.80 were published"
    assert "from 60.00 to 50.00 %, 95 % interval 48.8" in claims["unsir-retain-cifar10"].figures
    falls = [row_of(seed=seed, retain_before=str(0.55 + seed / 1000)) for seed in range(3)]
    again = {claim.id: claim for claim in published_setting_claims(falls)}
    assert again["unsir-retain-cifar10"].finding == "holds"
    assert "here 5.10 ± 0.10, 3 runs" in again["unsir-retain-cifar10"].figures


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    user_catalog.set_data_dir(None)


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    [
        PublishedSetting(
            "one class",
            "UNSIR",
            DATASET.id,
            "resnet8",
            "unsir",
            classes=1,
            changes={"noise_pictures": 16, "noise_steps": 2, "noise_repeats": 1, "batch": 16},
        ),
        PublishedSetting(
            "five images", "L2UL", DATASET.id, "resnet8", "l2ul", images=5, changes={"copies": 1, "max_steps": 2}
        ),
    ],
    ids=lambda setting: setting.method,
)
def test_a_setting_is_measured_beside_its_retrained_model(setting: PublishedSetting, catalog: Path) -> None:
    """The whole way in a small setting: an original and a retrained model of one epoch, on few images."""
    bring("resnet8", catalog)
    recipe = Recipe(epochs=1, batch=16, peak=0.05)
    rows = [
        published_rows.measure(setting, 0, device="cpu", data_dir=catalog, listener=NullListener(), recipe=recipe)
        for _ in range(2)
    ]
    assert all(tuple(row) and set(row) == set(COLUMNS) for row in rows)
    assert rows[0]["gold_passes"] == DATASET.train - (DATASET.train // 4 if setting.classes else 5)
    assert all(isinstance(rows[0][name], float) for name in COLUMNS[2:10])
    assert rows[1]["trained_in"] == "", "the original is not trained twice"
    same = set(COLUMNS) - {"seconds", "trained_in"}
    assert {name: rows[0][name] for name in same} == {name: rows[1][name] for name in same}
