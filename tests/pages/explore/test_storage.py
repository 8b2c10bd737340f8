"""The page Storage: what would be deleted is listed, the deletion is confirmed, and what went is listed."""

from collections.abc import Callable

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import CLASS, PICTURES
from tests.pages.page_asserts import fine, words
from tests.pages.test_history import tick
from tests.store.access.test_separation import ANN
from tests.store.specs import sql
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.jobs import ExplainSpec
from unlearn_core.domain.run import RunState
from unlearn_core.engine.jobs.explain import explain_image
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.store.files import artifacts
from unlearn_core.store.housekeeping import disk_use, retention
from unlearn_core.store.housekeeping.footprint import megabytes
from unlearn_core.store.queue.run_store import RunStore

DELETE = "Delete everything"
MOMENT = 1_800_000_000.0


def test_a_visitor_deletes_everything_of_theirs(visit: Visit, done: RunStore, come_as: Callable[[str], None]) -> None:
    sql(done.data_dir, "UPDATE run SET owner = ? WHERE id = ?", ANN.id, CLASS)
    ann = done.acting_as(ANN)
    ann.visitors.rename("Table 4")
    ann.submit(done.get(CLASS).spec, title="again")
    come_as(ANN.id)
    app = fine(visit("storage"))
    assert app.sidebar.button(key="account").label == "Table 4"
    assert not [one for one in app.button if one.label == DELETE], "first what would go is shown"
    app.button(key="storage-list").click().run()
    assert "* runs with their reports and weights: 2" in words(fine(app))
    (delete,) = (one for one in app.button if one.label == DELETE)
    assert delete.disabled and len(ann.belongings.runs()) == 2
    app.checkbox(key="storage-sure").check().run()
    (delete,) = (one for one in app.button if one.label == DELETE)
    delete.click().run()
    text = words(fine(app))
    assert app.success[0].value == "Everything of yours was deleted from this server:"
    assert "* runs with their reports and weights: 2" in text and "* name and codes: 1" in text
    assert [run.id for run in done.list_runs()] == [PICTURES]
    assert not (done.data_dir / "runs" / str(CLASS)).exists()
    assert app.sidebar.button(key="account").label == "Visitor AAAA"
    app.button(key="storage-list").click().run()
    assert "Nothing is stored of you" in words(fine(app))


