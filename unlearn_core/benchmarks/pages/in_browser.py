"""How long a person in front of Chromium waits: from a click until the page is drawn and nothing runs any more.

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
REPEATS = 7
METHOD, HYPERPARAMETER = "method?forget=cat&method=unsir", "Impair: learning rate"
PATIENCE = 60_000
"""Milliseconds that anything may take."""

_WATCH = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  window.measured = new Promise((resolve) => {
    let began = null, ran = false;
    const begin = () => { began ??= performance.now(); };
    for (const kind of ['click', 'keydown', 'popstate']) addEventListener(kind, begin, {capture: true, once: true});
    const watcher = new MutationObserver(() => { ran ||= app.dataset.testScriptState !== 'notRunning'; });
    watcher.observe(app, {attributeFilter: ['data-test-script-state']});
    const look = () => {
      const busy = app.dataset.testScriptState !== 'notRunning'
        || document.querySelector('[data-testid=stSkeleton], [data-stale=true]');
      if (!ran || busy) return requestAnimationFrame(look);
      watcher.disconnect();
      requestAnimationFrame(() => resolve(performance.now() - began));
    };
    requestAnimationFrame(look);
  });
}"""
"""Makes `measured`: the milliseconds from the next click, key or step back until nothing runs and nothing is grey."""
_SETTLED = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def chromium() -> str | None:
    """Return where this machine has a Chromium, if it has one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def measure(server: WebServer, pages: Mapping[str, str]) -> list[Wait]:
    """Return how long it takes to switch to each of the pages (paths by name), and to redraw a changed hyperparameter.

    Raises RuntimeError without a Chromium.
    """
    path = chromium()
    if path is None:
        raise RuntimeError("There is no Chromium on this machine. Debian's package is called chromium.")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=[*OPTIONS])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(PATIENCE)
        waits = [_switch(page, f"to {name}", server.url(path)) for name, path in pages.items()]
        waits.append(_change(page, server.url(METHOD)))
        browser.close()
    return waits


def _switch(page: Page, action: str, url: str) -> Wait:
    """Leave a page by the menu and come back to it, as often as is measured."""
    page.goto(url)
    seconds: list[float] = []
    for _ in range(REPEATS):
        page.locator(_SETTLED).wait_for()
        elsewhere = page.get_by_test_id("stSidebarNav").get_by_role("link", name="Measures")
        _seconds(page, elsewhere.click)
        seconds.append(_seconds(page, page.go_back))
    return Wait(action, median(seconds), max(seconds))


def _change(page: Page, url: str) -> Wait:
    """Enter other values of a hyperparameter."""
    page.goto(url)
    page.locator(_SETTLED).wait_for()
    seconds: list[float] = []
    for repeat in range(REPEATS):
        entry = page.get_by_label(HYPERPARAMETER)
        entry.fill(f"0.00{repeat + 3}")
        seconds.append(_seconds(page, lambda: page.keyboard.press("Enter")))
    return Wait("a changed hyperparameter", median(seconds), max(seconds))


def _seconds(page: Page, act: Callable[[], object]) -> float:
    page.evaluate(_WATCH)
    act()
    return page.evaluate("window.measured") / 1000
