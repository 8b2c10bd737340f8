"""The history: what was tried, and what can be done with it."""

import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, PICTURES, advance, by_class, by_picture, started
from tests.pages.page_asserts import fine, without_words, words
from unlearn_core.domain.errors import NotFoundError
from unlearn_core.domain.jobs import ExplainSpec, TrainGoldSpec
from unlearn_core.domain.run import Priority, RunFilter, RunState
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.methods import method
from unlearn_core.store.db import rows
from unlearn_core.store.db.schema import RUN
from unlearn_core.store.files import artifacts, restore
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.history import filters, page

ROOT = Path(__file__).resolve().parents[2]


def tick(app: AppTest, store: RunStore, *rows: int) -> AppTest:
    """Ticks rows of the table, counted from the top."""
    key = page.table_key(store.listing.briefs(kinds=("unlearn", "gold")))
    app.session_state[key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return fine(app.run())


def test_an_empty_history_has_a_next_step(visit: Visit) -> None:
    app = fine(visit("history"))
    assert app.title[0].value == "What has been tried?"
    assert "Nothing has been run here yet" in words(app)
    app.button(key="to-forget").click().run()
    assert fine(app).title[0].value == "What should it forget?"


def test_a_restored_history_says_so_until_somebody_has_read_it(visit: Visit, done: RunStore, home: Path) -> None:
    before = list(fine(visit("history")).dataframe[0].value["forgotten"])
    assert "database was missing" not in words(visit("history"))
    for path in home.glob("lab.db*"):
        path.unlink()
    app = fine(visit("history"))
    assert list(app.dataframe[0].value["forgotten"]) == before
    assert "The run database was missing. 2 runs were restored from their folders" in words(app)
    app.button(key="restored-read").click().run()
    assert "database was missing" not in words(fine(app))
    assert "database was missing" not in words(visit("history"))


def test_an_old_folder_gives_the_history_the_same_figures(visit: Visit, done: RunStore, home: Path) -> None:
    """An older release wrote no record beside the report."""
    unrecorded = ["when", "preset"]
    figures = fine(visit("history")).dataframe[0].value.drop(columns=unrecorded)
    metrics = done.get(CLASS).metrics.to_dict()
    for path in (*home.glob("lab.db*"), *home.glob(f"runs/*/{restore.RECORD}")):
        path.unlink()
    again = fine(visit("history")).dataframe[0].value.drop(columns=unrecorded)
    assert again.equals(figures)
    of_the_process = ("planned_images", "load", "threads", "code")
    unknown = dict.fromkeys(
        ("seconds_per_picture", "revision", "version", "torch", "verdict", "preset", *of_the_process)
    )
    assert metrics | unknown == done.get(CLASS).metrics.to_dict() | unknown
    assert fine(visit("run", id=str(CLASS))).title[0].value == "Forget *discs* with UNSIR"


def test_every_run_is_a_row_with_its_figures(visit: Visit, done: RunStore) -> None:
    done.submit(by_class("rows"), title="Forget rows with UNSIR")
    done.submit(TrainGoldSpec(request=by_picture().request), title="Gold without 3 pictures")
    done.submit(ExplainSpec(run=CLASS, picture=1, target=0), title="A look")
    app = fine(visit("history"))
    table: Any = app.dataframe[0].value
    assert list(table["run"]) == ["Run 4", "Run 3", "Run 2", "Run 1"]
    assert list(table["forgotten"]) == ["3 images", "rows", "3 images", "discs"]
    assert list(table["method"]) == ["retraining", "UNSIR", "Fine-tune", "UNSIR"]
    assert [state.split()[1] for state in table["state"]] == ["queued", "queued", "done", "done"]
    row = table.iloc[3]
    assert row["forget after"] == _percent(done, CLASS, "after", "forget_test")
    assert row["retain after"] == _percent(done, CLASS, "after", "retain_test")
    assert row["retain gold"] == _percent(done, CLASS, "gold", "retain_test")
    assert table.iloc[2]["forget after"] == _percent(done, PICTURES, "after", "forget_train")
    assert set(table["image"].str.fullmatch(r"/.*media/[0-9a-f]{16,}\.png")) == {True}, "a file whose name is a hash"
    assert table["image"][0] == table["image"][2] != table["image"][1], "the same image is the same file"
    assert table["forgot"].notna().tolist() == [False, False, True, True]
    assert set(table["classifier"]) == {"tiny"}
    assert table["preset"].fillna("").tolist() == ["", "", "bundled", "bundled"]
    assert table["seed"].fillna(-1).tolist() == [-1, 0, 0, 0], "retraining has no seed of its own"
    metrics = done.get(CLASS).metrics
    assert row["distance"] == metrics.distance_to_gold("test") and pd.isna(table.iloc[2]["distance"])
    assert metrics.seconds is not None and row["seconds"] == metrics.seconds.forget
    assert not without_words(app)


def test_the_preset_of_a_run_is_auto_one_of_the_method_or_none() -> None:
    own = method("unsir")
    by_preset = {name: run_spec("tiny", method="unsir", classes=["discs"], preset=name) for name in ("auto", "bundled")}
    assert {name: own.preset_of(spec) for name, spec in by_preset.items()} == {"auto": "auto", "bundled": "bundled"}
    changed = run_spec("tiny", method="unsir", classes=["discs"], preset="bundled", overrides={"repair_lr": 0.0123})
    assert own.preset_of(changed) is None


PAGES = 2 * page.PER_PAGE + 50
"""Further runs: two full pages and the beginning of a third."""


@pytest.fixture
def many(done: RunStore) -> RunStore:
    """The two runs, and after them hundreds of others on single images."""
    row = rows.new_row(by_picture(), title="", owner="local", priority=Priority.INTERACTIVE, now=0.0)
    row |= {"state": RunState.DONE, "headline": done.get(CLASS).metrics.to_json(), "started": 1.0, "finished": 2.0}
    with done._database.writing() as connection:
        titles = [f"Forget 3 images ({number}) with Fine-tune" for number in range(PAGES - 2)]
        connection.execute(insert(RUN), [row | {"title": title} for title in titles])
    return done


def test_hundreds_of_runs_are_shown_page_by_page(visit: Visit, many: RunStore) -> None:
    app = visit("history")
    assert listed(app) == [f"Run {number}" for number in range(PAGES, PAGES - page.PER_PAGE, -1)]
    (numbers,) = app.get("pagination")
    key = "history-page-3"
    assert numbers.proto.num_pages == 3
    app.session_state[key] = 3
    assert listed(app.run())[-2:] == ["Run 2", "Run 1"]
    assert len(listed(app)) == 50
    assert listed(visit("history", **{key: "2"}))[0] == f"Run {PAGES - page.PER_PAGE}"


def test_a_run_of_a_later_page_is_ticked_and_opened(visit: Visit, many: RunStore) -> None:
    app = visit("history", **{"history-page-3": "3", "ticked": str(CLASS)})
    assert not fine(app).button(key="open").disabled
    app.button(key="open").click().run()
    assert fine(app).title[0].value == "Forget *discs* with UNSIR"


def test_filters_reach_all_runs_and_begin_with_the_first_page(visit: Visit, many: RunStore) -> None:
    app = visit("history", **{"history-page-3": "3"})
    app.multiselect(key="filter-method").set_value(["unsir"]).run()
    assert listed(app) == [f"Run {CLASS}"]
    assert not app.get("pagination")


def test_a_page_of_the_history_is_small(visit: Visit, many: RunStore) -> None:
    table: Any = fine(visit("history")).dataframe[0]
    assert table.value["forgot"].notna().all()
    assert len(table.proto.arrow_data.data) < 250_000


def _percent(store: RunStore, run: int, model: str, name: str) -> Any:
    """The accuracy of a run as its row should show it."""
    accuracy = store.get(run).metrics.first_accuracy(model, name)
    assert accuracy is not None
    return pytest.approx(100 * accuracy)


def test_a_run_on_a_data_set_that_is_gone_is_still_listed(visit: Visit, store: RunStore) -> None:
    request = by_class().request.model_copy(update={"dataset": "lost"})
    store.submit(by_class().model_copy(update={"request": request}), title="Forget it with UNSIR")
    table = fine(visit("history")).dataframe[0].value
    assert list(table["forgotten"]) == ["Forget it with UNSIR"]


def test_the_method_is_read_from_titles_of_former_releases_too(visit: Visit, store: RunStore) -> None:
    for title in ("Forget 3 pictures with Fine-tune", "Forget 3 images with Fine-tune", "mine"):
        store.submit(by_picture(), title=title)
    table = fine(visit("history")).dataframe[0].value
    assert list(table["method"]) == ["finetune", "Fine-tune", "Fine-tune"]


def test_one_ticked_run_can_be_opened(visit: Visit, done: RunStore) -> None:
    app = visit("history")
    assert app.button(key="open").disabled
    tick(app, done, 1)
    app.button(key="open").click().run()
    assert fine(app).title[0].value == "Forget *discs* with UNSIR"
    assert app.query_params["id"] == str(CLASS)


def test_a_run_goes_back_to_the_lab(visit: Visit, done: RunStore) -> None:
    app = tick(visit("history"), done, 0)
    app.button(key="again").click().run()
    assert fine(app).title[0].value == "How should it forget?"
    assert (app.query_params["images"], app.query_params["method"]) == ("3,7,11", "finetune")


def test_a_note_is_kept_and_shown_as_it_was_written(visit: Visit, done: RunStore) -> None:
    app = tick(visit("history"), done, 1)
    app.text_input(key=f"note-{CLASS}").set_value("for *Monday* <b>").run()
    assert done.get(CLASS).note == "for *Monday* <b>"
    assert fine(app).dataframe[0].value["note"].tolist() == ["", "for *Monday* <b>"]
    report = fine(visit("run", id=str(CLASS)))
    assert "for \\*Monday\\* \\<b\\>" in words(report)


def test_deleting_asks_first_and_takes_the_folder_too(visit: Visit, done: RunStore, home: Path) -> None:
    app = tick(visit("history"), done, 0, 1)
    assert "**2 runs** will be deleted permanently" in words(app)
    assert len(done.list_runs()) == 2
    app.button(key="delete").click().run()
    assert "Nothing has been run here yet" in words(fine(app))
    assert not artifacts.run_dir(home, CLASS).exists()
    with pytest.raises(NotFoundError):
        done.get(CLASS)


def test_ticks_do_not_slip_to_another_run(visit: Visit, done: RunStore) -> None:
    app = tick(visit("history"), done, 0)
    assert not app.button(key="open").disabled
    done.submit(by_class("rows"), title="Forget rows with UNSIR")
    app.run()
    assert app.query_params["ticked"] == str(PICTURES), "the same run, one row further down"
    app.button(key="open").click().run()
    assert app.query_params["id"] == str(PICTURES)


def test_an_unfinished_run_is_cancelled_before_it_can_be_deleted(visit: Visit, store: RunStore) -> None:
    number = store.submit(by_class(), title="Forget discs with UNSIR")
    run = started(store)
    advance(store, run, 3)
    app = tick(visit("history"), store, 0)
    assert "**0 runs**" in words(app)
    app.button(key="cancel").click().run()
    assert store.get(number).cancelling
    store.execution.mark_cancelled(number, run.attempt)
    app = tick(visit("history"), store, 0)
    app.button(key="delete").click().run()
    assert store.list_runs() == []


def test_states_are_told_apart(visit: Visit, store: RunStore) -> None:
    for name in ("rows", "columns", "checks"):
        store.submit(by_class(name), title=f"Forget {name} with UNSIR")
    run = started(store)
    store.execution.fail(run.id, run.attempt, "It broke.")
    started(store)
    table = fine(visit("history")).dataframe[0].value
    assert table["state"].tolist() == ["◌ queued", "◔ running", "✕ failed"]
    assert store.get(run.id).state is RunState.FAILED


def test_the_history_needs_no_torch(done: RunStore) -> None:
    program = f"""
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({str(ROOT / "unlearn_core" / "ui" / "shell" / "router.py")!r}, default_timeout=60).run()
app.query_params["whose"] = "all"
app.switch_page({str(ROOT / "pages" / "explore" / "history.py")!r}).run()
assert len(app.dataframe[0].value) == 2, app
assert "torch" not in sys.modules
"""
    env = {"UNLEARN_WARMUP": "none", "UNLEARN_HOME": str(done.data_dir)}
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def listed(app: AppTest) -> list[str]:
    return list(fine(app).dataframe[0].value["run"])


def test_filters_select_rows_and_stand_in_the_link(visit: Visit, done: RunStore) -> None:
    done.submit(by_class("rows"), title="Forget rows with UNSIR", owner="ann")
    app = visit("history", whose="all")
    assert listed(app) == ["Run 3", "Run 2", "Run 1"]
    assert app.multiselect(key="filter-method").options == ["UNSIR", "Fine-tune"]
    app.multiselect(key="filter-method").set_value(["unsir"]).run()
    assert listed(app) == ["Run 3", "Run 1"]
    app.multiselect(key="filter-state").set_value(["done"]).run()
    assert listed(app) == ["Run 1"]
    assert {name: app.query_params[name] for name in ("filter-method", "filter-state")} == {
        "filter-method": "unsir",
        "filter-state": "done",
    }
    app.multiselect(key="filter-method").set_value([]).run()
    assert listed(app) == ["Run 2", "Run 1"]
    assert "filter-method" not in app.query_params
    app.text_input(key="filter-text").set_value("IMAGES tune").run()
    assert listed(app) == ["Run 2"]
    assert listed(visit("history", **{"filter-owner": "ann"})) == ["Run 3"]
    assert listed(visit("history", **{"filter-text": "rows", "whose": "all"})) == ["Run 3"]


def test_the_history_opens_on_ones_own_runs_and_shows_those_of_others_on_request(
    visit: Visit, come_as: Callable[[str], None], done: RunStore
) -> None:
    done.submit(by_class("rows"), title="Forget rows with UNSIR", owner="a" * 20)
    app = visit("history")
    assert listed(app) == ["Run 2", "Run 1"] and "owner" not in app.dataframe[0].value
    app.segmented_control(key="history-whose").set_value("all").run()
    assert listed(app) == ["Run 3", "Run 2", "Run 1"] and app.query_params["whose"] == "all"
    assert list(app.dataframe[0].value["owner"]) == ["Visitor AAAA", "Operator", "Operator"]
    come_as("a" * 20)
    assert listed(visit("history")) == ["Run 3"]
    come_as("b" * 20)
    app = fine(visit("history"))
    assert not app.dataframe and "None of these runs is yours." in words(app)


def test_whoever_works_alone_is_offered_no_choice_of_owners(visit: Visit, done: RunStore) -> None:
    app = fine(visit("history"))
    assert "history-whose" not in app.session_state
    assert listed(app) == ["Run 2", "Run 1"]


def test_filters_that_no_run_matches_can_be_cleared(visit: Visit, done: RunStore) -> None:
    app = fine(visit("history", **{"filter-text": "nothing", "filter-state": "done"}))
    assert not app.dataframe
    assert "No run matches these filters." in words(app)
    app.button(key="show-all").click().run()
    assert listed(app) == ["Run 2", "Run 1"]
    assert "filter-text" not in app.query_params
    assert "filter-state" not in app.query_params


def test_a_filter_in_a_link_that_means_nothing_here_is_left_out(visit: Visit, done: RunStore) -> None:
    app = visit("history", **{"filter-method": "wish", "filter-state": "done,lost", "filter-owner": "x"})
    assert listed(app) == ["Run 2", "Run 1"]
    assert app.query_params["filter-state"] == "done"
    assert "filter-method" not in app.query_params


def test_a_filter_whose_last_run_is_deleted_is_taken_back(visit: Visit, done: RunStore) -> None:
    app = tick(visit("history", **{"filter-method": "unsir,finetune"}), done, 0)
    app.button(key="delete").click().run()
    assert listed(app) == ["Run 1"]
    assert app.multiselect(key="filter-method").value == ["unsir"]


def test_what_offers_no_choice_is_left_out(visit: Visit, done: RunStore) -> None:
    app = fine(visit("history"))
    assert [one.key for one in app.multiselect] == ["filter-state", "filter-method"], "one classifier, one owner"


def test_the_table_is_handed_out_as_the_filters_select_it(visit: Visit, done: RunStore) -> None:
    app = visit("history", **{"filter-method": "unsir"})
    (button,) = fine(app).get("download_button")
    assert button.proto.label == "Download CSV"
    table = pd.read_csv(StringIO(filters.csv_text(done, RunFilter(methods=("unsir",)))))
    assert table["id"].tolist() == [CLASS]
    figures = done.get(CLASS).metrics.accuracy["after"]
    assert table["accuracy_after_forget_test"].tolist() == [figures["forget_test"]]
    assert len(pd.read_csv(StringIO(filters.csv_text(done, RunFilter())))) == 2
