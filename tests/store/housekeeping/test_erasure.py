"""Delete everything of mine: no file of the data folder says a word of it afterwards, and others lose nothing."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.domain.test_sweep import spec as sweep_spec
from tests.store.access.test_separation import ANN, BEN, RECIPE, contents
from tests.store.specs import REQUEST, spec, sql
from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.domain.errors import StoreError
from unlearn_core.domain.forget_request import ForgetImages
from unlearn_core.domain.jobs import (
    AddCheckpointSpec,
    ExplainSpec,
    ImportDatasetSpec,
    TrainGoldSpec,
    TrainSpec,
    UnlearnSpec,
)
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.results.point_runs import DrawnPoint, PointsSpec
from unlearn_core.domain.run import RunState
from unlearn_core.models import user_models
from unlearn_core.models.classifiers import card
from unlearn_core.store import image_lists
from unlearn_core.store.access import readers
from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.access.owned_items import Item
from unlearn_core.store.db.schema import RUN
from unlearn_core.store.files import ensemble_files
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.store.files.golds import GoldStore
from unlearn_core.store.housekeeping import disk_use, erasure, footprint, retention
from unlearn_core.store.housekeeping.erasure import erase
from unlearn_core.store.queue.run_store import RunStore

MARK = "Zebrafinch"
"""What stands in everything of Ann's that can hold a text."""
LOWER, FACES = MARK.lower(), f"{MARK.lower()}-ab12cd"
UPLOAD = "0" * 64
IMAGES = ForgetImages(images=tuple(range(17, 57)))
OWN = REQUEST.model_copy(update={"classifier": LOWER, "dataset": FACES, "forget": IMAGES})


class Homes(NamedTuple):
    home: Path
    server: RunStore
    ann: RunStore
    run: int


def end(store: RunStore, spec_: Any, owner: str, **metrics: Any) -> int:
    """A finished run, with a report."""
    name = MARK if owner == ANN.id else "discs"
    number = store.execution.register_running(spec_, title=f"Forget {name}", device="cpu", owner=owner, seconds=60)
    atomic_write(store.data_dir / "runs" / str(number) / "report.json", json.dumps({"name": name}).encode())
    store.execution.finish(number, 1, metrics=RunMetrics(**metrics))
    return number


def add_dataset(home: Path, name: str, owner: str, place: str = "datasets") -> None:
    found = datasets.card("shapes")
    described = found.model_copy(update={"id": name, "title": MARK, "classes": (MARK, *found.classes[1:])})
    atomic_write(home / place / name / "card.json", described.model_dump_json().encode())
    atomic_write(home / place / name / "images.npy", MARK.encode())
    sql(home, "INSERT INTO item VALUES ('dataset', ?, ?)", name, owner)


def add_classifier(home: Path, name: str, owner: str, dataset: str, *, pending: bool = False) -> None:
    own = card("tiny").model_copy(update={"id": name, "title": MARK, "dataset": dataset})
    user_models.add(own, weights="c" * 64, files={".safetensors": MARK.encode()}, facts={}, pending=pending)
    sql(home, "INSERT INTO item VALUES ('classifier', ?, ?)", name, owner)


@pytest.fixture
def homes(home: Path) -> Iterator[Homes]:
    """A data folder in which Ann has one of everything, and Ben a run."""
    server = RunStore(home)
    ann = server.acting_as(ANN)
    user_catalog.set_data_dir(home)
    ann.visitors.rename(MARK)
    ann.visitors.make_code()
    add_dataset(home, FACES, ANN.id)
    add_dataset(home, f"{LOWER}-gone", ANN.id, "trash/datasets")
    add_classifier(home, LOWER, ANN.id, FACES)
    add_classifier(home, f"{LOWER}-waiting", ANN.id, FACES, pending=True)
    run = end(server, UnlearnSpec(request=OWN, method="any", params={}), ANN.id, weights="d" * 64)
    ann.set_note(run, f"A note about {MARK}.")
    _files(home, server)
    _jobs(server)
    server.acting_as(BEN).visitors.rename("Ben")
    end(server, spec(), BEN.id)
    yield Homes(home, server, ann, run)
    user_catalog.set_data_dir(None)


