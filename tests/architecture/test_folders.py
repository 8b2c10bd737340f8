"""Folders are small, and a file name says what is in the file: equal names stand only for the same thing."""

from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from tests.architecture.rules import ROOT

PLUGIN_FOLDERS = {
    "unlearn_core/methods",
    "unlearn_core/probes",
    "unlearn_core/charts/report",
    "unlearn_core/charts/artifacts",
    "unlearn_core/charts/sweep",
    "unlearn_core/engine/jobs",
    "unlearn_core/data/datasets",
    "unlearn_core/data/sources",
    "unlearn_core/models/architectures",
    "unlearn_core/models/classifiers",
}

SAME_THING = {
    # a measurement: the probe that makes it, the job on demand, its chart, and its panel in the report
    *("accuracy.py", "cka.py", "confusion.py", "distance.py", "explain.py", "lira.py", "membership.py"),
    *("feature_map.py", "klom.py", "neurips_score.py", "predictions.py", "regions.py", "relearn.py"),
    *("difficulty.py", "interclass_confusion.py", "representation.py", "retained_membership.py"),
    *("rmia.py", "summary_scores.py", "zrf.py"),
    # the curves of attacks, and how they are drawn
    "attack_curves.py",
    # what a lesson is, and its page
    "lessons.py",
    # a command, and what it works on
    *("report.py", "results.py", "run.py", "sweep.py"),
    # an architecture, and the bundled classifier that has it
    *("resnet8.py", "resnet20.py", "tiny.py"),
    # an interface, and what implements it above
    *("listener.py", "tracker.py"),
    # the repeats of a run in the queue, and in its report
    "repeats.py",
    # the file with settings that an export contains, and its upload
    "import_settings.py",
    # what is highlighted in all charts, and the inputs for it
    "selection.py",
}
"""Names that files in several folders share, because they hold the same thing in another layer."""
EVERYWHERE = {"__init__.py", "page.py"}


def limit(folder: str) -> int:
    """The most entries of a folder; its path is relative to the root."""
    if folder in PLUGIN_FOLDERS or folder == "unlearn_core/cli":  # one file per plug-in, one file per verb
        return 32
    in_ui = PurePosixPath(folder).is_relative_to("unlearn_core/ui")
    return 15 if in_ui or folder == "unlearn_core/charts" else 20


def too_full(folders: dict[str, int]) -> list[str]:
    """The folders with more entries than their limit."""
    return [f"{name} has {count} entries of {limit(name)}" for name, count in folders.items() if count > limit(name)]


def shared_names(paths: list[str]) -> set[str]:
    """The file names that occur more than once, except those that may occur everywhere."""
    counts = Counter(PurePosixPath(path).name for path in paths)
    return {name for name, count in counts.items() if count > 1} - EVERYWHERE


def entries(root: Path) -> dict[str, int]:
    """The number of entries of each folder of code; assets, what Python writes, and markers are not counted."""
    skipped = {"__pycache__", "assets"}
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    return {
        folder.relative_to(ROOT).as_posix(): sum(
            path.name not in ("__pycache__", "py.typed") for path in folder.iterdir()
        )
        for folder in folders
        if not skipped & set(folder.relative_to(ROOT).parts)
    }


@pytest.mark.parametrize("root", ["unlearn_core", "tests"])
def test_folders_are_small(root: str) -> None:
    folders = entries(ROOT / root)
    assert len(folders) > 15
    assert not too_full(folders)


def test_folders_of_plugins_exist() -> None:
    assert set(entries(ROOT / "unlearn_core")) >= PLUGIN_FOLDERS


def test_equal_file_names_stand_for_the_same_thing() -> None:
    paths = [path.relative_to(ROOT).as_posix() for path in (ROOT / "unlearn_core").rglob("*.py")]
    assert shared_names(paths) == SAME_THING


@pytest.mark.parametrize(
    ("folder", "most"),
    [
        ("unlearn_core/ui", 15),
        ("unlearn_core/ui/pages/sweep", 15),
        ("unlearn_core/charts", 15),
        ("unlearn_core/charts/drawing", 20),
        ("unlearn_core/charts/report", 32),
        ("unlearn_core/cli", 32),
        ("tests/pages", 20),
    ],
)
def test_a_full_folder_is_found(folder: str, most: int) -> None:
    assert not too_full({folder: most})
    assert too_full({folder: most + 1})


def test_a_shared_name_is_found() -> None:
    assert shared_names(["a/x.py", "b/x.py", "b/y.py", "a/page.py", "b/page.py"]) == {"x.py"}
