"""`make bench-pages`: measures every page for few and many visitors, and writes docs/pages.md."""

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote_plus

from unlearn_core.benchmarks.pages import page_tables
from unlearn_core.benchmarks.pages.example_data import REPORTS, ExampleData
from unlearn_core.benchmarks.pages.many_viewers import Opened, open_page, open_repeatedly, wander, watch_page
from unlearn_core.benchmarks.pages.web_server import WebServer
from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.installation import ROOT, require_checkout
from unlearn_core.store.queue.run_store import RunStore

DOCS = ROOT / "docs" / "pages.md"
VIEWERS = (1, 10, 30)
OPENINGS = 5
"""How often a single visitor opens a page, one opening after another."""
SHORT_HISTORY, QUICK_HISTORY = 100, 500
"""Runs in the short history, and in the long one of a quick measurement."""
WANDERERS = 10
"""Visitors who open report after report while memory is measured."""
BUSY_RUNS = 4
"""Runs that keep the worker busy, each for minutes."""
WAIT_SECONDS = 120.0
"""Seconds that a worker may take to begin with a run."""

HISTORY = "history?whose=all"
"""A new visitor has no runs, and would see an empty list."""
TABS = {
    f"report, {tab}": f"run?id=1&tab={quote_plus(tab)}"
    for tab in ("Images", "Classes", "Privacy", "Inside", "How it went", "Details")
}
"""The report's sections but the first, which are opened by single visitors only: for many, the first one speaks."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="four pages and few visitors, within a minute")
    parser.add_argument("--runs", type=int, default=5_000, metavar="N", help="runs in the long history (5000)")
    parser.add_argument("--trials", type=int, default=500, metavar="N", help="trials of the sweep (500)")
    parser.add_argument("--browser", action="store_true", help="measure in Chromium too")
    parser.add_argument("--memory", type=float, default=0, metavar="MINUTES", help="measure memory too, for so long")
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="the page to write (docs/pages.md)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-pages", description=__doc__)
    arguments(parser)
    args = parser.parse_args()
    if args.browser and find_spec("playwright") is None:
        parser.error("--browser needs Playwright: pip install -r requirements-dev.txt")
    if args.out is None:
        require_checkout("make bench-pages")
        args.out = DOCS
    with tempfile.TemporaryDirectory(prefix="unlearn-bench-pages-") as folder:
        measure(args, Path(folder))
    return 0


def measure(args: argparse.Namespace, home: Path) -> None:
    """Measure in a new data folder, print the tables, and write the page."""
    load, viewers = os.getloadavg()[0], (1, 5) if args.quick else VIEWERS
    data = ExampleData(home)
    many = QUICK_HISTORY if args.quick else args.runs
    data.add_runs(SHORT_HISTORY)
    pages = _pages(data.add_sweep(args.trials), quick=args.quick)
    openings: dict[str, dict[page_tables.Case, Opened]] = defaultdict(dict)
    began = time.monotonic()
    with WebServer(home) as server:
        open_page(server, "", 1)
        start_seconds = time.monotonic() - began
        for page in pages.values():  # What a server does only once is not measured.
            open_page(server, page, 2)
        wait_until(lambda: any(worker.state == "idle" for worker in data.store.workers()), "The worker does not start.")
        _open_all(server, {f"history, {SHORT_HISTORY} runs": HISTORY}, viewers, openings, busy=False)
        data.add_runs(many - SHORT_HISTORY)
        pages[f"history, {many:,} runs"] = HISTORY
        open_page(server, HISTORY, 2)
        _open_all(server, pages, viewers, openings, busy=False)
        with run_in_progress(data.store):
            _open_all(server, pages, viewers, openings, busy=True)
        with run_in_progress(data.store) as run:
            seconds = 6.0 if args.quick else 20.0
            watched = [watch_page(server, f"run?id={run}", count, seconds) for count in viewers]
            place = page_tables.machine(load)
        on_request = [*_sections(server, pages, args)]
    text = page_tables.page(place, start_seconds, openings, watched, on_request=on_request)
    print(text)
    atomic_write(args.out, text.encode())


def _sections(server: WebServer, pages: Mapping[str, str], args: argparse.Namespace) -> Iterator[str]:
    """Yield the sections that are measured on request, or what they were before."""
    former = args.out.read_text() if args.out.exists() else ""
    if args.browser:
        from unlearn_core.benchmarks.pages import in_browser

        yield page_tables.browser_section(in_browser.measure(server, pages))
    else:
        yield page_tables.former_section(former, page_tables.BROWSER)
    if args.memory:
        reports = [f"run?id={number}" for number in range(1, REPORTS + 1)]
        found = wander(server, reports, WANDERERS, 60 * args.memory)
        yield page_tables.memory_section(found, WANDERERS, args.memory)
    else:
        yield page_tables.former_section(former, page_tables.MEMORY)


def _pages(sweep: int, *, quick: bool) -> dict[str, str]:
    """Return the paths of the pages by their names in the table."""
    few = {"start": "", "method": "method?forget=cat", "report": "run?id=1"}
    if quick:
        return few
    return few | {
        "classifier": "classifier",
        "forget": "forget?forget=cat",
        **TABS,
        "compare": "compare?ids=1,2,3,4",
        "sweep": f"sweep?sweep={sweep}",
        "datasets": "datasets",
        "measures": "measures",
    }


def _open_all(
    server: WebServer,
    pages: Mapping[str, str],
    viewers: Sequence[int],
    openings: dict[str, dict[page_tables.Case, Opened]],
    *,
    busy: bool,
) -> None:
    for title, page in pages.items():
        for count in viewers if title not in TABS else viewers[:1]:
            found = open_page(server, page, count) if count > 1 else open_repeatedly(server, page, OPENINGS)
            openings[title][busy, count] = found
            beside = " beside a run" if busy else ""
            print(
                f"{title}, visitors: {count}{beside}: {found.median:.2f} s, largest {found.largest:.2f} s", flush=True
            )


@contextmanager
def run_in_progress(store: RunStore) -> Iterator[int]:
    """A run of minutes, and others behind it, so that the worker is busy; they are cancelled at the end."""
    spec, title = run_spec("resnet20", method="retrain", classes=["cat"]), "Forget cat with Retrain"
    runs = [store.submit(spec.model_copy(update={"seed": seed}), title=title) for seed in range(BUSY_RUNS)]
    try:
        wait_until(lambda: store.curve(runs[0]) != [], "The run does not begin.")
        yield runs[0]
        if store.get(runs[-1]).state.is_finished:
            raise RuntimeError("The runs ended before everything was measured beside them.")
    finally:
        for run in reversed(runs):
            store.cancel(run)
        wait_until(lambda: all(store.get(run).state.is_finished for run in runs), "The run does not stop.")


def wait_until(is_so: Callable[[], bool], problem: str) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(problem)
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
