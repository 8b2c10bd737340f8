"""kill -9 of child, supervisor and web server at random moments, and what is left of the runs, files and processes.

`python -m tests.worker.faults.kills --kills 50` goes on where it was stopped: after each session of ten kills, with a
data folder of its own, one line is added to kills.jsonl. At the end it writes the table into docs/operations.md.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.browser.app_server import Served
from unlearn_core.benchmarks.pages.viewer import Viewer
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.run import Run, RunState
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.store.files import artifacts, reports
from unlearn_core.store.queue.run_store import RunStore

TARGETS = ("child", "supervisor", "web")
FIGURES = Path(__file__).with_suffix(".jsonl")
DOCS = Path(__file__).resolve().parents[3] / "docs" / "operations.md"
SESSION = 10
"""Kills with one data folder."""
METHODS = ("finetune", "unsir", "ssd", "random_labels")
WAITING = 4
"""Runs that always wait."""
PATIENCE = 300.0
"""Seconds after which a run counts as stuck."""
ENVIRONMENT = {"UNLEARN_PLUGINS": "unlearn_core.testing.tiny", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


class Kill(NamedTuple):
    """When a run was hit: seconds after its claim, its stage, and seconds until the next run was finished.

    For a supervisor these count from the start of the next one.
    """

    after: float
    stage: str
    recovery: float


class Lab:
    """A data folder with a worker, and a web server if that is what is killed."""

    def __init__(self, folder: Path, target: str) -> None:
        self.home, self.temp, self.target = folder / "home", folder / "tmp", target
        for path in (self.home, self.temp):
            path.mkdir()
        self.environment = os.environ | ENVIRONMENT | {"UNLEARN_HOME": str(self.home), "TMPDIR": str(self.temp)}
        self.store = RunStore(self.home)
        self.seed = 0
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.server = Served(self.home)
        self.server._env = self.environment | {"UNLEARN_WORKER": "auto"}

    def start_supervisor(self) -> None:
        with (self.home / "output.log").open("ab") as log:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "unlearn_core", "worker", "--device", "cpu"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> None:
        if self.target == "web":
            self.server.start()
        else:
            self.start_supervisor()

    def stop(self) -> None:
        command = [sys.executable, "-m", "unlearn_core", "worker", "--stop"]
        self.server.stop()

        def stopped() -> bool:
            """The last server may have started a worker that comes up only after another one was stopped."""
            subprocess.run(command, env=self.environment, check=False, capture_output=True, timeout=60)
            return not list(processes(str(self.home)))

        until(stopped, 90)
        if self.supervisor is not None:
            with suppress(subprocess.TimeoutExpired):
                self.supervisor.wait(60)
            self.supervisor.kill()
            self.supervisor.wait()

    def fill(self, waiting: int = WAITING) -> None:
        """Sees to it that so many runs wait, also if a page takes long to open."""
        for _ in range(waiting - len(self.store.list_runs(states=(RunState.QUEUED,)))):
            method = METHODS[self.seed % len(METHODS)]
            spec = run_spec("tiny", method=method, classes=["discs"], preset="bundled", seed=self.seed)
            self.store.submit(spec, title=f"{method} {self.seed}")
            self.seed += 1

    def finished(self, since: float = 0.0) -> list[float]:
        """When runs were finished after that time, in order."""
        runs = self.store.list_runs(states=(RunState.DONE, RunState.FAILED, RunState.CANCELLED), limit=None)
        return sorted(time for run in runs if run.finished and (time := run.finished.timestamp()) > since)

    def kill(self, victim: Run) -> tuple[float, Run, float]:
        """Kills, and starts again what does not come back by itself.

        Gives when it killed, the run as it was then, and the time from which the queue could go on.
        """
        match self.target:
            case "child":
                pid = busiest_child(self.environment["UNLEARN_HOME"])
                while any(run.deaths for run in running(self)):  # a second death would rightly fail it
                    time.sleep(0.02)
                    pid = busiest_child(self.environment["UNLEARN_HOME"])
                now, killed = self.store.get(victim.id), time.time()
                os.kill(pid, signal.SIGKILL)
                return killed, now, killed
            case "supervisor":
                assert self.supervisor is not None
                now, killed = self.store.get(victim.id), time.time()
                self.supervisor.kill()
                self.supervisor.wait()
                began = time.time()
                self.start_supervisor()
                return killed, now, began
            case _:
                asyncio.run(open_and(self.server.address(f"run?id={victim.id}"), self.server.kill))
                now, killed = self.store.get(victim.id), time.time()
                self.server.start()
                return killed, now, killed


async def open_and(url: str, act: Callable[[], None]) -> None:
    """Opens a page, acts while it is open, and leaves it."""
    viewer = Viewer(url)
    with suppress(Exception):  # the server goes away under it
        async with viewer:
            act()


def processes(home: str) -> Iterator[int]:
    """The live processes of a data folder, but for this one."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_zombie = (path / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if not is_zombie and f"UNLEARN_HOME={home}".encode() in (path / "environ").read_bytes().split(b"\0"):
                yield int(path.name)


