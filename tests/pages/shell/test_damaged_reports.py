"""A finished run whose files were damaged on the disk: the page says so, what can be read is shown, others stand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, PICTURES
from tests.pages.page_asserts import fine, words
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.shell.markdown import escape

Damage = Callable[[Path], object]


def cut(path: Path) -> None:
    """Cuts a file to half, in its place: another name for it is cut as well."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


UNREADABLE: dict[str, Damage] = {
    "report.json cut": lambda folder: cut(folder / "report.json"),
    "report.json an empty object": lambda folder: (folder / "report.json").write_text("{}"),
    "report.json a list": lambda folder: (folder / "report.json").write_text("[]"),
    "labels.npy empty": lambda folder: (folder / "labels.npy").write_bytes(b""),
    "labels.npy of others": lambda folder: np.save(folder / "labels.npy", np.zeros(7, np.uint8)),
}
PARTS: dict[str, Damage] = {
    "accuracy": lambda folder: cut(folder / "parts" / "accuracy.json"),
    "predictions": lambda folder: (folder / "parts" / "predictions.json").write_text("[]"),
    "cam": lambda folder: cut(folder / "parts" / "cam.npz"),
    "curves": lambda folder: (folder / "parts" / "curves.npz").write_bytes(b"PK"),
}


@pytest.mark.parametrize("damage", UNREADABLE.values(), ids=UNREADABLE)
def test_a_damaged_report_is_named_and_the_others_stand(visit: Visit, done: RunStore, damage: Damage) -> None:
    folder = artifacts.run_dir(done.data_dir, CLASS)
    damage(folder)
    text = words(fine(visit("run", id=str(CLASS))))
    assert "report damaged" in text
    assert f"The report in {escape(str(folder))} is damaged (" in text and "Start the run again." in text
    assert "The settings are stored: you can change them and run again." in text
    assert list(fine(visit("history")).dataframe[0].value["forgotten"]) == ["3 images", "discs"]
    text = words(fine(visit("compare", ids=f"{CLASS},{PICTURES}")))
    assert f"The report in {escape(str(folder))} is damaged (" in text


def test_a_damaged_report_does_not_answer_for_the_run_that_replaces_it(visit: Visit, done: RunStore) -> None:
    done.execution.worker_heartbeat("w", device="cpu", pid=1, code="", state="idle")
    cut(artifacts.run_dir(done.data_dir, CLASS) / "report.json")
    fine(visit("run", id=str(CLASS)).button(key="same").click().run())
    newest = done.list_runs()[0]
    assert newest.id not in (CLASS, PICTURES) and newest.spec == done.get(CLASS).spec


@pytest.mark.parametrize("part", PARTS)
def test_a_damaged_part_is_named_and_the_rest_of_the_report_is_shown(visit: Visit, done: RunStore, part: str) -> None:
    folder = artifacts.run_dir(done.data_dir, CLASS)
    assert (folder / "parts" / f"{part}.json").exists()
    PARTS[part](folder)
    tab = {"cam": "Images", "curves": "How it went", "predictions": "Classes"}.get(part, "Overview")
    app = fine(visit("run", id=str(CLASS), tab=tab))
    assert app.title[0].value == "Forget *discs* with UNSIR"
    assert f"The record of {part} in this report is damaged." in words(app)


def test_damaged_outputs_are_named_and_what_was_measured_is_shown(visit: Visit, done: RunStore) -> None:
    for folder in (artifacts.run_dir(done.data_dir, CLASS), done.data_dir):
        for path in (folder / "evaluations").rglob("*.npy"):
            cut(path)
    app = fine(visit("run", id=str(CLASS), tab="Overview"))
    assert "Its outputs are no longer in the data folder." in words(app)
    assert app.get("plotly_chart")