def _files(home: Path, server: RunStore) -> None:
    evaluations = EvaluationStore(home / "evaluations")
    for weights, dataset in (("d", FACES), ("c", FACES), ("e", "shapes")):
        evaluations.put(Evaluation(weights * 64, dataset, np.zeros((2, 2), np.float32)))
    GoldStore(home).save(OWN, 0, weights="e" * 64, data=MARK.encode(), seconds=1.0)
    atomic_write(GoldStore(home).folder(OWN, 1) / "state.pt", MARK.encode())
    unlearned = UnlearnSpec(request=OWN, method="any", params={}).fingerprint() + "d" * 16
    for kind, name in (("golds", OWN.fingerprint()), ("unlearned", unlearned)):
        atomic_write(ensemble_files.folder(home, LOWER, kind, name) / "000.npz", MARK.encode())
    image_lists.save(home, IMAGES.images)
    log = [
        "2026-11-30 10:00:00 INFO Worker on cpu started.",
        f"2026-11-30 10:00:01 INFO Run 1 (Forget {MARK}): done.",
        f"2026-11-30 10:00:02 ERROR Run 1 failed:\nTraceback\n  {MARK}\nValueError",
        f"2026-11-30 10:00:03 INFO Sweep 1 ({MARK}): cancelled.",
        "2026-11-30 10:00:04 INFO Worker on cpu stopped.",
    ]
    (home / "worker.log").write_text("\n".join(log) + "\n")
    (home / "worker.log.1").write_text(f"2026-11-29 10:00:00 INFO Run 1 ({MARK}): done.\n")
    atomic_write(home / "errors" / "0123abcd.txt", f"During: run 1\n\n{MARK}".encode())
    atomic_write(home / "errors" / "1123abcd.txt", f'During: the page forget\n{{"dataset": "{FACES}"}}'.encode())
    atomic_write(home / "errors" / "2123abcd.txt", b"During: the page start")


def _jobs(server: RunStore) -> None:
    """Further jobs of Ann, each with the files that only it has."""
    home = server.data_dir
    imports = ImportDatasetSpec(
        dataset=FACES, title=MARK, source="zip", options={"upload": f"{UPLOAD}-00000000"}, size=8
    )
    train = TrainSpec(architecture="tiny", dataset=FACES, name=MARK, recipe=RECIPE)
    points = PointsSpec(part="train", dataset="", drawn=(DrawnPoint(1, 1, 0),) * 3)
    for job in (
        imports,
        train,
        points,
        AddCheckpointSpec(upload=UPLOAD, dataset=FACES, name=MARK),
        ExplainSpec(run=1, upload=UPLOAD),
        TrainGoldSpec(request=OWN),
    ):
        end(server, job, ANN.id)
    for file in (
        f"uploads/{UPLOAD}-00000000.zip",
        f"trained/.uploads/{UPLOAD}/given",
        f"trained/.making/{train.fingerprint()}/state.pt",
        f"own-images/{UPLOAD}",
        f"playground/{points.fingerprint()}.json",
    ):
        atomic_write(home / file, MARK.encode())
    server.acting_as(ANN).sweeps.submit(sweep_spec(), title=f"Trial of {MARK}")


def search(home: Path, *texts: str) -> list[str]:
    """The files in which one of these texts stands, by name or by content, whatever its case."""
    found: list[str] = []
    for path in home.rglob("*"):
        held = str(path.relative_to(home)).encode() + (path.read_bytes() if path.is_file() else b"")
        found += [str(path.relative_to(home))] if any(text.lower().encode() in held.lower() for text in texts) else []
    return sorted(found)


