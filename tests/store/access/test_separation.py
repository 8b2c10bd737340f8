"""Two visitors, every action and every object: nobody reads what is private, and nobody changes what is not theirs.

Each public method of the store has its row here. One that is added without a row fails the last test.
"""

import inspect
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.domain.test_sweep import spec as sweep_spec
from tests.store.specs import REQUEST, spec, sql
from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.errors import NotAllowedError, NotFoundError
from unlearn_core.domain.jobs import ExplainSpec, FeaturesSpec, MeasureSpec, TrainSpec, UnlearnSpec
from unlearn_core.domain.recipe import Recipe
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.sweeps.sweep import SweepState
from unlearn_core.models import user_models
from unlearn_core.models.classifiers import card
from unlearn_core.store import deletion
from unlearn_core.store.access.actor import OPERATOR, Actor
from unlearn_core.store.access.belongings import Belongings
from unlearn_core.store.access.items import OwnedItems
from unlearn_core.store.access.owned_items import Item
from unlearn_core.store.access.visitor_store import Visitors
from unlearn_core.store.class_boards import ClassBoards
from unlearn_core.store.housekeeping import erasure
from unlearn_core.store.queue.execution import RunExecution
from unlearn_core.store.queue.method_runs import MethodRuns
from unlearn_core.store.queue.queue_view import QueueView
from unlearn_core.store.queue.repeats import SeedRepeats
from unlearn_core.store.queue.run_listing import RunListing
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.store.queue.sweeps import SweepStore

RECIPE = Recipe(epochs=3, batch=64, peak=0.1, augment="none")
ANN, BEN = Actor("a" * 20), Actor("b" * 20)
ADMIN = Actor(f"oidc-{'c' * 32}", is_operator=True)
"""Somebody who signed in as an administrator."""
TABLES = (
    "reader",
    "switch",
    "run",
    "sweep",
    "trial",
    "item",
    "visitor",
    "move_code",
    "board",
    "board_run",
    "answer",
    "point",
)


class Objects(NamedTuple):
    """What Ann has."""

    home: Path
    queued: int
    running: int
    done: int
    shared: int
    sweep: int
    paused: int
    ended: int
    classifier: str
    pending: str
    dataset: str
    removed: str
    board: str


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """A data folder with everything that Ann may have; nobody may write to it."""
    home = tmp_path_factory.mktemp("template")
    server = RunStore(home)
    store = server.acting_as(ANN)

    def ended(title: str, **metrics: Any) -> int:
        number = server.execution.register_running(
            spec(name=title), title=title, device="cpu", owner=ANN.id, seconds=60
        )
        server.execution.finish(number, 1, metrics=RunMetrics(**metrics))
        return number

    user_catalog.set_data_dir(home)
    for name, pending in (("own", False), ("waiting", True)):
        own = card("tiny").model_copy(update={"id": name, "recipe": None})
        user_models.add(own, weights="", files={}, facts={}, pending=pending)
        ended(f"trained {name}", classifier=name)
    user_catalog.set_data_dir(None)
    for name, place in (("faces", "datasets"), ("gone", "trash/datasets")):
        text = datasets.card("shapes").model_copy(update={"id": name}).model_dump_json()
        atomic_write(home / place / name / "card.json", text.encode())
        sql(home, "INSERT INTO item VALUES ('dataset', ?, ?)", name, ANN.id)
    done, shared = ended("done"), ended("shared")
    store.share(shared)
    running = store.submit(spec(name="running"), title="running")
    claimed = server.execution.claim("w", device="cpu", kinds={"unlearn"})
    assert claimed is not None and claimed.id == running
    queued = store.submit(spec(name="queued"), title="queued")
    going, paused, over = (store.sweeps.submit(sweep_spec(), title="a sweep") for _ in range(3))
    store.sweeps.pause(paused)
    store.sweeps.cancel(over)
    return Objects(
        home, queued, running, done, shared, going, paused, over, "own", "waiting", "faces", "gone", store.boards.open()
    )


