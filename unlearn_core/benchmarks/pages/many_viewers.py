"""Many visitors at once, and what they met: how long pages took, how late updates came, what the server spent."""

import asyncio
import time
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from unlearn_core.benchmarks.pages.viewer import Viewer
from unlearn_core.benchmarks.pages.web_server import WebServer

APART = 0.1
"""Seconds between two arrivals."""
PATIENCE = 120.0
"""Seconds that a visitor waits for a page."""


class Opened(NamedTuple):
    """How a page opened for some visitors: seconds, kB for each, and the server's CPU seconds for each."""

    median: float
    largest: float
    kilobytes: float
    cpu: float


class Watched(NamedTuple):
    """How some visitors watched a page that updates itself.

    Seconds until it had opened; seconds from the request for an update to its whole answer; seconds between two
    updates; and of the server: its share of a core, MiB and open files. `work` is its profile.
    """

    viewers: int
    opened_median: float
    opened_largest: float
    update_median: float
    update_p95: float
    interval: float
    kilobytes_per_second: float
    cpu_share: float
    memory: float
    files: int
    work: dict[str, Any]


def open_page(server: WebServer, page: str, viewers: int) -> Opened:
    """Let so many visitors open a page one after another and leave. Raises RuntimeError if it fails for one."""
    visitors = [Viewer(server.url(page)) for _ in range(viewers)]
    before = server.report()
    asyncio.run(_arrive(visitors, 0.0))
    return _summary(visitors, before, server.report())


def open_repeatedly(server: WebServer, page: str, times: int) -> Opened:
    """Let a single visitor open a page so often, each time in a new visit. Raises RuntimeError if it fails."""
    visitors = [Viewer(server.url(page)) for _ in range(times)]
    before = server.report()
    for visitor in visitors:
        asyncio.run(_arrive([visitor], 0.0))
    return _summary(visitors, before, server.report())


def _summary(visitors: Sequence[Viewer], before: dict[str, Any], after: dict[str, Any]) -> Opened:
    seconds, count = _opened(visitors), len(visitors)
    kilobytes = sum(one.received for one in visitors) / count / 1000
    return Opened(median(seconds), seconds[-1], kilobytes, (after["cpu"] - before["cpu"]) / count)


def watch_page(server: WebServer, page: str, viewers: int, seconds: float) -> Watched:
    """Let so many visitors watch a page for so long. Raises RuntimeError if it fails for one, or never updates."""
    visitors = [Viewer(server.url(page)) for _ in range(viewers)]
    before = server.report()
    asyncio.run(_arrive(visitors, seconds))
    after = server.report()
    opened, late = _opened(visitors), sorted(second for one in visitors for second in one.late)
    if not late:
        raise RuntimeError(f"The page {page} never updated itself.")
    took = after["time"] - before["time"]
    return Watched(
        viewers,
        median(opened),
        opened[-1],
        median(late),
        late[int(0.95 * len(late))],
        median(one.interval for one in visitors),
        sum(one.received for one in visitors) / viewers / took / 1000,
        (after["cpu"] - before["cpu"]) / took,
        after["memory"],
        after["files"],
        after,
    )


def wander(server: WebServer, pages: Sequence[str], viewers: int, seconds: float, pause: float = 2.0) -> list[float]:
    """Let visitors open page after page, each in a new visit, and return the server's memory in MiB every 10 s."""

    async def visitor(place: int, end: float) -> None:
        while time.monotonic() < end:
            async with Viewer(server.url(pages[place % len(pages)])) as open_page:
                if open_page.opened is None:
                    raise RuntimeError(f"A page did not open: {open_page.errors}")
                await asyncio.sleep(pause)
            place += 1

    async def all_visitors() -> list[float]:
        end = time.monotonic() + seconds
        going = asyncio.gather(*(visitor(place, end) for place in range(viewers)))
        found = []
        while not going.done():
            found.append((await asyncio.to_thread(server.report))["memory"])
            await asyncio.wait((going,), timeout=10.0)
        await going
        return found

    return asyncio.run(all_visitors())


async def _arrive(visitors: Sequence[Viewer], seconds: float) -> None:
    async def one(number: int, visitor: Viewer) -> None:
        await asyncio.sleep(number * APART)
        if seconds:
            await visitor.watch(seconds)
        else:
            async with asyncio.timeout(PATIENCE), visitor:
                pass

    await asyncio.gather(*(one(number, visitor) for number, visitor in enumerate(visitors)))


def _opened(visitors: Sequence[Viewer]) -> list[float]:
    problems = sorted({problem for one in visitors for problem in one.errors})
    seconds = sorted(one.opened for one in visitors if one.opened is not None)
    if problems or len(seconds) < len(visitors):
        raise RuntimeError(f"{len(visitors) - len(seconds)} of {len(visitors)} did not see the page. {problems}")
    return seconds
