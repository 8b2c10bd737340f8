"""The table of many runs: a row a run, typed, and every column is documented."""

import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.store.former import home as former
from tests.store.former import unpacked
from unlearn_core.data import datasets
from unlearn_core.domain.forget_request import Forget, ForgetClasses, ForgetImages, ForgetRequest
from unlearn_core.domain.jobs import TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.run import Priority, Run, RunState
from unlearn_core.export.run_script import run_script
from unlearn_core.export.runs_csv import (
    AFTER_HYPERPARAMETERS,
    BEFORE_HYPERPARAMETERS,
    recorded_runs,
    runs_csv,
    runs_table,
)
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.store.run_chain import run_chain

__all__ = ["former", "unpacked"]

ROOT = Path(__file__).resolve().parents[2]
BEGAN = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)
METRICS = RunMetrics.model_validate(
    {
        "accuracy": {"before": {"forget_test": 1.0}, "after": {"forget_test": 0.25, "retain_val": None}},
        "intervals": {"before": {"forget_test": [0.99, 1.0]}, "after": {"forget_test": [0.2, 0.3]}},
        "distance": {
            "val": {"before": 0.4, "after": 0.03, "spread": None},
            "test": {"before": 0.5, "after": 0.02, "spread": 0.01},
        },
        "privacy": 0.75,
        "privacy_val": 0.8,
        "seconds": {"total": 3.0, "load": 0.5, "forget": 1.5, "evaluate": 0.25, "probes": 0.75},
        "weights": "c0ffee",
        "revision": 3,
        "version": "0.1.0",
        "torch": "2.11.0",
    }
)


def made(number: int, forget: Forget, *, dataset: str = "shapes", **fields: Any) -> Run:
    request = ForgetRequest(classifier="tiny", dataset=dataset, forget=forget)
    params = fields.pop("params", {"lr": 0.5, "epochs": 2, "augment": True, "layers": "1,2"})
    spec = UnlearnSpec(
        request=request, method=fields.pop("method", "any"), params=params, start=fields.pop("start", None)
    )
    usual: dict[str, Any] = {"state": RunState.DONE, "owner": "ann", "group": None, "note": "", "error": None}
    usual |= {"started": BEGAN, "finished": BEGAN + timedelta(seconds=3), "metrics": RunMetrics(), "device": "cpu"}
    rest: dict[str, Any] = {"priority": Priority.SWEEP, "parent": None, "attempt": 1, "progress": None}
    rest |= {"cancelling": False, "created": BEGAN, "title": f"Run number {number}"}
    return Run(id=number, spec=spec, **(usual | rest | fields))


CLASSES, IMAGES = ForgetClasses(classes=(2, 0)), ForgetImages(images=(3, 4, 5, 9))


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(StringIO(text), parse_dates=["created", "started", "finished"])


def test_a_finished_run_fills_its_row() -> None:
    table = read(runs_csv([made(7, CLASSES, metrics=METRICS, group="sweep-12", note="good", start=4)]))
    (row,) = table.to_dict("records")
    assert {name: row[name] for name in ("id", "title", "owner", "state")} == {
        "id": 7,
        "title": "Run number 7",
        "owner": "ann",
        "state": "done",
    }
    assert row["finished"] - row["started"] == timedelta(seconds=3)
    assert str(row["created"].tz) == "UTC"
    assert (row["classifier"], row["dataset"], row["method"], row["seed"]) == ("tiny", "shapes", "any", 0)
    assert (row["start"], row["sweep"], row["note"]) == (4, 12, "good")
    assert (row["request"], row["forget_classes"]) == ("classes", "rows;checks")
    assert pd.isna(row["forget_images"])
    assert (row["hp_lr"], row["hp_epochs"], row["hp_augment"], row["hp_layers"]) == (0.5, 2, True, "1,2")
    columns = [f"accuracy_after_forget_test{bound}" for bound in ("", "_low", "_high")]
    assert [row[name] for name in columns] == [0.25, 0.2, 0.3]
    assert pd.isna(row["accuracy_gold_forget_test"])
    assert pd.isna(row["accuracy_after_retain_val"])
    assert [row[f"distance_{name}"] for name in ("test_before", "test_after", "val_after")] == [0.5, 0.02, 0.03]
    assert (row["privacy_test"], row["privacy_val"]) == (0.75, 0.8)
    assert sum(row[f"seconds_{stage}"] for stage in ("load", "forget", "evaluate", "probes")) == row["seconds_total"]
    assert (row["device"], row["version"], row["torch"], row["revision"]) == ("cpu", "0.1.0", "2.11.0", 3)
    assert row["weights"] == "c0ffee"