@pytest.fixture
def ann(template: Objects, home: Path) -> Iterator[Objects]:
    """A copy of it."""
    shutil.copytree(template.home, home, dirs_exist_ok=True)
    user_catalog.set_data_dir(home)
    yield template._replace(home=home)
    user_catalog.set_data_dir(None)


class Row(NamedTuple):
    """An action on what belongs to Ann."""

    act: Callable[[RunStore, Objects], Any]


def train(dataset: str, start: str | None = None) -> TrainSpec:
    return TrainSpec(architecture="tiny", dataset=dataset, recipe=RECIPE, start=start)


def on(**fields: Any) -> UnlearnSpec:
    return spec().model_copy(update={"request": REQUEST.model_copy(update=fields)})


CHANGES: dict[str, Row] = {
    "RunStore.cancel a queued run": Row(lambda s, o: s.cancel(o.queued)),
    "RunStore.cancel a running run": Row(lambda s, o: s.cancel(o.running)),
    "RunStore.set_note": Row(lambda s, o: s.set_note(o.done, "mine")),
    "RunStore.share": Row(lambda s, o: s.share(o.done)),
    "RunStore.pin": Row(lambda s, o: s.pin(o.done)),
    "RunStore.delete": Row(lambda s, o: s.delete(o.done)),
    "RunStore.submit a measurement of a run": Row(lambda s, o: s.submit(MeasureSpec(run=o.done), title="")),
    "RunStore.submit_unique a measurement": Row(lambda s, o: s.submit_unique(MeasureSpec(run=o.done), title="")),
    "RunStore.submit for somebody": Row(lambda s, o: s.submit(spec(), title="", owner=ANN.id)),
    "RunStore.submit_unique for somebody": Row(lambda s, o: s.submit_unique(spec(), title="", owner=ANN.id)),
    "SweepStore.submit for somebody": Row(lambda s, o: s.sweeps.submit(sweep_spec(), title="", owner=ANN.id)),
    "SweepStore.pause": Row(lambda s, o: s.sweeps.pause(o.sweep)),
    "SweepStore.resume": Row(lambda s, o: s.sweeps.resume(o.paused)),
    "SweepStore.cancel": Row(lambda s, o: s.sweeps.cancel(o.sweep)),
    "SweepStore.delete": Row(lambda s, o: s.sweeps.delete(o.ended)),
    "SeedRepeats.submit for somebody": Row(
        lambda s, o: s.repeats.submit(RunStore(o.home).get(o.done), 1, owner=ANN.id)
    ),
    "MethodRuns.submit for somebody": Row(lambda s, o: s.method_runs.submit({"": spec()}, owner=ANN.id)),
    "ClassBoards.add_run": Row(lambda s, o: s.boards.add_run(o.board, o.done)),
    "Visitors.make_code for somebody": Row(lambda s, o: s.visitors.make_code(ANN.id)),
    "OwnedItems.accept_classifier": Row(lambda s, o: s.items.accept_classifier(o.pending)),
    "OwnedItems.set_recipe": Row(lambda s, o: s.items.set_recipe(o.classifier, RECIPE)),
    "OwnedItems.remove_dataset": Row(lambda s, o: s.items.remove_dataset(o.dataset)),
    "OwnedItems.restore_dataset": Row(lambda s, o: s.items.restore_dataset(o.removed)),
    "OwnedItems.delete_dataset": Row(lambda s, o: s.items.delete_dataset(o.removed)),
    "OwnedItems.require": Row(lambda s, o: s.items.require(Item("dataset", o.dataset))),
    "OwnedItems.give_up": Row(lambda s, o: s.items.give_up(Item("dataset", o.dataset))),
    "OwnedItems.transfer": Row(lambda s, o: s.items.transfer(Item("dataset", o.dataset), ["c" * 20])),
    "OwnedItems.release": Row(lambda s, o: s.items.release(Item("dataset", o.dataset))),
    "Belongings.transfer": Row(lambda s, o: s.belongings.transfer(o.done, "c" * 20)),
    "OwnedItems.forget": Row(lambda s, o: s.items.forget(Item("dataset", o.dataset))),
    "delete_classifier": Row(lambda s, o: deletion.delete_classifier(s, o.classifier)),
}
"""What only the owner and the operator may do."""