def others(home: Path) -> list[object]:
    """The rows of all but Ann."""
    return [
        sql(home, f"SELECT * FROM {table} WHERE {column} != ? ORDER BY 1", ANN.id)
        for table, column in (("run", "owner"), ("sweep", "owner"), ("item", "owner"), ("visitor", "id"))
    ]


def test_no_file_says_a_word_of_it_afterwards(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    home, ann = homes.home, homes.ann
    bens = sql(home, "SELECT max(id) FROM run WHERE owner = ?", BEN.id)[0][0]
    sql(home, "INSERT INTO reader VALUES (?, ?, 0, 0)", bens, ANN.id)
    with closing(sqlite3.connect(home / "lab.db")) as old, closing(sqlite3.connect(home / "lab.before-0005.db")) as new:
        old.execute("PRAGMA wal_checkpoint(PASSIVE)")  # so that both the file and its log have everything
        old.backup(new)
    monkeypatch.setenv("UNLEARN_KEEP_RUNS", "1")
    retention.carry_out(homes.server)
    disk_use.measure(homes.server)
    before, searched = others(home), search(home, MARK, ANN.id)
    assert len(searched) > 25 and {
        "lab.db",
        "lab.db-wal",
        "disk-use.json",
        "retention.json",
        "worker.log",
        "worker.log.1",
        "lab.before-0005.db",
    } <= {*searched}
    went = erase(ann)
    assert search(home, MARK, ANN.id) == []
    assert others(home) == before
    counts = {amount.title: amount.number for amount in went.amounts}
    assert counts[footprint.RUNS] == 7 and counts[footprint.SWEEPS] == 1 and counts[footprint.UPLOADS] == 3
    assert (counts[footprint.GOLDS], counts[footprint.ENSEMBLES], counts[footprint.TRAININGS]) == (2, 2, 1)
    assert (counts[footprint.CLASSIFIERS], counts[footprint.DATASETS], counts[footprint.EVALUATIONS]) == (2, 2, 1)
    assert (counts[erasure.LOG], counts[erasure.BUG_REPORTS], counts[erasure.NAME]) == (4, 2, 1)
    assert not went.staying
    assert sorted(path.name for path in (home / "errors").iterdir()) == ["2123abcd.txt"]
    log = (home / "worker.log").read_text()
    assert "started" in log and "stopped" in log and log.count("(deleted)") == 3
    assert not list((home / "requests").iterdir()) and not list((home / "evaluations").rglob("*.npy"))
    assert footprint.footprint(ann).amounts == [] and erase(ann).amounts == []


def test_what_goes_is_known_before(homes: Homes) -> None:
    before = contents(homes.home)
    found = footprint.footprint(homes.ann)
    assert contents(homes.home) == before, "it only looks"
    (runs,) = (amount for amount in found.amounts if amount.title == footprint.RUNS)
    folders = [homes.home / "runs" / str(run) for run in found.runs]
    assert runs.bytes == sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
    went = {amount.title: amount for amount in erase(homes.ann).amounts}
    assert all(went[amount.title] == amount for amount in found.amounts)


def test_nothing_of_others_goes(homes: Homes) -> None:
    before = contents(homes.home)
    assert footprint.footprint(homes.server.acting_as(BEN)).amounts[0].number == 1
    stranger = homes.server.acting_as(ANN._replace(id="c" * 20))
    assert erase(stranger).amounts == []
    assert contents(homes.home) == before


def test_what_others_use_stays_with_them(homes: Homes) -> None:
    server, home = homes.server, homes.home
    ben = server.acting_as(BEN)
    started = end(server, UnlearnSpec(request=OWN, method="other", params={}, start=homes.run), BEN.id)
    went = erase(homes.ann)
    assert next(run.id for run in server.list_runs(owner=BEN.id)) == started
    handed = ben.get(homes.run)
    assert handed.owner == BEN.id and handed.note == ""
    record = json.loads((home / "runs" / str(homes.run) / "run.json").read_text())
    assert record["owner"] == BEN.id and record["note"] == ""
    assert user_models.exists(LOWER) and (home / "datasets" / FACES / "card.json").exists()
    assert ben.items.own() == {Item("classifier", LOWER): {BEN.id}, Item("dataset", FACES): {BEN.id}}
    assert GoldStore(home).find(OWN, 0) is not None, "it is the one of Ben's run too"
    assert list((home / "evaluations").rglob("v1-eee*")), "and so are its outputs"
    assert any(f"Run {homes.run} stays" in sentence for sentence in went.staying) and len(went.staying) == 3
    assert search(home, ANN.id, "A note about") == []


def test_what_belongs_to_two_stays_with_the_other(homes: Homes) -> None:
    sql(homes.home, "INSERT INTO item VALUES ('dataset', ?, ?)", FACES, BEN.id)
    erase(homes.ann)
    assert homes.server.acting_as(BEN).items.own() == {Item("dataset", FACES): {BEN.id}}
    assert not user_models.exists(LOWER)


def test_the_operators_are_also_those_of_nobody_on_record(homes: Homes) -> None:
    sql(homes.home, "DELETE FROM item")
    ben = others(homes.home)[0]
    went = {amount.title: amount.number for amount in erase(homes.server.acting_as(OPERATOR)).amounts}
    assert footprint.RUNS not in went, "Ann's runs stay"
    assert went == {footprint.CLASSIFIERS: 1, footprint.DATASETS: 1}, "the others are used by Ann's runs"
    assert others(homes.home)[0] == ben


def test_running_runs_are_cancelled_first(homes: Homes) -> None:
    server, ann = homes.server, homes.ann
    queued, running = (ann.submit(spec(name=name), title=MARK) for name in ("first", "second"))
    claimed = server.execution.claim("w", device="cpu", kinds={"unlearn"})
    assert claimed is not None and claimed.id == queued
    with pytest.raises(StoreError, match=rf"Not all runs have ended.*\({queued}\)"):
        erase(ann, patience=0.2)
    assert server.get(running).state is RunState.CANCELLED and server.get(homes.run), "nothing was deleted yet"

    def stop() -> None:
        time.sleep(0.3)
        server.execution.mark_cancelled(queued, 1)

    worker = threading.Thread(target=stop)
    worker.start()
    erase(ann, patience=30)
    worker.join()
    assert search(homes.home, MARK, ANN.id) == []


def test_files_that_cannot_be_deleted_are_said_and_deleted_later(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    real, stubborn = Path.unlink, homes.home / "uploads" / f"{UPLOAD}-00000000.zip"

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path == stubborn:
            raise PermissionError(13, "Permission denied")
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(StoreError, match="1 files or folders could not be deleted"):
        erase(homes.ann)
    monkeypatch.undo()


def test_runs_that_others_joined_stay_with_them_and_joined_ones_are_left(homes: Homes) -> None:
    wanted = spec(joined=1)
    done = end(homes.server, wanted, ANN.id)
    waiting, theirs = spec(joined=2), spec(joined=3)
    ben = homes.server.acting_as(BEN)
    queued = homes.ann.submit_unique(waiting, title="Forget discs").run
    other = ben.submit_unique(theirs, title="Forget discs").run
    ben.submit_unique(waiting, title="Forget discs")
    homes.ann.submit_unique(theirs, title="Forget discs")
    with homes.server._database.writing() as connection:
        row = homes.server.access.row(connection, RUN, done)
        readers.join(connection, row, BEN.id, priority=0, now=time.time())
    assert any("stay" in sentence for sentence in footprint.footprint(homes.ann).staying)
    erase(homes.ann)
    assert [(run.id, run.owner) for run in ben.list_runs() if run.spec in (wanted, waiting, theirs)] == [
        (other, BEN.id),
        (queued, BEN.id),
        (done, BEN.id),
    ]
    assert ben.readers(other) == (True, 0)
    assert (homes.home / "runs" / str(done) / "report.json").exists()
    assert not sql(homes.home, "SELECT * FROM reader WHERE visitor = ?", ANN.id)
