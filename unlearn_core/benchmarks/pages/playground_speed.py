"""Measures the playground: `python -m unlearn_core.benchmarks.pages.playground_speed`, which writes docs/playground.md.

It takes about eight minutes. A visitor without a browser opens the page by Streamlit's own protocol, changes the points
to forget as a lasso does, and fetches the frames as the page's script does. `--quick` measures some of it in a minute.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple

from unlearn_core.benchmarks.pages import page_tables, playground_page
from unlearn_core.benchmarks.pages.bench_pages import run_in_progress, wait_until
from unlearn_core.benchmarks.pages.viewer import Viewer
from unlearn_core.benchmarks.pages.web_server import WebServer
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.installation import ROOT, require_checkout
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.playground.playground_state import pack_points

DOCS = ROOT / "docs" / "playground.md"
VISITORS, EVERY, MINUTES = 30, 90.0, 3.0
METHODS = ("l2ul", "ssd", "finetune", "random_labels", "neggrad", "salun")
"""The methods of the visitors, in turn; retrained models do not depend on them."""
PATIENCE = 120.0


class Lasso(NamedTuple):
    """Seconds from a lasso to the first frames, and to those of the retrained model; an error if there was one."""

    moved: float
    compared: float
    error: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer lassos and five visitors")
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="the page to write (docs/playground.md)")
    args = parser.parse_args()
    if args.out is None:
        require_checkout("This measurement")
    load, count, turns = os.getloadavg()[0], 5 if args.quick else VISITORS, 3 if args.quick else 12
    rows: dict[str, Sequence[Lasso]] = {}
    with tempfile.TemporaryDirectory(prefix="unlearn-bench-playground-") as folder, WebServer(Path(folder)) as server:
        store = RunStore(Path(folder))
        wait_until(lambda: any(worker.state == "idle" for worker in store.workers()), "The worker does not start.")
        scene = asyncio.run(visit(server, 0, [0.0]))  # The first visit imports torch.
        print("the first visit:", scene, flush=True)
        rows["one visitor"] = asyncio.run(visit(server, 1, [0.0] * turns))
        with run_in_progress(store):
            rows["one visitor beside an image run"] = asyncio.run(visit(server, 2, [0.0] * turns))
            rows[f"{count} visitors at once, beside it"] = asyncio.run(many_visits(server, count, at_once=True))
            if not args.quick:
                title = f"{count} visitors, each every {EVERY:g} s for {MINUTES:g} minutes, beside it"
                rows[title] = asyncio.run(many_visits(server, count, at_once=False))
    for name, lassos in rows.items():
        print(name, told(lassos), flush=True)
    machine = f"{page_tables.machine(load)} The load at its end was {os.getloadavg()[0]:.1f}, its own part included."
    page = playground_page.page({name: told(lassos) for name, lassos in rows.items()}, machine)
    atomic_write(args.out or DOCS, page.encode())
    return 0


async def many_visits(server: WebServer, count: int, *, at_once: bool) -> list[Lasso]:
    """The lassos of many visitors: one each at the same moment, or each of them at random moments."""
    dice = random.Random(count)
    pauses = [
        [0.0]
        if at_once
        else [dice.uniform(0, EVERY), *[EVERY * dice.uniform(0.8, 1.2)] * (round(60 * MINUTES / EVERY) - 1)]
        for _ in range(count)
    ]
    # Each visitor waits for two answers at once, and the usual pool has few threads.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2 * count))
    found = await asyncio.gather(
        *(visit(server, 1000 * (1 + at_once) + number, own) for number, own in enumerate(pauses))
    )
    return [lasso for lassos in found for lasso in lassos]


async def visit(server: WebServer, seed: int, pauses: Sequence[float]) -> list[Lasso]:
    """Open the page, and circle other points after each of these pauses (seconds)."""
    dice, found = random.Random(seed), []
    method = METHODS[seed % len(METHODS)]
    async with Viewer(server.url(f"playground?data=moons&method={method}")) as viewer:
        for pause in pauses:
            await asyncio.sleep(pause)
            found.append(await _lasso(server, viewer, method, dice))
        return [*found, *(Lasso(PATIENCE, PATIENCE, error) for error in viewer.errors)]


async def _lasso(server: WebServer, viewer: Viewer, method: str, dice: random.Random) -> Lasso:
    points = tuple(sorted(dice.sample(range(1200), dice.randint(20, 60))))
    began = time.monotonic()
    await viewer.go(server.url(f"playground?data=moons&method={method}&points={pack_points(points)}"))
    urls = json.loads(viewer.components["playground"])["urls"]
    retrained = asyncio.create_task(asyncio.to_thread(_fetch, server, urls["retrained"]))
    error = await asyncio.to_thread(_fetch, server, urls["unlearned"])
    moved = time.monotonic() - began
    return Lasso(moved, 0.0, error)._replace(error=error or await retrained, compared=time.monotonic() - began)


def _fetch(server: WebServer, path: str) -> str:
    """Fetch frames, again while the server says that others are ahead; return an error, or "" if they came."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with urllib.request.urlopen(server.url(path.lstrip("/")), timeout=PATIENCE) as answer:
            found = json.loads(answer.read())
            if answer.status != 202:
                return found.get("error", "")
    return "The frames did not come."


def told(lassos: Sequence[Lasso]) -> playground_page.Row:
    """The figures of a row: lassos, medians and slowest, and errors."""
    moved, compared = ([getattr(one, name) for one in lassos] for name in ("moved", "compared"))
    errors = sum(bool(one.error) for one in lassos)
    return playground_page.Row(len(lassos), median(moved), max(moved), median(compared), max(compared), errors)


if __name__ == "__main__":
    raise SystemExit(main())
