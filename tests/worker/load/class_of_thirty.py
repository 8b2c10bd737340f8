"""Thirty visitors with identities of their own, without browsers: they act every ten seconds, or watch the live run."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import httpx
from websockets import WebSocketException

from tests.browser.access.forged_client import visitor_cookies
from tests.browser.app_server import Served
from tests.worker.faults import kills
from tests.worker.load.process_usage import UsageLog, not_flat
from unlearn_core.benchmarks.pages.viewer import Viewer, cookie_header
from unlearn_core.data import datasets
from unlearn_core.domain.run import RunState
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.store.access.identity_key import IdentityKey, identity_key
from unlearn_core.store.queue.run_store import RunStore

VISITORS, WATCHERS = 30, 10
EVERY = 10.0
"""Seconds from one action of a visitor to the next."""
PATIENCE = 60.0
"""Seconds after which an action counts as failed."""
WARM_UP = 120.0
"""Seconds after which memory counts; less if the whole is shorter than three minutes."""
SAMPLES = 1.0
"""Seconds between two samples of memory."""
LIVE_EPOCHS = 6
"""Of each run of the lecturer, which keep the worker busy to the end: about a minute on one core; of the first, one."""
THREADS = "1"
"""Of the worker, so that the pages have the other of two cores."""


class Action(NamedTuple):
    """What a visitor did, and the seconds until the page was complete."""

    name: str
    seconds: float


class Room:
    """What all visitors share: the server, its runs, and what was seen."""

    def __init__(self, home: Path, seconds: float) -> None:
        home.mkdir(parents=True)
        self.store, self.seconds = RunStore(home), seconds
        self.server = Served(home, plugins="")
        self.server._env |= {"OMP_NUM_THREADS": THREADS, "CUDA_VISIBLE_DEVICES": ""}
        self.usage = UsageLog(home)
        self.actions: list[Action] = []
        self.updates: list[float] = []
        self.errors: list[str] = []
        self.end = 0.0

    @property
    def home(self) -> Path:
        return self.server.home

    def done(self) -> float:
        """How much of the time is over, from 0 to 1."""
        return min(1.0, 1 - (self.end - time.monotonic()) / self.seconds)

    def live(self) -> int:
        """The run that is computed now, else the last one."""
        running = self.store.list_runs(kinds=("unlearn",), states=(RunState.RUNNING,))
        return running[0].id if running else self.store.list_runs(kinds=("unlearn",), limit=1)[0].id

    def finished(self, dice: random.Random) -> str:
        """The address of some finished report; the bundled example while there is no other."""
        runs = self.store.list_runs(kinds=("unlearn",), states=(RunState.DONE,), limit=None)
        return f"run?id={dice.choice(runs).id if runs else 'example'}"

    async def time_action(self, name: str, acting: Awaitable[object]) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                await acting
        except (OSError, KeyError, WebSocketException) as problem:  # such as no answer in time, or no such button
            self.errors.append(f"{name}: {problem!r}"[:200])
        else:
            self.actions.append(Action(name, time.monotonic() - began))


class Visitor:
    """One of those who act: start page, forget page, a tick, method page, Run, a finished report, and again."""

    def __init__(self, room: Room, key: IdentityKey, number: int) -> None:
        self.room, self.dice = room, random.Random(number)
        self.cookies = visitor_cookies(key, f"{number:020x}")
        self.names = datasets.card("cifar10-sample").classes
        self.seen: set[str] = set()

    async def stay(self) -> None:
        """Come within the first ten seconds, and act to the end; each round is a new visit."""
        due = time.monotonic() + self.dice.uniform(0, EVERY)
        await asyncio.sleep(due - time.monotonic())
        while time.monotonic() < self.room.end:
            viewer = Viewer(self.room.server.address(), self.cookies)
            try:
                for name, act in self._round(viewer):
                    await self.room.time_action(name, act())
                    await self._load_images(viewer)
                    due += EVERY
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    if time.monotonic() >= self.room.end:
                        break
            finally:
                self.room.errors += viewer.errors
                self.room.updates += viewer.late
                with suppress(AttributeError, OSError, WebSocketException):  # It never opened, or is closed already.
                    await viewer.__aexit__()

    def _round(self, viewer: Viewer) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
        address, number = self.room.server.address, self.dice.randrange(len(self.names))
        return [
            ("start", viewer.__aenter__),
            ("forget", lambda: viewer.open_page(address("forget?forget="))),
            ("tick", lambda: viewer.tick(f"class-cifar10-sample-{number}", value=True)),
            ("method", lambda: viewer.press("strip-method")),
            ("Run", lambda: viewer.press("strip-run")),
            ("report", lambda: viewer.open_page(address(self.room.finished(self.dice)))),
        ]

    async def _load_images(self, viewer: Viewer) -> None:
        """Fetch the page itself and its images, as a browser does that keeps them."""
        wanted, self.seen = {"/", *viewer.images - self.seen}, self.seen | viewer.images
        async with httpx.AsyncClient(headers={"Cookie": cookie_header(self.cookies)}, timeout=PATIENCE) as client:
            for path in sorted(wanted):
                try:
                    status = (await client.get(self.room.server.address(path.lstrip("/")))).status_code
                except httpx.HTTPError as problem:
                    self.room.errors.append(f"{path}: {problem!r}"[:200])
                else:
                    self.room.errors += [] if status == 200 else [f"{path.partition('?')[0]}: status {status}"]


async def watch(room: Room, key: IdentityKey, number: int) -> None:
    """Watch the run that is computed; once it is over, the next one."""
    await asyncio.sleep(random.Random(number).uniform(0, EVERY))
    run = room.live()
    async with Viewer(room.server.address(f"run?id={run}"), visitor_cookies(key, f"{number:020x}")) as viewer:
        while time.monotonic() < room.end:
            await asyncio.sleep(EVERY)
            if room.store.get(run).state.is_finished and (now := room.live()) != run:
                run = now
                await room.time_action("next run", viewer.open_page(room.server.address(f"run?id={run}")))
        room.errors += viewer.errors
        room.updates += viewer.late


async def keep_busy(room: Room) -> None:
    """The lecturer's runs: there is always one that waits or is computed."""
    seed = 1
    while time.monotonic() < room.end:
        unfinished = room.store.list_runs(states=(RunState.QUEUED, RunState.RUNNING), owner="local")
        if not unfinished:
            submit_live(room, seed, LIVE_EPOCHS)
            seed += 1
        room.usage.sample(room.done())
        await asyncio.sleep(SAMPLES)


