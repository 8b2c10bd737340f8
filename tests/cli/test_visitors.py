"""Visitors on the command line: who has runs here, a code for their browser, and what is stored of them."""

import json
import time
from pathlib import Path

import pytest

from tests.store.specs import spec, sql
from unlearn_core.__main__ import main
from unlearn_core.store.access.actor import OPERATOR, Actor
from unlearn_core.store.housekeeping import retention
from unlearn_core.store.queue.run_store import RunStore

ANN = Actor("a" * 20)


def test_visitors_are_listed_with_their_runs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = RunStore(home)
    store.acting_as(ANN).submit(spec(), title="")
    store.acting_as(ANN).visitors.rename("Table 4")
    assert main(["serve", "--visitors"]) == 0
    assert capsys.readouterr().out.split() == [ANN.id, "1", "run", "Table", "4"]
    assert main(["serve", "--visitors", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"id": ANN.id, "name": "Table 4", "runs": 1}]


@pytest.mark.parametrize(("given", "actor"), [([], OPERATOR), ([ANN.id], ANN)], ids=["operator", "visitor"])
def test_a_code_makes_a_browser_theirs(
    home: Path, capsys: pytest.CaptureFixture[str], given: list[str], actor: Actor
) -> None:
    assert main(["serve", "--code", *given]) == 0
    code = capsys.readouterr().out.split()[0]
    assert RunStore(home).acting_as(Actor("b" * 20)).visitors.redeem(code) == actor


@pytest.fixture
def store(home: Path) -> RunStore:
    found = RunStore(home)
    ann = found.acting_as(ANN)
    ann.cancel(ann.submit(spec(), title="Ann's"))
    ann.visitors.rename("Table 4")
    found.submit(spec(), title="the operator's")
    return found


def test_what_is_stored_is_listed(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["storage", "of", ANN.id]) == 0
    assert capsys.readouterr().out == "runs with their reports and weights: 1\n"
    assert main(["storage", "of", ANN.id, "--json"]) == 0
    (amount,) = json.loads(capsys.readouterr().out)["amounts"]
    assert amount == {"title": "runs with their reports and weights", "number": 1, "bytes": 0}
    assert main(["storage", "of", "nobody"]) == 0
    assert capsys.readouterr().out == "Nothing is stored of nobody.\n"


def test_everything_of_a_visitor_is_deleted_once_confirmed(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["storage", "delete", ANN.id]) == 2
    assert "confirm it with --yes" in capsys.readouterr().err and len(store.list_runs()) == 2
    assert main(["storage", "delete", ANN.id, "--yes"]) == 0
    assert capsys.readouterr().out == "Deleted:\nruns with their reports and weights: 1\nname and codes: 1\n"
    assert [run.owner for run in store.list_runs()] == [OPERATOR.id]
    assert main(["storage", "delete", ANN.id, "--yes"]) == 0
    assert capsys.readouterr().out == "There was nothing to delete.\n"


def test_retention_says_what_goes_next(
    store: RunStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["storage", "retention", "--now"]) == 0
    assert capsys.readouterr().out.startswith("Retention is off: set UNLEARN_KEEP_DAYS")
    monkeypatch.setenv("UNLEARN_KEEP_DAYS", "30")
    store.cancel(2)
    sql(store.data_dir, "UPDATE run SET finished = 1000000")
    assert main(["storage", "retention", "--now"]) == 0
    rules, *lines = capsys.readouterr().out.splitlines()
    assert rules == "This server keeps runs of the last 30 days, and what is pinned."
    assert [line.split()[3:] for line in lines] == [["run", str(run), "older", "than", "30", "days"] for run in (1, 2)]
    notice = time.time() + 4 * retention.DAY
    monkeypatch.setattr(time, "time", lambda: notice)
    assert main(["storage", "retention", "--now"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "Deleted run 1: older than 30 days.",
        "Deleted run 2: older than 30 days.",
        "Nothing will be deleted within the next days.",
    ]


def test_what_costs_disk_is_measured(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["storage", "use", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {*found["owners"]} == {ANN.id, OPERATOR.id} and found["bytes"] > 0
    assert "database" in [kind["title"] for kind in found["kinds"]]
    assert main(["storage", "use"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("The data folder takes 0.") and any(line.endswith("  Table 4") for line in lines)
