"""Two visitors on the pages: what is not one's own cannot be changed, not even by a hand-made request.

Each action of a page has its row here: the last tests find those that have none in the source.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import ROOT, Visit
from tests.pages.finished_runs import CLASS, PICTURES
from tests.pages.page_asserts import fine, words
from tests.pages.page_sweeps import add, begin
from tests.store.access.test_separation import ANN, BEN, CHANGES, contents
from tests.store.specs import sql
from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.jobs import ImportDatasetSpec
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.models import bundled_models, user_models
from unlearn_core.models.classifiers import card
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.history import grouping, page
from unlearn_core.ui.shell import ownership


@pytest.fixture
def anns(done: RunStore) -> Iterator[RunStore]:
    """Everything that pages act on, all of it Ann's."""
    store = done.acting_as(ANN)
    for _ in range(3):
        begin(done)
    add(done, 1, 0)  # 3
    every = run_spec("tiny", method="unsir", classes=["rows"], preset="auto")
    store.method_runs.submit({"Forget rows with UNSIR": every})  # 4
    store.repeats.submit(store.get(CLASS), 1)  # 5
    imports = ImportDatasetSpec(dataset="lost", title="Lost", source="zip", size=8)
    store.submit(imports, title="Prepare Lost")  # 6
    for table in ("run", "sweep"):
        sql(done.data_dir, f"UPDATE {table} SET owner = ?", ANN.id)
    sql(done.data_dir, "UPDATE run SET state = 'failed', error = 'no' WHERE id = 6")
    store.sweeps.pause(2)
    store.sweeps.cancel(3)
    user_catalog.set_data_dir(done.data_dir)
    shipped = bundled_models.find_bundled("tiny", None, card("tiny").seed)
    assert shipped is not None
    files = {Path(name).suffix: (shipped.folder / name).read_bytes() for name in shipped.files}
    facts = {"seconds": 1.0, "made with": {}}
    own = card("tiny").model_copy(update={"id": "own", "title": "Ann's own", "recipe": None})
    user_models.add(own, weights=shipped.weights, files=files, facts=facts, pending=False)
    sql(done.data_dir, "INSERT INTO item VALUES ('classifier', 'own', ?)", ANN.id)
    for name, place in (("faces", "datasets"), ("gone", "trash/datasets")):
        described = datasets.card("shapes").model_copy(update={"id": name, "title": f"Ann's {name}"})
        atomic_write(done.data_dir / place / name / "card.json", described.model_dump_json().encode())
        shapes = datasets.load("shapes")
        np.save(done.data_dir / place / name / "images.npy", shapes.images)
        np.save(done.data_dir / place / name / "labels.npy", shapes.labels)
        sql(done.data_dir, "INSERT INTO item VALUES ('dataset', ?, ?)", name, ANN.id)
    yield done
    user_catalog.set_data_dir(None)


def _tick(app: AppTest, store: RunStore, run: int) -> AppTest:
    entries = grouping.group_runs(store.listing.briefs(kinds=page.KINDS), ())
    heads = [entry.head for entry in entries]
    row = [head.id for head in heads].index(run)
    app.session_state[page.table_key(heads)] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    return fine(app.run())


class Action(NamedTuple):
    """A button of a page; `call` is where the source changes something by it."""

    call: str
    page: str
    query: dict[str, str]
    button: str
    ticked: int | None = None


