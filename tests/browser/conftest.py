"""A browser for all tests of this folder, a page for each, and one app that most of them share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.served import Served, chromium
from tests.pages.finished import template

__all__ = ["template"]

PATIENCE = 90_000
"""Milliseconds that anything may take on a machine that is busy with something else."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of this folder only: Playwright's event loop keeps all others out of its thread."""
    path = chromium()
    if path is None:
        pytest.skip("No Chromium on this machine: the browser tests need one (Debian's package is called chromium).")
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="package")
def app(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app on a data folder with two finished runs, with a worker that the app has started itself."""
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(template, home)
    with Served(home) as served:
        yield served


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()
