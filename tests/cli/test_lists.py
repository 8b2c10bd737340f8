"""The command line lists everything that the catalog holds."""

import json
import subprocess
import sys

import pytest

from unlearn_core import __main__ as program
from unlearn_core.__main__ import main
from unlearn_core.data import datasets
from unlearn_core.methods import methods
from unlearn_core.models import classifiers


def test_methods(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods", "--json"]) == 0
    said = {one["id"]: one for one in json.loads(capsys.readouterr().out)}
    assert set(said) == set(methods())
    for name, method in methods().items():
        knobs = {knob["name"]: knob for knob in said[name]["knobs"]}
        assert list(knobs) == list(method.params.hyperparameters())
        assert all(knob["low"] < knob["high"] for knob in knobs.values() if knob["kind"] in ("int", "float"))
        for title, preset in method.presets.items():
            assert method.params.parse(said[name]["presets"][title]["params"]) == preset.params
    assert main(["methods"]) == 0
    text = capsys.readouterr().out
    assert all(f"    {knob} " in text for method in methods().values() for knob in method.params.hyperparameters())
    assert all(f"    {preset} " in text for method in methods().values() for preset in method.presets)


def test_classifiers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classifiers", "--json"]) == 0
    said = {one["id"]: one for one in json.loads(capsys.readouterr().out)}
    assert set(said) == set(classifiers.cards())
    assert {net["forget"] for net in said["tiny"]["nets"]} >= {None, "rows"}
    assert main(["classifiers"]) == 0
    assert "gold-rows-0          retrained without rows, seed 1000" in capsys.readouterr().out


def test_datasets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "--json"]) == 0
    assert {one["id"] for one in json.loads(capsys.readouterr().out)} == set(datasets.cards())
    assert main(["datasets"]) == 0
    assert "10,000 training, 1,000 validation and 2,000 test images, 32 pixels wide" in capsys.readouterr().out


def test_help_names_every_verb_and_loads_no_torch() -> None:
    code = (
        "import sys; from unlearn_core.__main__ import main\n"
        "try: main(['--help'])\n"
        "finally: assert 'torch' not in sys.modules and 'streamlit' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    wanted = {"run", "methods", "classifiers", "datasets", "doctor", "gold", "bundle", "bench", "worker"}
    assert wanted <= set(program.commands())
    assert all(f"    {verb}" in done.stdout for verb in program.commands())


def test_a_reader_that_leaves_early_is_no_error() -> None:
    words = f"{sys.executable} -m unlearn_core methods | head -n 1"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