READS: dict[str, Row] = {
    "RunStore.get": Row(lambda s, o: s.get(o.done)),
    "RunStore.get a queued run": Row(lambda s, o: s.get(o.queued)),
    "RunStore.readers": Row(lambda s, o: s.readers(o.queued)),
    "RunStore.queue_position": Row(lambda s, o: s.queue_position(o.queued)),
    "RunStore.runs_ahead": Row(lambda s, o: s.runs_ahead(o.queued)),
    "RunStore.submit a question about a run": Row(lambda s, o: s.submit(ExplainSpec(run=o.done, picture=0), title="")),
    "RunStore.submit what goes on from a run": Row(
        lambda s, o: s.submit(spec().model_copy(update={"start": o.done}), title="")
    ),
    "RunStore.submit on a classifier": Row(lambda s, o: s.submit(on(classifier=o.classifier), title="")),
    "RunStore.submit on a data set": Row(lambda s, o: s.submit(on(dataset=o.dataset), title="")),
    "RunStore.submit_unique features": Row(
        lambda s, o: s.submit_unique(FeaturesSpec(classifier=o.classifier), title="")
    ),
    "RunStore.submit_unique a training": Row(lambda s, o: s.submit_unique(train(o.dataset), title="")),
    "RunStore.submit_unique from weights": Row(lambda s, o: s.submit_unique(train("shapes", o.classifier), title="")),
    "SweepStore.submit": Row(lambda s, o: s.sweeps.submit(sweep_spec().model_copy(update={"start": o.done}), title="")),
    "SweepStore.get": Row(lambda s, o: s.sweeps.get(o.sweep)),
    "SweepStore.trials": Row(lambda s, o: s.sweeps.trials(o.sweep)),
    "SweepStore.version": Row(lambda s, o: s.sweeps.version(o.sweep)),
    "SeedRepeats.submit": Row(lambda s, o: s.repeats.submit(RunStore(o.home).get(o.done), 1)),
    "MethodRuns.submit": Row(lambda s, o: s.method_runs.submit({"": on(classifier=o.classifier)})),
}
"""What everybody may do where sharing is open, and only the owner where it is private."""

LISTS: dict[str, Callable[[RunStore, Objects], bool]] = {
    "RunStore.list_runs": lambda s, o: o.done in [run.id for run in s.list_runs()],
    "RunStore.curve": lambda s, o: bool(s.curve(o.running)),
    "RunStore.runs_ahead": lambda s, o: o.running in [run.id for run in s.runs_ahead(mine(s)).runs],
    "RunListing.briefs": lambda s, o: o.done in [run.id for run in s.listing.briefs(kinds=("unlearn",))],
    "RunListing.has_any": lambda s, o: s.listing.has_any(kinds=("unlearn",)),
    "RunStore.repair": lambda s, o: bool(broken(o) and s.repair([o.queued])),
    "RunListing.runs": lambda s, o: o.done in s.listing.runs([o.done]),
    "SeedRepeats.runs_of": lambda s, o: o.done in [run.id for run in s.repeats.runs_of(RunStore(o.home).get(o.done))],
    "MethodRuns.runs_of": lambda s, o: s.method_runs.runs_of([spec(name="done")]) != [None],
    "MethodRuns.submit": lambda s, o: s.method_runs.submit({"": spec(name="done")}) == [],
    "MethodRuns.list_recent": lambda s, o: bool(grouped(o) and s.method_runs.list_recent()),
    "SweepStore.list_recent": lambda s, o: o.sweep in [sweep.id for sweep in s.sweeps.list_recent()],
    "SweepStore.finished_counts": lambda s, o: bool(trial(o) and s.sweeps.finished_counts([o.ended])[o.ended]),
    "SweepStore.count_unfinished": lambda s, o: bool(trial(o, "queued") and s.sweeps.count_unfinished(o.ended)),
    "QueueView.now": lambda s, o: o.queued in [one.number for one in s.queue.now().waiting if one.run is not None],
    "OwnedItems.readable": lambda s, o: (found := s.items.readable()) is None or Item("classifier", "own") in found,
    "OwnedItems.removed_datasets": lambda s, o: bool(
        (found := s.items.readable()) is None or Item("dataset", o.removed) in found
    ),
}
"""Whether somebody is shown what belongs to Ann, without a link to it."""

