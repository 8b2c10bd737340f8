"""A run as a script: executed, it makes the same run, whatever was forgotten and wherever it started."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import unlearn_core as lab
from unlearn_core.data import datasets, user_catalog
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import unlearn
from unlearn_core.export.run_script import WIDTH, run_script
from unlearn_core.export.runs_csv import runs_table
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.store.run_chain import run_chain

MOONS = datasets.card("moons")


def executed(text: str) -> dict:
    """The variables of a script after it ran."""
    found: dict = {}
    exec(compile(text, "script", "exec"), found)
    return found


SCATTERED = [*range(100, 160), *range(200, 900, 7), 901, 902]
CHAINS: dict[str, list[dict[str, Any]]] = {
    "classes": [{"method": "unsir", "classes": ["dusk", "dawn"], "seed": 5}],
    "images": [{"method": "finetune", "images": [3, 4, 8], "overrides": {"lr": 0.0123456789, "batch": 32}}],
    "many images": [{"method": "finetune", "images": SCATTERED}],
    "L2UL": [{"method": "l2ul", "images": [1, 2], "overrides": {"goal": "relabel", "stops": False}}],
    "a chain": [
        {"method": "unsir", "classes": ["dawn"]},
        {"method": "finetune", "classes": ["noon"], "start": 7, "seed": 2},
        {"method": "l2ul", "images": [3, 4], "start": 9},
    ],
}


def chain_of(name: str) -> list[UnlearnSpec]:
    return [run_spec("mlp-moons", **one) for one in CHAINS[name]]


@pytest.mark.parametrize("name", CHAINS)
def test_the_script_makes_the_same_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, made = chain_of(name), list[UnlearnSpec]()
    numbers = iter([*(spec.start for spec in chain[1:]), 99])

    def recorded(spec: UnlearnSpec) -> SimpleNamespace:
        made.append(spec)
        return SimpleNamespace(
            run=next(numbers), report=SimpleNamespace(evaluations={"after": SimpleNamespace(weights="c0ffee")})
        )

    monkeypatch.setattr(lab, "unlearn", recorded, raising=False)
    text = run_script(chain, MOONS, name="Run 12: Forget it", weights="c0ffee")
    executed(text)
    assert made == chain
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "# Run 12: Forget it\n" in text


def test_it_says_whether_the_weights_are_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = SimpleNamespace(report=SimpleNamespace(evaluations={"after": SimpleNamespace(weights="c0ffee")}))
    monkeypatch.setattr(lab, "unlearn", lambda spec: result, raising=False)
    for weights, words in (("c0ffee", "True"), ("bad", "False")):
        executed(run_script(chain_of("classes"), MOONS, name="x", weights=weights))
        assert capsys.readouterr().out.split()[-1] == words
    executed(run_script(chain_of("classes"), MOONS, name="x", weights=None))
    assert capsys.readouterr().out == "Checksum of the weights: c0ffee\n"


def test_names_from_users_run_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ('"""\nraise SystemExit\n"', "coding: utf-7 \r\x00\u2028raise", 'a "quoted" \\ name\u202e', "night")
    card: DatasetCard = MOONS.model_copy(update={"classes": names})
    made: list = []
    monkeypatch.setattr(lab, "spec", lambda *args, **options: made.append(options["classes"]), raising=False)
    result = SimpleNamespace(report=SimpleNamespace(evaluations={"after": SimpleNamespace(weights="c0ffee")}))
    monkeypatch.setattr(lab, "unlearn", lambda spec: result, raising=False)
    spec = run_spec("mlp-moons", method="unsir", classes=["dawn", "noon", "dusk"])
    text = run_script([spec], card, name=names[0] + names[1], weights=None)
    executed(text)
    assert made == [list(names[:3])]
    assert "\u202e" not in text, "no mark that changes the direction of writing"
    assert text.splitlines()[:2] == text.split("\n")[:2]
    assert "coding" not in "".join(text.split("\n")[:2]), "Python reads an encoding in the first two lines"


def test_it_says_where_what_a_user_added_must_be(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = chain_of("classes")[0]
    assert "was added by a user" not in run_script([spec], MOONS, name="x", weights=None)
    monkeypatch.setattr(user_catalog, "classifier_cards", lambda: {"mlp-moons": None})
    monkeypatch.setattr(user_catalog, "dataset_cards", lambda: {"moons": None})
    text = run_script([spec], MOONS, name="x", weights=None)
    for what in ("trained/mlp-moons", "datasets/moons"):
        assert f"its folder must be {what} in the data folder (UNLEARN_HOME)." in text
    assert "UNLEARN_PLUGINS=unlearn_core.testing.tiny" in text
    monkeypatch.delenv("UNLEARN_PLUGINS")
    assert "plug-ins" not in run_script([spec], MOONS, name="x", weights=None)


def test_a_real_run_is_made_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = unlearn(run_spec("mlp-moons", method="finetune", classes=["dawn"], seed=3), device="cpu")
    run = RunStore(home).get(1)
    executed(
        run_script(run_chain(RunStore(home), first.report.spec), MOONS, name=run.title, weights=run.metrics.weights)
    )
    assert "The same as the first time: True" in capsys.readouterr().out
    again, before = runs_table(RunStore(home).list_runs()).to_dict("records")
    assert again["weights"] == before["weights"] == first.report.evaluations["after"].weights
    assert before["version"] == lab.__version__
    assert before["revision"] >= 1
    same = [name for name in again if not name.startswith(("id", "created", "started", "finished", "seconds"))]
    assert {name: str(again[name]) for name in same} == {name: str(before[name]) for name in same}
    right = (first.report.evaluations["after"].logits.argmax(1) == first.report.labels)[first.report.split.retain_test]
    assert before["accuracy_after_retain_test"] == pytest.approx(right.mean())
    assert before["accuracy_after_retain_test_low"] < right.mean() < before["accuracy_after_retain_test_high"]
    assert 0 < before["seconds_forget"] < before["seconds_total"]
    assert 0 <= before["privacy_test"] <= 1


@pytest.mark.slow
def test_a_real_chain_is_made_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """L2UL forgets images from the model that UNSIR made when it forgot a class."""
    store = RunStore(home)
    unlearn(run_spec("mlp-moons", method="unsir", classes=["dawn"]), device="cpu")
    unlearn(run_spec("mlp-moons", method="l2ul", images=[700, 701, 702], start=1), device="cpu")
    chain = run_chain(store, run_spec("mlp-moons", method="l2ul", images=[700, 701, 702], start=1))
    executed(run_script(chain, MOONS, name="x", weights=store.get(2).metrics.weights))
    assert "The same as the first time: True" in capsys.readouterr().out
    assert [run.metrics.weights for run in store.list_runs()] == [
        store.get(number).metrics.weights for number in (2, 1, 2, 1)
    ]
    assert store.get(1).metrics.weights != store.get(2).metrics.weights