def submit_live(room: Room, seed: int, epochs: int) -> int:
    spec = run_spec("resnet20", method="finetune", classes=["cat"], seed=seed)
    spec = spec.model_copy(update={"params": {**spec.params, "epochs": epochs}})
    return room.store.submit(spec, title=f"Live run {seed}", owner="local")


async def _first_run(room: Room) -> None:
    """Let the worker start and make a run, with all that is loaded once, before the class comes."""
    run = submit_live(room, 0, 1)
    async with asyncio.timeout(kills.PATIENCE), Viewer(room.server.address(f"run?id={run}")):
        while not room.store.get(run).state.is_finished:
            await asyncio.sleep(SAMPLES)


async def _all(room: Room) -> None:
    key = identity_key(room.home)
    room.end = time.monotonic() + room.seconds
    busy = asyncio.create_task(keep_busy(room))
    await asyncio.sleep(1.0)
    visitors = [Visitor(room, key, number) for number in range(1, VISITORS - WATCHERS + 1)]
    watchers = [watch(room, key, 100 + number) for number in range(WATCHERS)]
    await asyncio.gather(busy, *(visitor.stay() for visitor in visitors), *watchers)


def session(minutes: float, folder: Path) -> dict[str, Any]:
    """Let the class act for so long, and return what was measured, with a list of problems."""
    room = Room(folder / "home", 60 * minutes)
    with room.server:
        asyncio.run(_first_run(room))
        cpu = time.process_time()
        asyncio.run(_all(room))
        clients = (time.process_time() - cpu) / room.seconds
        for run in room.store.list_runs(states=(RunState.QUEUED, RunState.RUNNING), limit=None):
            room.store.cancel(run.id)
    warm_up = min(WARM_UP, 2 / 3 * room.seconds) / room.seconds
    usage = room.usage.windows(warm_up, max(2, round(minutes * (1 - warm_up))))
    return {
        "kind": "class",
        "minutes": minutes,
        "visitors": VISITORS,
        "watchers": WATCHERS,
        "actions": _by_name(room.actions),
        "updates": _quantiles(room.updates),
        "runs": _runs(room),
        "usage": usage,
        "client_cores": round(clients, 2),
        "other_cores": room.usage.other_cores,
        "problems": sorted({*room.errors, *_left(room), *not_flat(usage)}),
        "machine": kills.machine(),
    }


def _left(room: Room) -> list[str]:
    """What went wrong unseen, and what is left when server and worker have ended."""
    failed = room.store.list_runs(states=(RunState.FAILED,), limit=None)
    reports = sorted((room.home / "errors").glob("*.txt"))
    found = [f"run {run.id} failed: {run.error}" for run in failed] + [f"bug report: {path.name}" for path in reports]
    logs = {name: (room.home / name).read_text() for name in ("server.log", "worker.log")}
    found += [f"{name}: {text.partition('Traceback')[2][:300]}" for name, text in logs.items() if "Traceback" in text]
    if not kills.until(lambda: not list(kills.processes(str(room.home))), 30):
        found.append(f"processes are left: {list(kills.processes(str(room.home)))}")
    return found + [f"left behind: {path}" for path in kills.half_written(room.home)]


def _runs(room: Room) -> dict[str, int]:
    """How often visitors pressed Run, and how many runs were made for it: the others joined one, or it was done."""
    theirs = [run for run in room.store.list_runs(kinds=("unlearn",), limit=None) if run.owner != "local"]
    pressed = sum(action.name == "Run" for action in room.actions)
    live = len(room.store.list_runs(kinds=("unlearn",), owner="local", limit=None))
    return {"pressed": pressed, "made": len(theirs), "live": live}


def _by_name(actions: list[Action]) -> dict[str, list[float]]:
    names = dict.fromkeys(action.name for action in actions)
    found = {name: _quantiles([action.seconds for action in actions if action.name == name]) for name in names}
    return {"all": _quantiles([action.seconds for action in actions])} | found


def _quantiles(seconds: list[float]) -> list[float]:
    """How many there are, their median, 95th percentile and largest."""
    ordered = sorted(seconds) or [0.0]
    return [
        len(seconds),
        *(round(value, 2) for value in (median(ordered), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1])),
    ]