def test_runs_that_do_not_end_are_said_and_nothing_is_deleted(
    visit: Visit, done: RunStore, come_as: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unlearn_core.store.housekeeping.erasure.erase.__kwdefaults__", {"patience": 0.1})
    ann = done.acting_as(ANN)
    running = ann.submit(done.get(CLASS).spec, title="again")
    assert done.execution.claim("w", device="cpu", kinds={"unlearn"})
    come_as(ANN.id)
    app = fine(visit("storage"))
    app.button(key="storage-list").click().run()
    app.checkbox(key="storage-sure").check().run()
    next(one for one in app.button if one.label == DELETE).click().run()
    assert not app.exception
    assert f"Not all runs have ended within 0.1 s of being cancelled ({running})" in words(app).replace("\\", "")
    assert done.get(running).state is RunState.RUNNING and done.get(running).cancelling


def test_the_dialog_about_the_visitor_leads_there(visit: Visit, come_as: Callable[[str], None]) -> None:
    come_as(ANN.id)
    app = fine(visit("history"))
    app.sidebar.button(key="account").click().run()
    links = [one.proto for one in app.get("page_link")]
    assert ("What is stored of you, and how to delete it", "storage") in [(link.label, link.page) for link in links]


@pytest.fixture
def announced(done: RunStore, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """A lab that keeps one run of each visitor, and has said so: the older run of two goes."""
    monkeypatch.setenv("UNLEARN_KEEP_RUNS", "1")
    assert retention.carry_out(done, now=MOMENT) == []
    return done


def test_what_will_be_deleted_is_said_and_can_be_pinned(visit: Visit, announced: RunStore) -> None:
    notice = (
        "1 run of yours will be deleted from 18 January 2027 on: not among the newest 1 of a visitor. "
        "Pin what you need."
    )
    app = fine(visit("history"))
    assert [one.value for one in app.info] == [notice]
    text = words(fine(visit("storage")))
    assert "This server keeps the newest 1 of each visitor, and what is pinned." in text
    assert f"[Run {CLASS}](/run?id={CLASS}): with its report, 18 January 2027" in text
    assert "1 run will be deleted from 18 January 2027 on" in text
    app = fine(visit("run", id=str(CLASS)))
    app.button(key="pin").click().run()
    assert fine(app).button(key="pin").label == "Unpin" and announced.get(CLASS).pinned
    app = fine(visit("history"))
    assert not app.info and list(app.dataframe[0].value["pinned"]) == [False, True]
    assert "Nothing will be deleted within the next days" in words(fine(visit("storage")))
    assert retention.carry_out(announced, now=MOMENT + 4 * retention.DAY) == []


def test_runs_are_pinned_in_the_history(visit: Visit, announced: RunStore) -> None:
    app = fine(visit("history"))
    assert app.button(key="pin").disabled
    app = tick(app, announced, 0, 1)
    app.button(key="pin").click().run()
    assert all(announced.get(run).pinned for run in (CLASS, PICTURES))
    assert tick(app, announced, 0, 1).button(key="pin").label == "Unpin"
    app.button(key="pin").click().run()
    assert not any(announced.get(run).pinned for run in (CLASS, PICTURES))


def test_without_retention_nothing_is_said_of_it(visit: Visit, done: RunStore) -> None:
    for page, query in (("history", {}), ("run", {"id": str(CLASS)})):
        app = fine(visit(page, **query))
        assert not [one for one in app.button if one.key == "pin"]
    assert "deleted by itself" not in words(fine(visit("storage")))


def test_a_visitor_reads_only_of_their_own(visit: Visit, announced: RunStore, come_as: Callable[[str], None]) -> None:
    come_as(ANN.id)
    assert "Nothing will be deleted within the next days" in words(fine(visit("storage")))


def test_a_report_outlives_its_weights(visit: Visit, done: RunStore) -> None:
    (done.data_dir / "runs" / str(CLASS) / artifacts.WEIGHTS_FILE).unlink()
    app = fine(visit("run", id=str(CLASS)))
    assert "Did the model forget the forget set and retain the rest?" in words(app)
    with pytest.raises(InvalidRequestError, match=f"Run {CLASS} has no stored weights, so it cannot be explained"):
        explain_image(ExplainSpec(run=CLASS, picture=0), ModelCache("cpu", done.data_dir), done.data_dir / "explained")


def test_what_costs_disk_is_said_as_measured_last(
    visit: Visit, done: RunStore, come_as: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "It has not been measured yet" in words(fine(visit("storage")))
    sql(done.data_dir, "UPDATE run SET owner = ? WHERE id = ?", ANN.id, CLASS)
    found = disk_use.measure(done)
    monkeypatch.setattr(disk_use, "measure", lambda _: pytest.fail("a page measured"))
    app = fine(visit("storage"))
    own, by_kind, by_owner = (table.value for table in app.dataframe)
    assert f"The whole data folder takes **{megabytes(found.bytes)}**" in words(app)
    assert list(by_kind["kind"]) == [amount.title for amount in found.kinds] and "yours alone" in words(app)
    assert {*by_owner["owner"]} == {"Operator", "Visitor AAAA", "used by several, or of nobody in particular"}
    assert sum(by_owner["MB"]) == pytest.approx(sum(by_kind["MB"])) and min(by_owner["MB"]) >= 0
    assert sum(own["MB"]) == pytest.approx(found.owner_bytes("local") / 1e6)
    come_as(ANN.id)
    app = fine(visit("storage"))
    assert len(app.dataframe) == 1 and "The whole data folder" not in words(app)
    assert sum(app.dataframe[0].value["MB"]) == pytest.approx(found.owner_bytes(ANN.id) / 1e6)
