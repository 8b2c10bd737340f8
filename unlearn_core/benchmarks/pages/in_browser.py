"""How long a person in front of Chromium waits: from a click until the page no longer changes.

Needs a Chromium, and Playwright from requirements-dev.txt.
"""

import shutil
from collections.abc import Callable, Mapping
from statistics import median

from playwright.sync_api import Page, sync_playwright

from unlearn_core.benchmarks.pages.page_tables import Wait
from unlearn_core.benchmarks.pages.web_server import WebServer

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
"""How Chromium is started: as root too, and without any business of its own."""
WIDTH, HEIGHT = 1440, 1000
REPEATS = 5
ELSEWHERE = "datasets"
"""The page from which the others are opened: one without charts, whose removal would count too."""
METHOD, HYPERPARAMETER = "method?forget=cat&method=unsir", "Impair: learning rate"
PATIENCE = 60_000
"""Milliseconds that anything may take."""

_WATCH = """([quiet, patience]) => {
  const busy = '[data-test-script-state=running], [data-testid=stSkeleton], [data-stale=true]';
  window.measured = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('The page goes on changing, or nothing has changed it.')), patience);
    let began = null, changed = null;
    const begin = () => { began ??= performance.now(); };
    for (const kind of ['click', 'keydown', 'popstate']) addEventListener(kind, begin, {capture: true, once: true});
    const see = () => { changed = performance.now(); };
    const watcher = new MutationObserver((changes) => {
      if (changes.some(({target}) => !(target.closest ? target : target.parentElement)?.closest('canvas'))) see();
    });
    watcher.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
    const canvas = CanvasRenderingContext2D.prototype, {fillText, drawImage} = canvas;
    canvas.fillText = function (...given) { see(); return fillText.apply(this, given); };
    canvas.drawImage = function (...given) { see(); return drawImage.apply(this, given); };
    const timer = setInterval(() => {
      if (began === null || changed === null || performance.now() - Math.max(began, changed) < quiet) return;
      if (document.querySelector(busy)) return;
      clearInterval(timer);
      watcher.disconnect();
      Object.assign(canvas, {fillText, drawImage});
      resolve(changed - began);
    }, 50);
  });
}"""
"""Makes `measured`: the milliseconds from the next click, key or step back to the last change that can be seen, after
which the page stays as it is for `quiet` milliseconds. A table is a canvas: what is drawn on it counts, and what it
holds for screen readers, which is filled in later, does not."""
QUIET = 500
_SETTLED = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def chromium() -> str | None:
    """Return where this machine has a Chromium, if it has one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def measure(server: WebServer, pages: Mapping[str, str]) -> list[Wait]:
    """Return how long it takes to switch to each of the pages (paths by name), and to redraw a changed hyperparameter.

    Each switch begins at the page `ELSEWHERE`, which is left out itself. Raises RuntimeError without a Chromium.
    """
    path = chromium()
    if path is None:
        raise RuntimeError("There is no Chromium on this machine. Debian's package is called chromium.")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=[*OPTIONS])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(PATIENCE)
        others = {name: path for name, path in pages.items() if path != ELSEWHERE}
        waits = [_switch(page, f"to {name}", server.url(path)) for name, path in others.items()]
        waits.append(_change(page, server.url(METHOD)))
        browser.close()
    return waits


def _switch(page: Page, action: str, url: str) -> Wait:
    """Leave a page by the menu and come back to it by the browser, as often as is measured.

    Streamlit sometimes leaves another address between the two in the browser's history: a step back to that is not
    counted. Raises RuntimeError if that is most of them.
    """
    page.goto(url)
    page.locator(_SETTLED).wait_for()
    address, seconds = page.url, list[float]()
    for _ in range(3 * REPEATS):
        page.locator(_SETTLED).wait_for()
        _seconds(page, page.locator(f'[data-testid=stSidebarNav] a[href$="/{ELSEWHERE}"]').click)
        waited = _seconds(page, page.go_back)
        if page.url != address:
            page.goto(address)
            continue
        seconds.append(waited)
        if len(seconds) == REPEATS:
            return Wait(action, median(seconds), max(seconds))
    raise RuntimeError(f"The browser's step back does not lead to {url}.")


def _change(page: Page, url: str) -> Wait:
    """Move the slider of a hyperparameter, step by step."""
    page.goto(url)
    page.locator(_SETTLED).wait_for()
    seconds: list[float] = []
    slider = page.get_by_role("group", name=HYPERPARAMETER).get_by_role("slider")
    for _ in range(REPEATS):
        slider.focus()
        seconds.append(_seconds(page, lambda: slider.press("ArrowRight")))
    return Wait("a changed hyperparameter", median(seconds), max(seconds))


def _seconds(page: Page, act: Callable[[], object]) -> float:
    page.evaluate(_WATCH, [QUIET, PATIENCE])
    act()
    return page.evaluate("window.measured") / 1000