ANYBODY = {
    "RunStore.acting_as": "code, not a visitor, says who acts",
    "QueueView.is_class": "yes or no",
    "RunStore.joined": "says only what is one's own",
    "RunStore.rates": "seconds per step on a device, of nobody in particular",
    "RunExecution.has_queued": "yes or no",
    "RunStore.workers": "the state of the devices",
    "RunStore.orphaned_runs": "numbers of runs that no worker holds",
    "RunListing.acting_as": "code, not a visitor, says who acts",
    "OwnedItems.own": "one's own",
    "OwnedItems.all_owners": "ids of owners, which no page shows; for `disk_use`",
    "OwnedItems.owners": "ids of owners, which no page shows; for `usage`",
    "OwnedItems.changeable": "says only what may be changed",
    "ClassBoards.open": "makes a new board",
    "ClassBoards.find": "needs the code of the room",
    "ClassBoards.answer": "needs the code of the room; one's own answer only",
    "ClassBoards.choices": "counts, with the code of the room",
    "ClassBoards.visitors": "a count, with the code of the room",
    "ClassBoards.runs": "whoever follows a board shows their runs there",
    "Visitors.name": "one's own",
    "Visitors.labels": "names are there to be shown; pages leave them out where sharing is private",
    "Visitors.rename": "one's own",
    "Visitors.make_code": "for oneself",
    "Visitors.redeem": "needs a code",
    **dict.fromkeys(
        [
            f"Belongings.{name}"
            for name in (
                "runs",
                "sweeps",
                "unfinished",
                "await_end",
                "forget_visitor",
                "joined_by_others",
                "leave_joined",
            )
        ],
        "one's own",
    ),
    "Belongings.existing": "numbers of runs and sweeps",
    "Belongings.all_pinned": "numbers of runs",
    "Belongings.compact_database": "changes nothing that can be read",
    "erase": "one's own; test_erasure.py lets others do it",
    "active_runs_using": "is asked after the owner was checked",
    "deletion_blocker": "says numbers of runs, and titles of what may be read",
}
"""What everybody may do, and why."""

