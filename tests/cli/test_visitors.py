"""`serve --visitors` and `--code`: who has runs here, and the code that makes a browser the operator's."""

import json
from pathlib import Path

import pytest

from tests.store.specs import spec
from unlearn_core.__main__ import main
from unlearn_core.store.access.actor import OPERATOR, Actor
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