def test_columns_are_typed_and_the_same_whatever_the_runs_are() -> None:
    runs = [
        made(3, IMAGES, params={"lr": 1, "batch": 64}, method="other"),
        made(2, CLASSES, state=RunState.FAILED, error="It broke.", started=None, finished=None, device=None),
        made(1, CLASSES, metrics=METRICS),
    ]
    table = runs_table(runs)
    own = [name for name in table.columns if name.startswith("hp_")]
    assert own == ["hp_augment", "hp_batch", "hp_epochs", "hp_layers", "hp_lr"]
    assert list(table.columns) == [*BEFORE_HYPERPARAMETERS, *own, *AFTER_HYPERPARAMETERS]
    types = {name: str(table[name].dtype) for name in ("hp_lr", "hp_batch", "hp_augment", "hp_layers")}
    assert types == {"hp_lr": "Float64", "hp_batch": "Int64", "hp_augment": "boolean", "hp_layers": "string"}
    assert table["hp_batch"].isna().tolist() == [False, True, True]
    assert table["forget_images"].tolist()[0] == "3-5,9"
    assert table["error"].tolist()[1] == "It broke."
    empty = runs_table([])
    assert list(empty.columns) == [*BEFORE_HYPERPARAMETERS, *AFTER_HYPERPARAMETERS]
    shared = dict(table.dtypes.astype(str))
    assert dict(empty.dtypes.astype(str)) == {name: shared[name] for name in empty.columns}
    assert runs_csv([]).count("\n") == 1


def test_one_hyperparameter_of_two_methods_can_have_two_kinds_of_values() -> None:
    table = runs_table([made(2, CLASSES, params={"mode": 3}), made(1, CLASSES, params={"mode": "full"})])
    assert table["hp_mode"].tolist() == ["3", "full"]


def test_only_unlearning_runs_have_a_row() -> None:
    gold = made(1, CLASSES).model_copy(
        update={"spec": TrainGoldSpec(request=ForgetRequest(classifier="tiny", dataset="shapes", forget=CLASSES))}
    )
    assert runs_table([gold, made(2, CLASSES)])["id"].tolist() == [2]


def test_a_data_set_that_is_gone_leaves_numbers() -> None:
    assert runs_table([made(1, CLASSES, dataset="lost")])["forget_classes"].tolist() == ["0;2"]


def test_text_is_no_formula_in_a_spreadsheet() -> None:
    assert read(runs_csv([made(1, CLASSES, note="=1+1", title='@x, "quoted"')]))["note"].tolist() == ["'=1+1"]


def documented() -> dict[str, str]:
    """The columns in docs/runs.md with their types; those in braces are written out."""
    found: dict[str, str] = {}
    for names, kind in re.findall(r"^\| (`.+?`) \| (\w+) \|", (ROOT / "docs" / "runs.md").read_text(), re.MULTILINE):
        found |= {column: str(kind) for name in re.findall("`(.+?)`", names) for column in _written_out(name)}
    return found


def _written_out(name: str) -> list[str]:
    head, brace, rest = name.partition("{")
    if not brace:
        return [name]
    choices, _, tail = rest.partition("}")
    return [head + choice + end for choice in choices.split(",") for end in _written_out(tail)]


def test_every_column_is_documented_with_its_type() -> None:
    kinds = {"Int64": "whole", "Float64": "number", "string": "text", "datetime64[us, UTC]": "time"}
    columns = {name: kinds[dtype] for name, dtype in (BEFORE_HYPERPARAMETERS | AFTER_HYPERPARAMETERS).items()}
    said = documented()
    assert said.pop("hp_NAME") == "any"
    assert said == columns


@pytest.mark.parametrize(("name", "columns"), [("id", ["id"]), ("a_{x,y}_{1,2}", ["a_x_1", "a_x_2", "a_y_1", "a_y_2"])])
def test_braces_are_written_out(name: str, columns: list[str]) -> None:
    assert _written_out(name) == columns


def test_runs_of_a_former_release_have_their_rows_and_scripts(former: Path) -> None:
    store = RunStore(former)
    table = recorded_runs(former).set_index("id")
    assert table.index.tolist() == [13, 11, 10, 9, 8, 7, 5, 2, 1]
    assert table.loc[5, "start"] == 1
    assert table.loc[[10, 11], "sweep"].tolist() == [1, 1]
    assert table.loc[2, "forget_images"] == "3,7,11"
    assert table.loc[1, "forget_classes"] == "noon"
    done = table[table["state"] == "done"]
    columns = ("accuracy_after_retain_test_low", "accuracy_after_retain_test", "accuracy_after_retain_test_high")
    assert all(low <= middle <= high for low, middle, high in zip(*(done[name] for name in columns), strict=True))
    assert table["accuracy_after_retain_test"].dropna().index.tolist() == done.index.tolist()
    assert table["revision"].dropna().tolist() == [], "not recorded then"
    continued = store.get(5).spec
    assert isinstance(continued, UnlearnSpec)
    chain = run_chain(store, continued)
    assert [spec.start for spec in chain] == [None, 1]
    assert "start=run_1.run" in run_script(chain, datasets.card("moons"), name="Run 5", weights=None)