OPERATOR_ONLY: dict[str, Callable[[RunStore, Objects], Any]] = {
    "RunExecution.register_running": lambda s, o: s.execution.register_running(spec(), title="", device="cpu"),
    "RunExecution.claim": lambda s, o: s.execution.claim("w", device="cpu", kinds={"unlearn"}),
    "RunExecution.claim_group": lambda s, o: s.execution.claim_group(
        RunStore(o.home).get(o.running), "w", device="cpu", is_compatible=lambda _: True, limit=1
    ),
    "RunExecution.heartbeat": lambda s, o: s.execution.heartbeat(o.running, 1),
    "RunExecution.finish": lambda s, o: s.execution.finish(o.running, 1, metrics=RunMetrics()),
    "RunExecution.fail": lambda s, o: s.execution.fail(o.running, 1, "no"),
    "RunExecution.mark_cancelled": lambda s, o: s.execution.mark_cancelled(o.running, 1),
    "RunExecution.requeue": lambda s, o: s.execution.requeue(o.running, 1),
    "RunExecution.mark_crashed": lambda s, o: s.execution.mark_crashed(o.running, 1, "no"),
    "RunExecution.expire_leases": lambda s, o: s.execution.expire_leases(),
    "RunExecution.delete_finished": lambda s, o: s.execution.delete_finished({"unlearn"}, older_than=-1),
    "RunExecution.worker_heartbeat": lambda s, o: s.execution.worker_heartbeat(
        "w", device="cpu", pid=1, code="", state="idle"
    ),
    "RunExecution.deregister_worker": lambda s, o: s.execution.deregister_worker("w"),
    "SweepStore.acquire_leases": lambda s, o: s.sweeps.acquire_leases("w"),
    "SweepStore.release_leases": lambda s, o: s.sweeps.release_leases("w"),
    "SweepStore.add_trial": lambda s, o: s.sweeps.add_trial(
        RunStore(o.home).sweeps.get(o.sweep), "w", number=0, params={}, attributes={}
    ),
    "SweepStore.set_findings": lambda s, o: s.sweeps.set_findings(
        o.sweep, "w", RunStore(o.home).sweeps.get(1).findings
    ),
    "SweepStore.end": lambda s, o: s.sweeps.end(o.sweep, "w", SweepState.DONE),
    "SweepStore.prune_trial": lambda s, o: s.sweeps.prune_trial(o.running, "no"),
    "QueueView.hold_class": lambda s, o: s.queue.hold_class(on=True),
    "Visitors.list": lambda s, o: s.visitors.list(),
}
"""What only workers and the command line do."""


def mine(store: RunStore) -> int:
    """A queued run of whoever acts."""
    return store.submit(spec(name=store.access.actor.id), title="")


def broken(objects: Objects) -> bool:
    sql(objects.home, "UPDATE run SET spec = '{' WHERE id = ?", objects.queued)
    return True


def grouped(objects: Objects) -> bool:
    return bool(RunStore(objects.home).acting_as(ANN).method_runs.submit({"": spec(name="in a group")}))


def trial(objects: Objects, state: str = "done") -> bool:
    sql(objects.home, "INSERT INTO trial VALUES (?, 0, ?, '{}', '{}', NULL)", objects.ended, getattr(objects, state))
    return True


def contents(home: Path) -> list[object]:
    """Everything that a data folder holds, but for the times of files and what is found about images meanwhile."""
    files = sorted(
        str(path.relative_to(home)) for path in home.rglob("*") if not re.search(r"lab\.db|duplicates", path.name)
    )
    return [files, *(sql(home, f"SELECT * FROM {table}") for table in TABLES)]


@pytest.mark.parametrize("sharing", ["open", "private"])
@pytest.mark.parametrize("action", CHANGES)
def test_nobody_changes_what_is_not_theirs(
    ann: Objects, monkeypatch: pytest.MonkeyPatch, action: str, sharing: str
) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", sharing)
    before = contents(ann.home)
    with pytest.raises(NotAllowedError if sharing == "open" else (NotFoundError, NotAllowedError)):
        CHANGES[action].act(RunStore(ann.home).acting_as(BEN), ann)
    assert contents(ann.home) == before


@pytest.mark.parametrize("actor", [ANN, OPERATOR, ADMIN], ids=["owner", "operator", "administrator"])
@pytest.mark.parametrize("action", CHANGES)
def test_the_owner_and_the_operator_may(
    ann: Objects, monkeypatch: pytest.MonkeyPatch, action: str, actor: Actor
) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    CHANGES[action].act(RunStore(ann.home).acting_as(actor), ann)


