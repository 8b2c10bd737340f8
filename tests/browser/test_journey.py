"""What a person does, from the first page to the report, and the ways in and back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import CHART, heading, settled
from tests.browser.conftest import NARROW
from tests.pages.finished_runs import CLASS, PICTURES
from unlearn_core.charts.chart import SECTIONS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def test_a_link_is_right_as_the_very_first_visit(page: Page, app: Served) -> None:
    if app.visited:
        app.stop()
        app.start()
    page.goto(app.address(f"run?id={CLASS}"))
    heading(page, "Forget discs with UNSIR")
    expect(page.get_by_role("heading", name=CHART)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="History")).to_be_visible()


def test_the_whole_journey_takes_four_clicks(page: Page, app: Served) -> None:
    page.goto(app.address())
    heading(page, "Make a classifier forget. See what is left.")
    page.goto(app.address("forget?classifier=tiny&forget="))
    heading(page, "What should it forget?")
    page.get_by_text("discs", exact=True).first.click()
    page.get_by_role("button", name="Next: method").click()
    heading(page, "How should it forget?")
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(re.compile(r"/run\?id=\d+"))
    heading(page, "Forget discs with UNSIR")
    expect(page.get_by_role("heading", name=CHART)).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    for name in SECTIONS[1:]:
        page.get_by_role("tab", name=name).click()
        page.wait_for_url(re.compile(f"tab={name.replace(' ', '.{1,3}')}"))
        settled(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("All accuracies")).to_be_visible()
    page.reload()
    expect(page.get_by_text("All accuracies")).to_be_visible()


def test_a_click_on_an_image_shows_its_heat_maps(page: Page, app: Served) -> None:
    page.goto(app.address(f"run?id={CLASS}&tab=Images"))
    expect(page.get_by_role("heading", name="Explore any image")).to_be_visible()
    images = page.get_by_role("listbox", name="Images with the prediction").get_by_role("option")
    expect(images.nth(5)).to_have_attribute("aria-label", re.compile("prediction of"))
    settled(page)
    maps = page.get_by_test_id("stImageCaption").filter(has_text=re.compile("^(before|after|retrained) ·"))
    shown = maps.count()
    images.first.click()
    expect(page.get_by_text("Evidence for the class", exact=True)).to_be_visible()
    expect(maps).to_have_count(shown + 3)


def test_each_press_of_back_goes_back_one_page(page: Page, app: Served) -> None:
    page.goto(app.address("history"))
    heading(page, "What has been tried?")
    page.get_by_role("link", name="Start").click()
    heading(page, "Make a classifier forget. See what is left.")
    page.get_by_role("link", name="A real run").click()
    heading(page, "Forget cat with UNSIR")
    settled(page)
    page.get_by_role("button", name="Change and run again").click()
    heading(page, "How should it forget?")
    page.wait_for_url(re.compile(r"/method\?.*forget=cat"))
    settled(page)
    page.get_by_role("link", name="Forget", exact=True).click()
    heading(page, "What should it forget?")
    page.get_by_text("dog", exact=True).first.click()
    page.wait_for_url(re.compile(r"/forget\?.*forget=cat%2Cdog"))
    settled(page)
    page.go_back()
    heading(page, "How should it forget?")
    page.go_back()
    heading(page, "Forget cat with UNSIR")
    assert "/run?id=example" in page.url
    page.go_back()
    heading(page, "Make a classifier forget. See what is left.")
    page.go_back()
    heading(page, "What has been tried?")


@pytest.mark.parametrize("wrong", ["run?id=999", "run?id=%3Cb%3E", "run/999", "run?id="])
def test_a_wrong_run_is_answered_with_a_next_step(wrong: str, page: Page, app: Served) -> None:
    page.goto(app.address(wrong))
    heading(page, "There is no such run")
    page.get_by_role("button", name="Choose what to forget").click()
    heading(page, "What should it forget?")


@pytest.mark.parametrize("wrong", ["nowhere", "nowhere/at/all?x=1"])
def test_a_wrong_address_leads_on(wrong: str, page: Page, app: Served) -> None:
    page.goto(app.address(wrong))
    heading(page, "There is no page here")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="To your runs").click()
    heading(page, "What has been tried?")


def test_the_history_opens_a_run(page: Page, app: Served) -> None:
    page.goto(app.address("history"))
    heading(page, "What has been tried?")
    opening = page.get_by_test_id("stBaseButton-secondary").filter(has_text="Open")
    expect(opening).to_be_disabled()
    # The table is drawn on a canvas; the one that screen readers are given in its place says when it is there.
    table = page.get_by_test_id("stDataFrame").first
    table.get_by_test_id("glide-cell-1-1").wait_for(state="attached")
    table.click(position={"x": 18, "y": 60})
    expect(opening).to_be_enabled()
    opening.click()
    page.wait_for_url(re.compile(r"/run\?id=\d+"))


@pytest.mark.parametrize(
    "where", ["", "method", f"run?id={CLASS}", f"run?id={PICTURES}&tab=Details", "history", "run?id=999"]
)
def test_a_telephone_never_scrolls_sideways(where: str, page: Page, app: Served) -> None:
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.goto(app.address(where))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settled(page)
    assert page.get_by_test_id("stMain").evaluate("box => box.scrollWidth - box.clientWidth") <= 0