EVERYBODY = {"whose": "all"}
ACTIONS = {
    "cancel a run": Action("ui/components/job_card.py: cancel", "run", {"id": "4"}, "cancel-4"),
    "cancel in the history": Action("ui/pages/history/page.py: cancel", "history", EVERYBODY, "cancel", 4),
    "delete in the history": Action("ui/pages/history/page.py: delete", "history", EVERYBODY, "delete", PICTURES),
    "cancel all methods": Action(
        "ui/pages/methods/board.py: cancel", "methods", {"classifier": "tiny", "forget": "rows"}, "comparison-cancel"
    ),
    "cancel repeats": Action("ui/report/repeats.py: cancel", "run", {"id": str(CLASS)}, "cancel-repeats"),
    "pause a sweep": Action("ui/pages/sweep/progress.py: pause", "sweep", {"sweep": "1"}, "sweep-pause"),
    "resume a sweep": Action("ui/pages/sweep/progress.py: resume", "sweep", {"sweep": "2"}, "sweep-resume"),
    "cancel a sweep": Action("ui/pages/sweep/progress.py: cancel", "sweep", {"sweep": "1"}, "sweep-cancel"),
    "delete a sweep": Action("ui/pages/sweep/page.py: delete", "sweep", {}, "sweep-delete-3"),
    "dismiss an import": Action("ui/pages/datasets/import_progress.py: delete", "datasets", {}, "dismiss-6"),
    "remove a classifier": Action(
        "ui/pages/classifier/page.py: delete_classifier", "classifier", {"classifier": "own"}, "remove-classifier"
    ),
    "confirm a recipe": Action(
        "ui/components/gold_actions.py: set_recipe", "classifier", {"classifier": "own"}, "confirm-recipe"
    ),
    "remove a data set": Action(
        "ui/pages/datasets/page.py: remove_dataset", "datasets", {"dataset": "faces"}, "remove"
    ),
    "restore a data set": Action("ui/pages/datasets/page.py: restore_dataset", "datasets", {}, "restore-gone"),
    "delete a data set": Action("ui/pages/datasets/page.py: delete_dataset", "datasets", {}, "delete-gone"),
    "measure a run": Action(
        "ui/report/on_demand/offer.py: submit_unique", "run", {"id": str(CLASS), "tab": "Privacy"}, "measure-lira"
    ),
    "pin a report": Action("ui/shell/ownership.py: pin", "run", {"id": str(CLASS)}, "pin"),
    "pin in the history": Action("ui/pages/history/page.py: pin", "history", EVERYBODY, "pin", PICTURES),
    "share a report": Action("ui/shell/ownership.py: share", "run", {"id": str(CLASS)}, "share"),
}
"""Buttons that Ann has and Ben must not use."""

ELSEWHERE = {
    "ui/pages/history/page.py: set_note": "test_a_note_of_another_visitor_stays",
    "ui/pages/history/damaged_runs.py: delete": "a damaged run: the store's matrix has it",
    "ui/report/missing_gold.py: submit_unique": "a measurement of a run: the store's matrix has it",
    "ui/components/checkpoint/checkpoint_result.py: accept_classifier": "the store's matrix has it",
    "ui/shell/account.py: make_code": "for oneself",
    "ui/components/gold_actions.py: submit_unique": "a run of one's own",
    "ui/components/run_bar.py: submit": "a run of one's own",
    "ui/components/run_bar.py: submit_unique": "a run of one's own, or one for several that may be read",
    "ui/components/training_form.py: submit_unique": "a run of one's own",
    "ui/gallery/likeness.py: submit_unique": "a run of one's own",
    "ui/pages/datasets/add.py: submit_unique": "a run of one's own",
    "ui/pages/methods/method_plan.py: submit": "runs of one's own",
    "ui/pages/playground/frames_route.py: submit_unique": "the server's; frames are everybody's",
    "ui/pages/playground/frames_route.py: cancel": "the server's, when nobody waits any more",
    "ui/pages/sweep/form.py: submit": "a sweep of one's own",
    "ui/report/explanation/question.py: submit": "a run of one's own",
    "ui/report/repeats.py: submit": "runs of one's own",
    "ui/room/following.py: add_run": "a run of one's own",
}
"""What else of the source changes something, and where that is tested, or why it needs no row."""


def opened(visit: Visit, store: RunStore, action: Action) -> AppTest:
    app = fine(visit(action.page, **action.query))
    return app if action.ticked is None else _tick(app, store, action.ticked)


def button(app: AppTest, key: str):
    return next((one for one in app.button if one.key == key), None)


