"""Work for a worker that takes no torch: what a run does is told by its parameters."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from unlearn_core.domain.errors import CancelledError, InvalidRequestError, PreemptedError
from unlearn_core.domain.jobs import ExplainSpec, ImportDatasetSpec, MeasureSpec, TrainGoldSpec, UnlearnSpec
from unlearn_core.domain.results.metrics import RunMetrics
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.domain.run import CurvePoint, Phase, Progress, Run
from unlearn_core.engine.listener import RunListener

EPOCHS = 8


class ModelCache:
    """Counts what its process has done."""

    def __init__(self, device: str, home: Path) -> None:
        self.device, self.home, self.runs = device, home, 0

    def prepare(self) -> None:
        """Has nothing to load."""


def prepare_points(cache: ModelCache) -> None:
    """Has nothing to load."""


def stackable_params(device: str) -> dict[str, frozenset[str]]:
    return {}


def longest_silence(run: Run, warm: ModelCache) -> float | None:
    """As if by a forecast."""
    return run.spec.params.get("forecast") if isinstance(run.spec, UnlearnSpec) else None


def execute_job(run: Run, warm: ModelCache, listener: RunListener) -> RunMetrics:
    return RunMetrics.model_validate(_work(run, warm, listener))


def _work(run: Run, warm: ModelCache, listener: RunListener) -> dict[str, Any]:
    warm.runs += 1
    facts = {"pid": os.getpid(), "runs": warm.runs, "device": warm.device}
    match run.spec:
        case ExplainSpec() | ImportDatasetSpec() | PointsSpec():
            return facts
        case TrainGoldSpec():
            return facts | _gold(run, warm.home, listener)
        case MeasureSpec():
            return {"gold": "measured"}
    assert isinstance(run.spec, UnlearnSpec)
    params = {name: value for name, value in run.spec.params.items() if name != "forecast"}
    return facts | (globals()[f"_{params.pop('do')}"](run, warm, listener, **params) or {})


def _steps(run: Run, warm: ModelCache, listener: RunListener, *, steps: int, pause: float = 0.01) -> None:
    _sign(run, warm)
    for step in range(1, steps + 1):
        listener.check()
        time.sleep(pause)
        listener.point(CurvePoint(step, step * pause, "walk", 0.5, 0.9))
        listener.progress(Progress((Phase("walk", steps, step, step * pause),), "walk", 100.0))


def _await(run: Run, warm: ModelCache, listener: RunListener) -> None:
    """Is busy until the test has made a file."""
    _sign(run, warm)
    while not (warm.home / f"enough-{run.id}").exists():
        listener.check()
        time.sleep(0.01)


def _deaf(run: Run, warm: ModelCache, listener: RunListener) -> None:
    """Catches whatever tells it to stop."""
    _sign(run, warm)
    while True:
        with suppress(CancelledError):
            listener.check()
        time.sleep(0.01)


def _silent(run: Run, warm: ModelCache, listener: RunListener, *, steps: int = 1) -> None:
    """Makes so many steps, then none for an hour."""
    _steps(run, warm, listener, steps=steps)
    time.sleep(3600)


def _memory(run: Run, warm: ModelCache, listener: RunListener, *, mebibytes: int) -> None:
    """Uses so much memory."""
    bytes(mebibytes << 20)


def _leak(
    run: Run, warm: ModelCache, listener: RunListener, *, die: bool = False, stay: bool = False
) -> dict[str, Any]:
    """Starts a process in a session of its own, which starts another one, and ends neither."""
    script = "sleep 300 & echo $! ; exec sleep 300"
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True, text=True)
    assert process.stdout is not None
    pids = [process.pid, int(process.stdout.readline())]
    (warm.home / f"leaked-{run.id}-{run.attempt}").write_text(json.dumps(pids))
    if die and run.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if stay and run.attempt == 1:
        _await(run, warm, listener)
    return {"leaked": pids}


def _hang(run: Run, warm: ModelCache, listener: RunListener) -> None:
    """Keeps the interpreter to itself at the first attempt, so that no thread of this process can do anything."""
    _sign(run, warm)
    if run.attempt == 1:
        re.match(r"(a*)*b", "a" * 60)


def _die(run: Run, warm: ModelCache, listener: RunListener, *, times: int, number: int = signal.SIGKILL) -> None:
    if run.attempt <= times:
        os.kill(os.getpid(), number)


def _exit(run: Run, warm: ModelCache, listener: RunListener) -> None:
    sys.exit(3)


def _fail(run: Run, warm: ModelCache, listener: RunListener, *, kind: str) -> dict[str, Any] | None:
    if kind == "ours":
        raise InvalidRequestError("There is nothing to forget: choose a class.")
    if kind == "theirs":
        raise ValueError("shapes do not match")
    if kind == "memory":
        raise OutOfMemoryError(
            "CUDA out of memory. Tried to allocate 2.00 GiB. "
            "GPU 0 has a total capacity of 79 GiB of which 1.20 GiB is free."
        )
    return {"unheard of": object()}


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


def _gold(run: Run, home: Path, listener: RunListener) -> dict[str, Any]:
    """Epochs that are made once each, whoever interrupts."""
    file = home / "epochs.json"
    made = json.loads(file.read_text()) if file.exists() else []
    for epoch in range(len(made), EPOCHS):
        listener.check()
        time.sleep(0.05)
        made.append((epoch, run.attempt))
        file.write_text(json.dumps(made))
        # The first attempt does not reach its end, however slow the test is to interrupt it.
        while epoch + 1 < EPOCHS and (listener.should_yield() or (run.attempt == 1 and epoch + 2 == EPOCHS)):
            if listener.should_yield():
                raise PreemptedError("Stopped for something more urgent.")
            time.sleep(0.01)
    return {"epochs": [epoch for epoch, _ in made], "attempts": [attempt for _, attempt in made]}


def _sign(run: Run, warm: ModelCache) -> None:
    """Leaves a sign that the run has begun, and where."""
    (warm.home / f"began-{run.id}-{run.attempt}").write_text(str(os.getpid()))
