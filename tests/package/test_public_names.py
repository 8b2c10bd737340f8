"""The public names of the package: complete, seen by type checkers, and imported only when they are used."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import unlearn_core
from unlearn_core.charts.text.verdict import verdicts
from unlearn_core.data import user_catalog
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import Report
from unlearn_core.installation import VERSION
from unlearn_core.store.files.reports import EXAMPLE_DIR, read_folder

MODULES = {"charts", "classifiers", "datasets", "measurements", "methods"}
IMPORT = """
import sys, time
began = time.process_time()
import unlearn_core
assert unlearn_core.__version__
print(time.process_time() - began, *{"torch", "streamlit", "pandas", "plotly", "numpy"} & sys.modules.keys())
"""


@pytest.fixture(autouse=True)
def only_what_ships(home: Path) -> Iterator[None]:
    """No data folder of the developer is seen, and what a test sees is forgotten after it."""
    yield
    user_catalog.set_data_dir(None)


def test_these_are_the_names() -> None:
    assert sorted(unlearn_core.__all__) == sorted(
        {"Report", "UnlearnSpec", "__version__", "read_report", "report_file", "runs", "spec", "unlearn", "verdict"}
        | MODULES
    )
    assert set(unlearn_core.__all__) <= set(dir(unlearn_core))
    assert unlearn_core.__version__ == VERSION


@pytest.mark.parametrize("name", unlearn_core.__all__)
def test_each_name_can_be_imported(name: str) -> None:
    found = getattr(unlearn_core, name)
    assert isinstance(found, ModuleType) == (name in MODULES)
    assert found.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'learn'"):
        unlearn_core.learn  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_see_the_same_names_from_the_same_places() -> None:
    tree = ast.parse(Path(unlearn_core.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names:
            whole = f"{node.module}.{alias.name}".removeprefix("unlearn_core.")
            seen[alias.asname or alias.name] = whole
    assert seen == {name: origin.replace(":", ".") for name, origin in unlearn_core._ORIGINS.items()}
    assert {*seen, "__version__"} == set(unlearn_core.__all__)


def test_importing_the_package_is_quick_and_imports_no_library() -> None:
    """In seconds of CPU time, the best of three: other tests run beside this one."""
    said = [
        subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(3)
    ]
    assert min(float(seconds) for seconds, *_ in said) < 0.3
    assert [libraries for _, *libraries in said] == [[], [], []]


def test_modules_list_what_there_is() -> None:
    assert "unsir" in unlearn_core.methods.methods()
    assert "accuracy" in unlearn_core.measurements.probes()
    assert "accuracy" in unlearn_core.charts.charts()
    assert "mlp-moons" in unlearn_core.classifiers.cards()
    assert "moons" in unlearn_core.datasets.cards()


def test_what_a_user_added_is_found_at_once(home: Path) -> None:
    card = unlearn_core.classifiers.card("tiny").model_copy(update={"id": "own"})
    (home / "trained" / "own").mkdir(parents=True)
    (home / "trained" / "own" / "card.json").write_text(card.model_dump_json())
    script = "import unlearn_core as lab; lab.spec('own', classes=['discs'], method='finetune')"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_run_from_its_names_to_its_file(tmp_path: Path) -> None:
    spec = unlearn_core.spec("tiny", classes=["discs"], method="finetune", overrides={"epochs": 1})
    assert isinstance(spec, UnlearnSpec)
    result = unlearn_core.unlearn(spec, device="cpu", out=tmp_path / "run")
    report = unlearn_core.read_report(tmp_path / "run")
    assert isinstance(report, Report)
    assert unlearn_core.verdict(report) == verdicts(result.report)
    file = unlearn_core.report_file([report], tmp_path / "report.html")
    assert file.read_text().startswith("<!doctype html>")
    assert "<title>Did it forget discs? · Unlearn Lab</title>" in file.read_text()


def test_a_report_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"Cannot write .* Choose another file"):
        unlearn_core.report_file([read_folder(EXAMPLE_DIR)], tmp_path)
