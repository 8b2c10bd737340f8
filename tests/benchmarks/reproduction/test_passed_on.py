"""What re-initialisation leaves of single images: which runs measure it, and what is said of their rows."""

from pathlib import Path

import pytest
import torch

from tests.methods.small_problem import tiny_spec
from unlearn_core.benchmarks.csv_tables import Row
from unlearn_core.benchmarks.reproduction import passed_on
from unlearn_core.benchmarks.reproduction.passed_on import COLUMNS, LAYERS, LEARNS, REQUESTS, SEEDS
from unlearn_core.benchmarks.reproduction.passed_on_section import passed_on_claims, passed_on_section
from unlearn_core.benchmarks.reproduction.run_accuracies import measure_run
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.methods import reinit

LEFT = {("drawn", "logits"): 0.93, ("drawn", "labels"): 0.90, ("all", "logits"): 0.91, ("all", "labels"): 0.82}


def rows_of(left: dict[tuple[str, str], float] = LEFT) -> list[Row]:
    """Made-up rows: what is left of the images, by layers and what is learned; golds are at 85 and 84 %."""
    return [
        dict.fromkeys(COLUMNS, "")
        | {"request": "200-pictures", "layers": layers, "learns": learns, "seed": str(seed), "device": "CPU"}
        | {"forget_train": str(value + seed / 100), "forget_train_gold": "0.85"}
        | {"retain_test": "0.82", "retain_test_gold": "0.84"}
        for seed in range(3)
        for (layers, learns), value in left.items()
    ]


def test_every_combination_is_run_and_one_leaves_no_weight() -> None:
    cases = list(passed_on.cases().values())
    assert len(cases) == len(SEEDS) * len(REQUESTS) * len(LAYERS) * len(LEARNS) == len({case[:4] for case in cases})
    assert [case.seed for case in cases] == sorted(case.seed for case in cases), "one seed after another"
    assert {(case.learns, case.spec.params["loss"]) for case in cases} == {("logits", "mse"), ("labels", "ce")}


def test_where_all_layers_are_reinitialised_every_layer_is_drawn() -> None:
    case = next(case for case in passed_on.cases().values() if case.layers == "all")
    params = reinit.Hyperparameters.model_validate(case.spec.params)
    assert not params.spare_head and not params.spare_shortcuts and params.reset_norm
    (drawn,) = reinit._draws(22, [int(params.layers)], params.replacement, torch.Generator(), None)  # pyright: ignore
    assert set(drawn.tolist()) == set(range(22)), "all of the layers of a ResNet-20"


def test_a_row_has_the_accuracies_of_both_models(tmp_path: Path) -> None:
    row = measure_run(tiny_spec("reinit", cycles=1, epochs="1"), ModelCache("cpu", tmp_path), passed_on.SETS)
    assert {"key", "request", "seed", "layers", "learns", *row} == set(COLUMNS)
    assert all(0 <= float(row[name]) <= 1 for name in COLUMNS[5:9])


def test_the_section_says_where_the_images_come_from() -> None:
    claims = {claim.id: claim for claim in passed_on_claims(rows_of())}
    assert {name: claim.finding for name, claim in claims.items()} == {
        "reinit-images-teacher": "does not hold",
        "reinit-images-weights": "does not hold",
    }
    assert (
        "200 images: all layers, logits 9.0 ± 1.0, 3 runs; all layers, labels 0.0"
        in claims["reinit-images-teacher"].figures
    )
    text = passed_on_section(rows_of())
    assert "| 200 | all | labels | 3 | 83.0 ± 0.6 | 85.0 | 82.0 ± 0.0 | 84.0 | 0.0 ± 0.6 |" in text
    assert "Measured are 12 of 40 runs" in text
    same = dict.fromkeys(LEFT, 0.9)
    assert {claim.finding for claim in passed_on_claims(rows_of(same))} == {"not shown"}


def test_without_rows_it_is_said_how_to_measure() -> None:
    assert passed_on_section([]).startswith("Not measured yet: `python -m unlearn_core reproduce --work reinit-images`")
    assert {claim.finding for claim in passed_on_claims([])} == {"not measured"}


@pytest.mark.parametrize("known", [1, 39])
def test_what_was_measured_is_not_measured_again(known: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(passed_on, "measure_run", lambda *_: {"forget_train": 0.5})
    keys = list(passed_on.cases())
    rows = list(passed_on.measure_missing(keys[:known], seconds=60, device="cpu", data_dir=tmp_path))
    assert [row["key"] for row in rows] == keys[known:] and rows[0]["forget_train"] == 0.5
