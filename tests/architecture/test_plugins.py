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
    "charts.sweep": "SWEEP_CHART",
    "data.datasets": "CARD",
    "data.sources": "SOURCE",
    "models.architectures": "CARD",
    "models.classifiers": "CARD",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty plug-in package that the lab is told of."""
    folder = tmp_path / "somebodys_lab"
    (folder / "methods").mkdir(parents=True)
    for place in (folder, folder / "methods"):
        (place / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(plugins.PLUGINS_VARIABLE, "tests.plugin,somebodys_lab")
    plugins.discover.cache_clear()
    yield folder
    plugins.discover.cache_clear()
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
