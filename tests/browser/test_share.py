"""A copied link opens the same page, request, method, hyperparameters and tabs in a fresh browser."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import heading, settled
from tests.pages.finished_runs import CLASS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def _copied(page: Page) -> str:
    """Presses the button in the menu, and gives what is in the clipboard then."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.get_by_test_id("stSidebar").get_by_role("button", name="Copy link")
    button.click()
    expect(page.get_by_test_id("stSidebar").get_by_text("Copied")).to_be_visible()
    return page.evaluate("navigator.clipboard.readText()")


def _elsewhere(browser: Browser, link: str) -> Page:
    """The link in a fresh browser: no cookie, no session."""
    page = browser.new_context().new_page()
    page.goto(link)
    return page


def test_a_copied_link_has_request_method_and_hyperparameters(page: Page, app: Served, browser: Browser) -> None:
    page.goto(app.address("method?classifier=tiny&forget=discs&method=finetune"))
    heading(page, "How should it forget?")
    slider = page.get_by_role("slider", name="Epochs")
    settled(page)
    slider.press("ArrowRight")
    page.wait_for_url(re.compile("epochs=2"))
    page.get_by_text("Advanced:").click()
    page.wait_for_url(re.compile("advanced-finetune=true"))
    settled(page)
    link = _copied(page)
    assert link == page.url
    fresh = _elsewhere(browser, link)
    heading(fresh, "How should it forget?")
    expect(fresh.get_by_role("slider", name="Epochs")).to_have_value("2")
    expect(fresh.get_by_role("button", name=re.compile("discs"))).to_be_visible()
    expect(fresh.get_by_role("heading", name="Fine-tune")).to_be_visible()
    expect(fresh.get_by_role("spinbutton", name="Seed")).to_be_visible()  # which lies among the advanced ones
    settled(fresh)
    assert fresh.url == link
    fresh.context.close()


def test_a_copied_link_has_what_is_open_in_a_report(page: Page, app: Served, browser: Browser) -> None:
    page.goto(app.address(f"run?id={CLASS}&tab=Inside"))
    page.get_by_role("radio", name="L2", exact=True).or_(
        page.get_by_role("button", name="L2", exact=True)
    ).first.click()
    page.wait_for_url(re.compile("report-layers-way=L2"))
    settled(page)
    fresh = _elsewhere(browser, _copied(page))
    expect(fresh.get_by_text(re.compile("moved most.*in L2")).first).to_be_visible()
    fresh.context.close()


def test_where_the_clipboard_is_closed_the_link_is_shown(page: Page, app: Served) -> None:
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('closed'))")
    page.goto(app.address("forget?classifier=tiny&images=3,7"))
    heading(page, "What should it forget?")
    settled(page)
    page.get_by_test_id("stSidebar").get_by_role("button", name="Copy link").click()
    field = page.get_by_label("The link to this page").first
    expect(field).to_be_visible()
    assert field.input_value() == page.url
