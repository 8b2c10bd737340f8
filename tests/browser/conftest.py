"""A browser for all tests of this folder, a page for each, and one app that most of them share."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.app_server import Served
from tests.pages.finished_runs import template
from unlearn_core.benchmarks.pages.in_browser import OPTIONS, chromium
from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.access.identity_key import identity_key
from unlearn_core.store.queue.run_store import RunStore

__all__ = ["template"]

PATIENCE = 120_000
"""Milliseconds that anything may take on a machine that is busy with something else."""

WIDE, NARROW = (1440, 1000), (390, 844)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of this folder only: Playwright's event loop keeps all others out of its thread."""
    path = chromium()
    if path is None:
        pytest.skip("No Chromium on this machine: the browser tests need one (Debian's package is called chromium).")
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, args=[*OPTIONS])
        yield started
        started.close()


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """What the pages share: the cache, so that the app's scripts are fetched once. A page is a session of its own."""
    expect.set_options(timeout=PATIENCE)
    opened = browser.new_context()
    opened.set_default_timeout(PATIENCE)
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def app(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app on a data folder with two finished runs, with a worker that the app has started itself."""
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(template, home)
    with Served(home) as served:
        yield served


@pytest.fixture
def page(context: BrowserContext, app: Served, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh page; whatever a test leaves going is stopped behind it, and a failure says what the app has said."""
    failed = request.session.testsfailed
    context.clear_cookies()  # The level that another test has chosen is remembered in one.
    key = identity_key(app.home)  # Every test is the operator, as whoever works alone.
    operator = {"name": key.cookie, "value": key.sign(OPERATOR.id), "url": f"http://127.0.0.1:{app.port}"}
    context.add_cookies([operator])  # pyright: ignore[reportArgumentType]
    opened = context.new_page()
    opened.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    yield opened
    if request.session.testsfailed > failed:
        app.speak(sys.stderr)
    for tab in context.pages:
        tab.close()
    store = RunStore(app.home)
    for run in store.list_runs():
        if not run.state.is_finished:
            store.cancel(run.id)
