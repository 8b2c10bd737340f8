"""A folder of plug-ins holds plug-ins only: a file without its card is an error, not a silence."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from unlearn_core import plugins
from unlearn_core.domain.errors import PluginError

CARDS = {
    "methods": "METHOD",
    "probes": "PROBE",
    "charts.report": "CHART",
    "charts.privacy": "CHART",
    "charts.artifacts": "CHART",
    "charts.sweep": "SWEEP_CHART",
    "engine.jobs": "JOB",
    "data.datasets": "CARD",
    "data.sources": "SOURCE",
    "models.architectures": "CARD",
    "models.classifiers": "CARD",
}


def forget_what_was_found() -> None:
    plugins.discover.cache_clear()
    plugins._installed_packages.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty plug-in package that the lab is told of."""
    folder = tmp_path / "somebodys_lab"
    (folder / "methods").mkdir(parents=True)
    for place in (folder, folder / "methods"):
        (place / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("UNLEARN_PLUGINS", "unlearn_core.testing.tiny,somebodys_lab")
    forget_what_was_found()
    yield folder
    forget_what_was_found()
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        del sys.modules[name]


@pytest.mark.parametrize(("folder", "name"), CARDS.items())
def test_every_file_in_a_folder_of_plug_ins_has_its_card(folder: str, name: str) -> None:
    assert plugins.cards(folder, name)


def test_a_file_without_its_card_is_named(package: Path) -> None:
    (package / "methods" / "half_done.py").write_text("forget = None\n")
    with pytest.raises(PluginError, match=r"somebodys_lab\.methods\.half_done .* does not define METHOD"):
        plugins.cards("methods", "METHOD")


def test_what_plug_ins_share_lies_in_a_folder_of_its_own(package: Path) -> None:
    (package / "methods" / "common").mkdir()
    (package / "methods" / "common" / "__init__.py").touch()
    (package / "methods" / "common" / "shared.py").write_text("STEPS = 3\n")
    assert "common" not in plugins.discover("methods")
    assert plugins.cards("methods", "METHOD")


def test_an_installed_distribution_adds_a_package_by_an_entry_point(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside those that the variable names: both are found, and none twice."""
    monkeypatch.setenv("UNLEARN_PLUGINS", "unlearn_core.testing.tiny")
    assert "somebodys_lab" not in plugins.plugin_packages()
    about = package.parent / "somebodys_distribution-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys-distribution\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[unlearn_lab.plugins]\nanything = somebodys_lab\n")
    (package / "methods" / "nothing.py").write_text("METHOD = None\n")
    forget_what_was_found()
    assert plugins.plugin_packages() == ["somebodys_lab", "unlearn_core.testing.tiny"]
    assert plugins.discover("methods")["nothing"].__name__ == "somebodys_lab.methods.nothing"
    monkeypatch.setenv("UNLEARN_PLUGINS", "unlearn_core.testing.tiny, somebodys_lab,")
    assert plugins.plugin_packages() == ["somebodys_lab", "unlearn_core.testing.tiny"]


@pytest.mark.parametrize("name", ["nobodys_lab", "tests.nobodys_lab", "nobodys_lab.inner"])
def test_a_package_that_is_missing_is_named(package: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("UNLEARN_PLUGINS", f"unlearn_core.testing.tiny,{name}")
    with pytest.raises(PluginError, match=rf"There is no plug-in package {name}\. Install it, or correct"):
        plugins.cards("methods", "METHOD")
