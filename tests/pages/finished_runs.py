"""Data folders that already hold runs: made once by the real engine, then copied for each test."""

import json
import shutil
from pathlib import Path

import pytest

from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.run import CurvePoint, Phase, Progress, Run
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import unlearn
from unlearn_core.store.files import artifacts
from unlearn_core.store.queue.run_store import RunStore

CLASS, PICTURES = 1, 2
"""The runs in that folder: discs forgotten by UNSIR, with its gold; three images by fine-tuning, without one."""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two finished runs; nobody may write to it."""
    folder = tmp_path_factory.mktemp("template")
    unlearn(by_class(), device="cpu", data_dir=folder)
    unlearn(by_picture(), device="cpu", data_dir=folder)
    return folder


@pytest.fixture
def done(template: Path, home: Path) -> RunStore:
    """The store of a copy of it, which the pages under test see."""
    shutil.copytree(template, home, dirs_exist_ok=True)
    return RunStore(home)


def made_again(store: RunStore, again: int = CLASS, spec: UnlearnSpec | None = None) -> int:
    """Another finished run with the report of that one, as if it had been made with this spec."""
    run = store.get(again)
    new = run.spec if spec is None else spec
    number = store.execution.register_running(new, title=run.title, device="cpu")
    shutil.copytree(store.data_dir / "runs" / str(again), store.data_dir / "runs" / str(number), dirs_exist_ok=True)
    head = store.data_dir / "runs" / str(number) / artifacts.REPORT_FILE
    head.write_text(json.dumps(json.loads(head.read_text()) | {"run": number, "spec": new.model_dump(mode="json")}))
    store.execution.finish(number, 1, metrics=run.metrics)
    return number


def by_class(name: str = "discs") -> UnlearnSpec:
    return run_spec("tiny", method="unsir", classes=[name], preset="bundled")


def by_picture() -> UnlearnSpec:
    return run_spec("tiny", method="finetune", images=[3, 7, 11], preset="bundled")


def started(store: RunStore, *, kinds: frozenset[str] = frozenset({"unlearn"})) -> Run:
    """The next run of these kinds, claimed as a worker does."""
    run = store.execution.claim("a worker", device="cpu", kinds=set(kinds))
    assert run is not None
    return run


def advance(store: RunStore, run: Run, done: int, *, doing: str = "impair") -> None:
    """Says that so many of ten steps of the second of three phases are made, a tenth of a second each."""
    phases = (Phase("noise", 10, 10, 1.9), Phase("impair", 10, done, done / 10), Phase("repair", 20, 0, 0.0))
    points = [CurvePoint(10 + done, 1.9 + done / 10, "impair", 0.5, 0.8)]
    store.execution.heartbeat(run.id, run.attempt, progress=Progress(phases, doing, 812.4), points=points)
