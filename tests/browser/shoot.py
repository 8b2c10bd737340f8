"""Take screenshots of every page: `python -m tests.browser.shoot [--home DIR] [--only NAME ...]`.

They go to screenshots/, at 1440 and 390 pixels, light and dark. Without --home the app gets a data folder of its own
and makes its runs first: real ones on the bundled data, so that takes some minutes on a busy machine.

`--readme` makes those that the README shows instead, in assets/readme, from what ships: no run is needed.
"""

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.app_server import ROOT, Served
from unlearn_core.benchmarks.pages.in_browser import OPTIONS, chromium
from unlearn_core.charts import charts
from unlearn_core.domain.run import RunState
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.store.queue.run_store import RunStore

FOLDER = ROOT / "screenshots"
README, README_SIZE = ROOT / "assets" / "readme", (1440, 900)
WIDTHS = (1440, 390)
THEMES = ("light", "dark")
SETTLED = 2_500
"""Milliseconds that a page is left alone before it is taken: charts draw themselves in the browser."""


class Shot(NamedTuple):
    """A page under a name; `ready` is a text that is there when the page is."""

    name: str
    address: str
    ready: str


def shots(runs: dict[str, int]) -> list[Shot]:
    """Every page and state; `runs` are the numbers of the runs that show them."""
    done = f"run?id={runs['done']}"
    tabs = {
        "images": "Explore any image",
        "classes": charts()["confusion"].title,
        "privacy": charts()["membership"].title,
        "inside": charts()["margin"].title,
        "how-it-went": charts()["timing"].title,
        "details": "All accuracies",
    }
    named = {"how-it-went": "How%20it%20went"}
    return [
        Shot("start", "", "Make a classifier forget"),
        Shot("classifier", "classifier", "Which classifier should forget?"),
        Shot("forget", "forget", "What should it forget?"),
        Shot("forget-images", "forget?images=17,42", "What should it forget?"),
        Shot("method", "method", "How should it forget?"),
        Shot("run-live", f"run?id={runs['live']}", "Current stage"),
        Shot("run-waiting", f"run?id={runs['waiting']}", "before this one"),
        Shot("run-done", done, charts()["distance"].title),
        Shot("run-presented", f"{done}&present=3", charts()["accuracy"].title),
        *(Shot(f"run-{tab}", f"{done}&tab={named.get(tab, tab.capitalize())}", text) for tab, text in tabs.items()),
        Shot("run-images-no-gold", f"run?id={runs['no gold']}", "There is no retrained model"),
        Shot("run-example", "run?id=example", charts()["accuracy"].title),
        Shot("run-cancelled", f"run?id={runs['cancelled']}", "Change and run again"),
        Shot("run-unknown", "run?id=999999", "There is no such run"),
        Shot("datasets", "datasets", "Add a data set"),
        Shot("history", "history", "What has been tried?"),
        Shot("methods", "methods", "All methods on one request"),
        Shot("sweep-form", "sweep?knobs=impair_lr,repair_lr", "Start the sweep"),
        Shot("playground", "playground", "The retrained model:"),
        Shot("measures", "measures", "What it does not say"),
    ]


def prepare(store: RunStore) -> dict[str, int]:
    """Make the runs that the pages show: two finished ones, a cancelled one, a running one and a queued one."""
    ended = {
        "done": store.submit(run_spec("resnet20", method="unsir", classes=["cat"]), title="Forget cat with UNSIR"),
        "no gold": store.submit(
            run_spec("resnet20", method="finetune", images=list(range(40, 60))),
            title="Forget 20 images with Fine-tune",
        ),
    }
    ended["cancelled"] = store.submit(
        run_spec("resnet20", method="unsir", classes=["dog"]), title="Forget dog with UNSIR"
    )
    store.cancel(ended["cancelled"])
    for number in ended.values():
        _wait(store, number)
    store.set_note(ended["done"], "The one for the talk")
    return ended | going(store)


