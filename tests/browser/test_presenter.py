"""The report for people in a hurry: one screen, the presenter by keys, paper, and a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import heading, settled
from tests.browser.conftest import NARROW
from tests.pages.finished_runs import CLASS, PICTURES
from unlearn_core.charts import charts
from unlearn_core.charts.chart import SECTIONS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

LONGEST = 8_000
"""Pixels that a report may be high on a phone."""


def test_the_answer_and_the_tabs_fit_on_one_screen(page: Page, app: Served) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(app.address(f"run?id={CLASS}"))
    heading(page, "Forget discs with UNSIR")
    settled(page)
    for part in ("Privacy.", "What this does not prove."):
        expect(page.get_by_text(part)).to_be_in_viewport()
    expect(page.get_by_role("tab", name="Overview")).to_be_in_viewport()
    expect(page.get_by_test_id("stImageCaption").filter(has_text="retrained")).to_be_in_viewport()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_keys_turn_the_slides_and_leave(theme: str, page: Page, app: Served) -> None:
    page.emulate_media(color_scheme=theme)  # pyright: ignore[reportArgumentType]
    page.goto(app.address(f"run?id={CLASS}"))
    page.get_by_role("button", name="Present").click()
    page.wait_for_url(re.compile("present=1"))
    menu = page.get_by_role("link", name="History")
    expect(menu).to_have_count(0)
    for title in (charts()["cam"].title, charts()["accuracy"].title, charts()["distance"].title):
        settled(page)
        page.keyboard.press("ArrowRight")
        heading(page, title)
    page.wait_for_url(re.compile("present=4"))
    settled(page)
    assert (
        page.locator("text.ytick, .ytick text").first.evaluate("own => parseFloat(getComputedStyle(own).fontSize)") > 16
    )
    page.keyboard.press("ArrowLeft")
    heading(page, charts()["accuracy"].title)
    page.reload()
    heading(page, charts()["accuracy"].title)
    settled(page)
    page.keyboard.press("Escape")
    heading(page, "Forget discs with UNSIR")
    expect(menu).to_be_visible()
    assert "present" not in page.url


def test_the_report_is_printed_from_its_page(page: Page, app: Served) -> None:
    page.add_init_script(
        "window.print = () => { top.printed = [document.title, document.querySelectorAll('.chart').length]; }"
    )
    page.goto(app.address(f"run?id={CLASS}"))
    heading(page, "Forget discs with UNSIR")
    page.get_by_role("button", name="Download").click()
    page.get_by_role("button", name="Print").click()
    page.wait_for_function("window.printed")
    title, drawn = page.evaluate("window.printed")
    assert title == "Did it forget discs? · Unlearn Lab" and drawn >= 12
    page.keyboard.press("Escape")
    for _ in range(2):
        page.evaluate("delete window.printed")
        settled(page)
        page.keyboard.press("ControlOrMeta+p")
        page.wait_for_function("window.printed")
        assert page.evaluate("window.printed") == [title, drawn]


@pytest.mark.parametrize("run", [CLASS, PICTURES])
def test_no_tab_is_too_long_or_cut_on_a_phone(run: int, page: Page, app: Served) -> None:
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    for tab in SECTIONS:
        page.goto(app.address(f"run?id={run}&tab={tab}"))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        settled(page)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("box => box.scrollHeight") < LONGEST, tab
        assert main.evaluate("box => box.scrollWidth - box.clientWidth") <= 0, tab
