"""What release f9aa4de took and printed on the command line still is; test_run has the keys of a run."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.store import former as release
from unlearn_core.__main__ import main
from unlearn_core.engine.build_spec import run_spec

PRINTED = release.read("printed")


def paths(value: Any, at: str = "") -> set[str]:
    """The keys of plain values, each as the path that leads to it."""
    if isinstance(value, dict):
        deeper = (paths(one, f"{at}.{name}") for name, one in value.items())
        return {f"{at}.{name}" for name in value}.union(*deeper)
    if isinstance(value, list):
        return set().union(*(paths(one, f"{at}[]") for one in value))
    return set()


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("verb", ["methods", "classifiers", "datasets", "architectures"])
def test_every_key_of_a_list_is_still_printed(verb: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, verb)
    if verb == "methods":
        fitted = {one["id"]: {name: set(each["fitted"]) for name, each in one["presets"].items()} for one in found}
        for method, presets in PRINTED["presets"].items():
            for preset, kinds in presets.items():
                assert fitted[method][preset] >= set(kinds), (method, preset)
        for one in found:
            one["presets"] = list(one["presets"].values())
    assert paths(found) >= set(PRINTED["keys"][verb])


def test_every_key_of_a_training_is_still_printed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "train", "--classifier", "mlp", "--dataset", "rings", "--epochs", "1", "--device", "cpu")
    assert paths(found) >= set(PRINTED["keys"]["train"])


@pytest.mark.parametrize("method", PRINTED["hyperparameters"])
def test_every_hyperparameter_is_still_set_by_its_name(method: str) -> None:
    known = PRINTED["hyperparameters"][method]
    for name, default in known.items():
        found = run_spec("mlp-moons", method=method, classes=["noon"], overrides={name: str(default)})
        assert found.params[name] == default, name
        assert set(found.params) >= set(known)


@pytest.mark.parametrize("method", PRINTED["presets"])
def test_every_preset_is_still_called_by_its_name(method: str) -> None:
    for preset in PRINTED["presets"][method]:
        assert run_spec("mlp-moons", method=method, classes=["noon"], preset=preset).method == method