@pytest.mark.parametrize("action", READS)
def test_what_is_private_does_not_exist_for_others(ann: Objects, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    before = contents(ann.home)
    with pytest.raises(NotFoundError):
        READS[action].act(RunStore(ann.home).acting_as(BEN), ann)
    assert contents(ann.home) == before
    for actor in (ANN, OPERATOR, ADMIN):
        READS[action].act(RunStore(ann.home).acting_as(actor), ann)


@pytest.mark.parametrize("action", READS)
def test_what_is_open_is_read_by_all(ann: Objects, action: str) -> None:
    READS[action].act(RunStore(ann.home).acting_as(BEN), ann)


@pytest.mark.parametrize("action", LISTS)
def test_lists_hold_what_may_be_read(ann: Objects, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    sql(ann.home, "INSERT INTO point (run, step, seconds, phase) VALUES (?, 0, 0, '')", ann.running)
    assert LISTS[action](RunStore(ann.home).acting_as(OPERATOR), ann)
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    sql(ann.home, "DELETE FROM trial")
    assert not LISTS[action](RunStore(ann.home).acting_as(BEN), ann)


@pytest.mark.parametrize("actor", [ANN, BEN], ids=["owner", "other"])
@pytest.mark.parametrize("action", OPERATOR_ONLY)
def test_no_visitor_does_the_work_of_a_worker(ann: Objects, action: str, actor: Actor) -> None:
    before = contents(ann.home)
    with pytest.raises(NotAllowedError):
        OPERATOR_ONLY[action](RunStore(ann.home).acting_as(actor), ann)
    assert contents(ann.home) == before


def test_a_shared_report_is_read_by_its_link_and_listed_nowhere(ann: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    ben = RunStore(ann.home).acting_as(BEN)
    assert ben.get(ann.shared).title == "shared"
    assert not ben.list_runs() and not ben.listing.briefs(kinds=("unlearn",))
    for change in (ben.delete, ben.cancel, ben.share):
        with pytest.raises(NotAllowedError):
            change(ann.shared)
    RunStore(ann.home).acting_as(ANN).share(ann.shared, shared=False)
    with pytest.raises(NotFoundError):
        ben.get(ann.shared)


def test_what_two_made_belongs_to_both(ann: Objects) -> None:
    server = RunStore(ann.home)
    number = server.execution.register_running(spec(), title="the same again", device="cpu", owner=BEN.id)
    server.execution.finish(number, 1, metrics=RunMetrics(classifier=ann.classifier))
    deletion.delete_classifier(server.acting_as(BEN), ann.classifier)
    assert user_models.exists(ann.classifier), "it is still Ann's"
    with pytest.raises(NotAllowedError):
        deletion.delete_classifier(server.acting_as(BEN), ann.classifier)
    deletion.delete_classifier(server.acting_as(ANN), ann.classifier)
    assert not user_models.exists(ann.classifier)


def test_what_has_no_owner_on_record_is_the_operators_and_stays_so(ann: Objects) -> None:
    sql(ann.home, "DELETE FROM item")
    server = RunStore(ann.home)
    with pytest.raises(NotAllowedError):
        server.acting_as(ANN).items.set_recipe(ann.classifier, RECIPE)
    number = server.execution.register_running(spec(), title="the same again", device="cpu", owner=BEN.id)
    server.execution.finish(number, 1, metrics=RunMetrics(classifier=ann.classifier))
    deletion.delete_classifier(server.acting_as(BEN), ann.classifier)
    assert user_models.exists(ann.classifier), "it was there before Ben made it"


def test_every_action_has_its_row() -> None:
    parts = (
        RunStore,
        RunExecution,
        SweepStore,
        SeedRepeats,
        MethodRuns,
        RunListing,
        ClassBoards,
        Visitors,
        OwnedItems,
        Belongings,
        QueueView,
    )
    actions = {
        f"{part.__name__}.{name}"
        for part in parts
        for name, value in vars(part).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    actions |= {
        name
        for module in (deletion, erasure)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    rows = [*CHANGES, *READS, *LISTS, *ANYBODY, *OPERATOR_ONLY]
    assert actions - {row.split(" ")[0] for row in rows} == set(), "these need a row"
    assert {row.split(" ")[0] for row in rows} - actions == set(), "these are no more"
