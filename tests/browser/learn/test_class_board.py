"""A class board with three visitors: the projector shows what they expect while it is open, and what they run."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import settled
from tests.browser.conftest import NARROW

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


def test_three_visitors_answer_and_one_runs(page: Page, app: Served, browser: Browser) -> None:
    page.goto(app.address("board"))
    page.get_by_role("button", name="Open a board").click()
    link = page.get_by_test_id("stCode").inner_text().strip()
    expect(page.get_by_role("img", name="QR code of the address below")).to_be_visible()
    expect(page.get_by_role("heading", name="0 answers")).to_be_visible()
    for visitor in range(3):
        phone = browser.new_context(viewport={"width": NARROW[0], "height": NARROW[1]})
        theirs = phone.new_page()
        theirs.goto(f"{link}&step=2")
        theirs.get_by_test_id("stMain").get_by_test_id("stRadioOption").nth(min(visitor, 1)).click()
        expect(theirs.get_by_text("The run shows:")).to_be_visible()
        if not visitor:  # A reload and another answer of the same browser are not counted again.
            settled(theirs)
            theirs.reload()
            theirs.get_by_test_id("stMain").get_by_test_id("stRadioOption").nth(1).click()
            expect(theirs.get_by_text("You expected:")).to_be_visible()
        if visitor == 2:
            theirs.goto(f"{link}&step=9")
            theirs.get_by_role("button", name="Start this run yourself").click()
            theirs.wait_for_url("**/run?id=*")
        phone.close()
    expect(page.get_by_role("heading", name="3 answers")).to_be_visible()
    expect(page.get_by_role("heading", name="Runs of the room")).to_be_visible()
    page.get_by_text("Answers and result").click()
    bars = page.get_by_test_id("stPlotlyChart").first
    expect(bars).to_contain_text("1  ← what happened")
    page.reload()
    expect(bars).to_contain_text("1  ← what happened")
    page.get_by_role("button", name="Present the board").click()
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()
    expect(bars).to_contain_text("1  ← what happened")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Present the lesson with these answers").click()
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()
    for slide in ("2 of", "3 of"):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_text(slide)).to_be_visible()
    expect(page.get_by_role("heading", name="3 answers")).to_be_visible()
