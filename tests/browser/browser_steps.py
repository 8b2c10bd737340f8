"""What a person does on a page and sees there. All of it waits for states, never for times."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.app_server import Served
from tests.browser.conftest import PATIENCE
from unlearn_core.charts import charts

QUICK = "classifier=tiny&forget=discs&method=unsir"
LONG = f"{QUICK}&noise_pictures=512&noise_repeats=40&impair_epochs=5&batch=16"
"""Some 6,500 steps: long enough to do something in the middle of it."""

STOPPED = "It was stopped after"
CHART = charts()["accuracy"].title
"""The heading of a report's first chart."""


def begin(page: Page, app: Served, setup: str) -> int:
    """Presses Run on the method page, and gives the run's number from the URL that follows."""
    page.goto(app.address(f"method?{setup}"))
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(re.compile(r"/run\?id=\d+"))
    return int(page.url.partition("id=")[2].partition("&")[0])


def step(page: Page) -> tuple[int, int]:
    """How far the run on the page is: phases that are over, and steps of the present one; waits for a first step."""
    made = re.compile(r"step ([1-9][\d,]*) of [\d,]+")
    expect(page.get_by_text(made).first).to_be_visible()
    # One look at the whole text, which a tick may change between two.
    words = page.get_by_test_id("stMain").inner_text()
    now = made.search(words)
    assert now is not None, words
    return words.count("done in "), int(now[1].replace(",", ""))


def heading(page: Page, text: str) -> None:
    """Waits for the page that has this heading."""
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def settled(page: Page) -> None:
    """Waits until the server has sent all of the page and the browser has drawn it."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)


def until(page: Page, true: Callable[[], object]) -> None:
    """Waits for something outside of the page, while the page goes on."""
    end = time.monotonic() + PATIENCE / 1000
    while not true():
        assert time.monotonic() < end, "waited in vain"
        page.wait_for_timeout(50)