def busiest_child(home: str) -> int:
    """The child that carries the run: the process of this lab, not the supervisor, that computes most just now."""

    def ticks() -> dict[int, int]:
        found: dict[int, int] = {}
        for pid in processes(home):
            with suppress(OSError):
                stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if b"unlearn_core\0worker" not in command and b"resource_tracker" not in command:
                    found[pid] = int(stat[11]) + int(stat[12])
        return found

    before = ticks()
    time.sleep(0.1)
    after = ticks()
    return max(after, key=lambda pid: after[pid] - before.get(pid, 0))


def until(true: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Waits for something to be true, and gives it; what it is at the end of its patience if it never is."""
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def session(target: str, kills: int, folder: Path, seed: int) -> dict[str, Any]:
    """Kills so often, lets the queue run empty, and gives what was seen, with a list of problems."""
    chance, lab, seen, problems = random.Random(f"{target} {seed}"), Lab(folder, target), [], []
    ended: dict[int, tuple[int, str]] = {}
    hit: set[int] = set()
    try:
        lab.fill()
        lab.start()
        if not until(lab.finished):
            raise RuntimeError(f"No run was finished:\n{(lab.home / 'output.log').read_text()[-3000:]}")
        for _ in range(kills):
            lab.fill()
            victim = until(lambda: next((run for run in running(lab) if run.id not in hit), None))
            if victim is None:
                problems.append("no run was running")
                break
            hit.add(victim.id)
            claimed = time.time()
            time.sleep(chance.uniform(0.0, span(lab)))
            killed, now, began = lab.kill(victim)
            later = until(lambda began=began: lab.fill() or lab.finished(began))
            if not later:
                problems.append(f"the queue stood still after run {victim.id} was hit")
                break
            stage = now.progress.stage if now.state is RunState.RUNNING and now.progress else now.state.value
            seen.append(Kill(round(killed - claimed, 2), stage, round(later[0] - began, 2)))
            problems += changed(lab, ended)
        if not until(lambda: not lab.store.list_runs(states=(RunState.QUEUED, RunState.RUNNING))):
            problems.append("runs are stuck")
        problems += changed(lab, ended)
        if not until(lambda: not half_written(lab.home), 30):
            problems.append(f"files are left: {half_written(lab.home)}")
    finally:
        lab.stop()
    problems += damage(lab)
    if not until(lambda: not list(processes(str(lab.home))), 30):
        problems.append(f"processes are left: {list(processes(str(lab.home)))}")
    runs = lab.store.list_runs(limit=None)
    counts = {state.value: sum(run.state is state for run in runs) for state in RunState}
    again = sum(run.attempt > 1 for run in runs)
    facts = {"target": target, "kills": seen, "runs": len(runs), "again": again} | counts
    return facts | {"problems": problems, "machine": machine()}


def running(lab: Lab) -> list[Run]:
    return lab.store.list_runs(kinds=("unlearn",), states=(RunState.RUNNING,))


def span(lab: Lab) -> float:
    """A little more than a run takes here now."""
    runs = lab.store.list_runs(states=(RunState.DONE,), limit=10)
    took = [(run.finished - run.started).total_seconds() for run in runs if run.started and run.finished]
    return min(5.0, 1.2 * median(took)) if took else 1.0


def changed(lab: Lab, ended: dict[int, tuple[int, str]]) -> list[str]:
    """What is wrong with runs that have ended: they failed, or are no longer what they were."""
    problems = []
    for run in lab.store.list_runs(limit=None):
        was = ended.get(run.id)
        now = (run.attempt, f"{run.state} {run.finished}")
        if was is not None and was != now:
            problems.append(f"run {run.id} was over and is computed again")
        elif was is None and run.state.is_finished:
            ended[run.id] = now
            problems += [] if run.state is RunState.DONE else [f"run {run.id} is {run.state}: {run.error}"]
    return problems


def half_written(home: Path) -> list[str]:
    return [str(path.relative_to(home)) for path in home.rglob(".*") if re.fullmatch(r"\..+\.[a-z0-9_]{8}", path.name)]


def damage(lab: Lab) -> list[str]:
    """What is wrong with reports, database and folders once everything is stopped."""
    problems = []
    for run in lab.store.list_runs(states=(RunState.DONE,), limit=None):
        try:
            report, folder = reports.read(lab.home, run.id), artifacts.run_dir(lab.home, run.id)
            if report.lost or report.pending or set(report.parts) != set(artifacts.list_parts(folder)):
                problems.append(f"the report of run {run.id} is not whole")
            if not artifacts.is_unlearned(folder):
                problems.append(f"run {run.id} has no weights")
        except UnlearnError as problem:
            problems.append(str(problem))
    with closing(sqlite3.connect(lab.home / "lab.db")) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
        problems += [] if found == "ok" else [f"the database: {found}"]
    left = [path.name for path in lab.temp.iterdir() if not path.name.startswith("torchinductor_")]
    marks = [path.name for path in (lab.home / "locks").glob("web-*")] if lab.target != "web" else []
    return problems + [f"left behind: {name}" for name in (*left, *marks)]


def machine() -> str:
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    name = model[1].strip() if model else platform.machine()
    return f"{len(os.sched_getaffinity(0))} cores ({name}), Python {platform.python_version()}, {platform.system()}"


def summary(lines: list[dict[str, Any]]) -> list[str]:
    """The table of docs/operations.md."""
    table = [
        "| killed | kills | runs | done | run again | lost, stuck, damaged, left behind | next run finished after, s |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for target in TARGETS:
        own = [line for line in lines if line["target"] == target]
        if not own:
            continue
        seconds = sorted(kill[2] for line in own for kill in line["kills"])
        counts = [sum(line[name] for line in own) for name in ("runs", "done", "again")]
        problems = sum(len(line["problems"]) for line in own)
        times = f"median {median(seconds):.1f}, nine of ten within {seconds[int(0.9 * (len(seconds) - 1))]:.1f}"
        table.append(f"| {target} | {len(seconds)} | {' | '.join(map(str, counts))} | {problems} | {times} |")
    return [*table, "", f"Measured on {', '.join(sorted({line['machine'] for line in lines}))}."]


def write_docs(lines: list[dict[str, Any]]) -> None:
    """Replaces the table."""
    text = DOCS.read_text()
    start, end = text.index("| killed |"), text.index("\n", text.index("Measured on ", text.index("| killed |")))
    DOCS.write_text(text[:start] + "\n".join(summary(lines)) + text[end:])


def read_lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FIGURES.read_text().splitlines()] if FIGURES.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="so many of each")
    parser.add_argument("--only", choices=TARGETS, action="append")
    args = parser.parse_args()
    os.environ |= ENVIRONMENT | {"UNLEARN_WORKER": "none"}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what it started is stopped
    for target in args.only or TARGETS:
        while (made := sum(len(line["kills"]) for line in read_lines() if line["target"] == target)) < args.kills:
            with ExitStack() as stack:
                folder = Path(tempfile.mkdtemp(prefix="kills-"))
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
                line = session(target, min(SESSION, args.kills - made), folder, made)
                with FIGURES.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(target, made + len(line["kills"]), line["problems"] or "nothing wrong", flush=True)
    write_docs(read_lines())
    print("\n".join(summary(read_lines())))


if __name__ == "__main__":
    main()