@pytest.mark.parametrize("name", ACTIONS)
def test_a_button_is_there_for_its_owner_only(
    visit: Visit, come_as: Callable[[str], None], anns: RunStore, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    action = ACTIONS[name]
    if name.startswith("pin"):
        monkeypatch.setenv("UNLEARN_KEEP_DAYS", "30")
    if name == "share a report":
        monkeypatch.setenv("UNLEARN_SHARING", "private")
        anns.share(CLASS)
    come_as(ANN.id)
    own = button(opened(visit, anns, action), action.button)
    assert own is not None and not own.disabled
    come_as(BEN.id)
    app = opened(visit, anns, action)
    others = button(app, action.button)
    before = contents(anns.data_dir)
    if others is not None and not others.disabled:  # It lies in a closed menu, or acts on nothing.
        others.click().run()
    assert contents(anns.data_dir) == before


@pytest.mark.parametrize("name", ACTIONS)
def test_a_hand_made_request_changes_nothing(
    visit: Visit,
    come_as: Callable[[str], None],
    anns: RunStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """A browser may send what no button of its page sends: here all buttons are there."""
    action = ACTIONS[name]
    if name.startswith("pin"):
        monkeypatch.setenv("UNLEARN_KEEP_DAYS", "30")
    if name == "share a report":
        monkeypatch.setenv("UNLEARN_SHARING", "private")
        anns.share(CLASS)
    monkeypatch.setattr(ownership, "is_own", lambda owner: True)
    monkeypatch.setattr(ownership, "refusal", lambda owners: None)
    monkeypatch.setattr(ownership, "item_refusal", lambda kind, name: None)
    come_as(BEN.id)
    app = opened(visit, anns, action)
    pressed, before = button(app, action.button), contents(anns.data_dir)
    assert pressed is not None and not pressed.disabled
    pressed.click().run()
    assert contents(anns.data_dir) == before
    said = [getattr(one, "value", "") for kind in ("error", "warning", "toast") for one in app.get(kind)]
    refused = "NotAllowedError" in capsys.readouterr().out  # AppTest has no `on_script_error`, which shows it.
    assert refused or any("belongs to Visitor AAAA" in one for one in said), said


def test_a_note_of_another_visitor_stays(
    visit: Visit, come_as: Callable[[str], None], anns: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    come_as(BEN.id)
    app = _tick(visit("history", **EVERYBODY), anns, PICTURES)
    assert app.text_input(key=f"note-{PICTURES}").disabled
    monkeypatch.setattr(ownership, "is_own", lambda owner: True)
    app.run()
    app.text_input(key=f"note-{PICTURES}").set_value("Ben was here").run()
    assert anns.get(PICTURES).note == ""


@pytest.mark.parametrize(
    ("place", "query", "said"),
    [
        ("run", {"id": str(CLASS)}, "ask them to press *Share* on its page"),
        ("run", {"id": "4"}, "There is no such run"),
        ("sweep", {"sweep": "1"}, "Only who started a sweep sees it"),
        ("history", {}, "You have run nothing here yet"),
        ("history", EVERYBODY, "You have run nothing here yet"),
        ("compare", {"ids": f"{CLASS},{PICTURES}"}, f"There is no run {CLASS}."),
        ("classifier", {"classifier": "own"}, ""),
        ("datasets", {"dataset": "faces"}, ""),
        ("forget", {"start": str(CLASS)}, ""),
        ("method", {"start": str(CLASS), "forget": "rows"}, ""),
        ("methods", {"classifier": "tiny", "forget": "rows"}, ""),
        ("start", {}, ""),
    ],
)
def test_no_address_shows_what_is_private(
    visit: Visit,
    come_as: Callable[[str], None],
    anns: RunStore,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    query: dict[str, str],
    said: str,
) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    come_as(BEN.id)
    app = visit(place, **query)
    assert not app.exception
    shown = words(app) + str(
        [getattr(one, "options", "") for kind in ("radio", "multiselect", "selectbox") for one in app.get(kind)]
    )
    assert said in shown
    for secret in ("Ann's", "Forget rows with UNSIR", "Visitor AAAA", "Trial of", "Lost"):
        assert secret not in shown


def test_a_private_report_opens_once_it_is_shared(
    visit: Visit, come_as: Callable[[str], None], anns: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    come_as(ANN.id)
    app = fine(visit("run", id=str(CLASS)))
    assert app.button(key="share").label == "Share"
    app.button(key="share").click().run()
    assert fine(app).button(key="share").label == "Stop sharing"
    come_as(BEN.id)
    other = fine(visit("run", id=str(CLASS)))
    assert f"Run {CLASS} · by another visitor" in words(other) and button(other, "share") is None
    assert not RunStore(anns.data_dir).acting_as(BEN).list_runs()
    come_as(ANN.id)
    app.button(key="share").click().run()
    come_as(BEN.id)
    assert "There is no such run" in words(visit("run", id=str(CLASS)))


def test_an_open_report_says_whose_it_is(visit: Visit, come_as: Callable[[str], None], anns: RunStore) -> None:
    anns.acting_as(ANN).visitors.rename("Table *4*")
    come_as(BEN.id)
    app = fine(visit("run", id=str(CLASS)))
    assert rf"Run {CLASS} · by Table \*4\*" in words(app) and button(app, "share") is None
    come_as(ANN.id)
    assert "by Table" not in words(visit("run", id=str(CLASS)))


STORES = r"\b(server_)?store\(\)|\bstore$|\bstore\.|deletion|OwnedItems|boards|repeats$|visitors"
"""How pages call what holds runs, sweeps, classifiers and data sets."""


def _calls() -> Iterator[str]:
    """Where pages name a method that changes something: "file: method"."""
    changing = {name.split(" ")[0].rpartition(".")[2] for name in CHANGES} | {"submit", "submit_unique"}
    changing -= {"require", "give_up", "forget"}  # Names that mean other things too; no page uses these.
    for file in sorted((ROOT / "unlearn_core" / "ui").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in changing:
                holder = ast.unparse(node.value)
                if re.search(
                    r"\b(server_)?store\(\)|\bstore$|\bstore\.|deletion|OwnedItems|boards|repeats$|visitors", holder
                ):
                    yield f"{file.relative_to(ROOT / 'unlearn_core')}: {node.attr}"


def test_every_change_from_a_page_has_its_row() -> None:
    known = {action.call for action in ACTIONS.values()} | ELSEWHERE.keys()
    assert set(_calls()) == known


FORBIDDEN = (
    r"\btrash\.(remove|restore|delete)",
    r"\buser_models\.(add|accept|set_recipe|remove)\b",
    r"\bRunStore\((?!Path\(folder\))",
    r"\bacting_as\(",
    r"\bserver_store\(\)",
    r"\bOPERATOR\b",
)
ALLOWED = {
    "ui/shell/cache.py": {r"\bacting_as\(", r"\bserver_store\(\)"},
    "ui/pages/playground/frames_route.py": {r"\bserver_store\(\)"},
    "ui/pages/queue/expected_starts.py": {r"\bserver_store\(\)"},  # numbers of runs and seconds only
    "ui/server/identity.py": {r"\bOPERATOR\b"},
    "ui/server/own_files.py": {r"\bOPERATOR\b"},
}


def test_pages_have_no_way_past_the_store() -> None:
    for file in (ROOT / "unlearn_core" / "ui").rglob("*.py"):
        name = str(Path(file).relative_to(ROOT / "unlearn_core"))
        found = {pattern for pattern in FORBIDDEN if re.search(pattern, file.read_text())}
        assert found <= ALLOWED.get(name, set()), name


def test_the_dialog_gives_a_name_and_a_code(visit: Visit, come_as: Callable[[str], None], home: Path) -> None:
    come_as(ANN.id)
    app = fine(visit("history"))
    assert app.sidebar.button(key="account").label == "Visitor AAAA"
    app.sidebar.button(key="account").click().run()
    app.button(key="account-make-code").click().run()
    app.sidebar.button(key="account").click().run()  # AppTest closes a dialog with each press.
    (code,) = (str(getattr(one, "value", "")) for one in app.get("code"))
    assert re.fullmatch(r"[A-Z0-9]{4}-[A-Z0-9]{4}", code)
    come_as(BEN.id)
    assert RunStore(home).acting_as(BEN).visitors.redeem(code) == ANN