def going(store: RunStore) -> dict[str, int]:
    """A long run that is running, and one that is queued behind it."""
    slow = run_spec("resnet20", method="unsir", classes=["ship"], overrides={"impair_epochs": 5, "repair_epochs": 5})
    return {
        "live": store.submit(slow, title="Forget ship with UNSIR"),
        "waiting": store.submit(run_spec("resnet20", method="unsir", classes=["frog"]), title="Forget frog with UNSIR"),
    }


def _wait(store: RunStore, number: int) -> None:
    while not (run := store.get(number)).state.is_finished:
        time.sleep(1)
    if run.state is RunState.FAILED:
        sys.exit(f"Run {number} failed: {run.error}")


def take(browser: Browser, app: Served, shot: Shot, *, width: int, theme: str) -> None:
    """Take one screenshot of a whole page, however long it is."""
    page = _open(browser, app, shot, size=(width, 900), theme=theme)
    tall = page.get_by_test_id("stMain").evaluate("box => box.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(tall, 700)})
    _settle(page)
    page.screenshot(path=FOLDER / f"{shot.name}-{width}-{theme}.png")
    page.close()


def readme(browser: Browser, app: Served) -> None:
    """The top of two pages, small enough for a repository."""
    README.mkdir(exist_ok=True)
    shown = {
        Shot("start", "", "Make a classifier forget"): "light",
        Shot("report", "run?id=example", charts()["accuracy"].title): "dark",
    }
    for shot, theme in shown.items():
        page = _open(browser, app, shot, size=README_SIZE, theme=theme)
        with Image.open(io.BytesIO(page.screenshot())) as image:
            image.save(README / f"{shot.name}.webp", quality=88, method=6)
        page.close()


def _open(browser: Browser, app: Served, shot: Shot, *, size: tuple[int, int], theme: str) -> Page:
    width, height = size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)  # pyright: ignore[reportArgumentType]
    page.set_default_timeout(120_000)
    page.goto(app.address(shot.address))
    page.get_by_text(shot.ready).first.wait_for()
    _settle(page)
    return page


def _settle(page: Page) -> None:
    page.wait_for_timeout(SETTLED)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.shoot", description="Take screenshots of every page."
    )
    parser.add_argument("--home", type=Path, help="a data folder that an earlier call has filled")
    parser.add_argument("--readme", action="store_true", help="only those of the README")
    parser.add_argument("--only", nargs="*", help="only pages whose names start with one of these")
    parser.add_argument("--width", type=int, nargs="*", default=WIDTHS)
    parser.add_argument("--theme", nargs="*", default=THEMES)
    args = parser.parse_args()
    path = chromium()
    if path is None:
        sys.exit("No Chromium on this machine.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as spare, sync_playwright() as play:
        home = args.home or Path(spare)
        with Served(home, plugins="", worker="none" if args.readme else "auto") as app:
            browser = play.chromium.launch(executable_path=path, args=[*OPTIONS])
            if args.readme:
                readme(browser, app)
                return
            store = RunStore(home)
            for shot in shots(_runs(store)):
                if not args.only or shot.name.startswith(tuple(args.only)):
                    for width in args.width:
                        for theme in args.theme:
                            take(browser, app, shot, width=width, theme=theme)
                            print(f"{shot.name} {width} {theme}", flush=True)
            for run in store.list_runs(kinds=("unlearn",)):
                store.cancel(run.id)


def _runs(store: RunStore) -> dict[str, int]:
    """The runs to show: those that are there already, with a fresh one in hand, or all of them new."""
    known: dict[str, int] = {}
    for run in reversed(store.list_runs(kinds=("unlearn",))):
        known |= {
            "Forget cat with UNSIR": {"done": run.id},
            "Forget 20 images with Fine-tune": {"no gold": run.id},
        }.get(run.title, {"cancelled": run.id} if run.state is RunState.CANCELLED else {})
    return known | going(store) if len(known) == 3 else prepare(store)


if __name__ == "__main__":
    main()
