"""The map of features: drawn by a worker, pointed at on one map and seen on all, circled, and explained."""

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import settled, until
from tests.browser.test_accessibility import violations
from tests.pages.finished_runs import CLASS
from unlearn_core.export.html_report import render_report
from unlearn_core.methods import methods
from unlearn_core.store.files import reports

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

ANSWER = re.compile("^(before|after|retrained) · .*(covered|marks nothing)", re.DOTALL)


def pixels(canvas: Locator) -> str:
    return canvas.evaluate("canvas => canvas.toDataURL()")


def circle(page: Page, canvas: Locator) -> None:
    """Draws a loop along the edge of the left two thirds of a map."""
    box = canvas.bounding_box()
    assert box is not None
    corners = [(0.02, 0.02), (0.66, 0.02), (0.66, 0.98), (0.02, 0.98), (0.02, 0.05)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


POINT = """
() => {
  const figure = document.getElementById("chart-feature_map"), box = figure.getBoundingClientRect();
  const { xaxis, yaxis } = figure._fullLayout, { x, y } = figure.calcdata[1][0];
  return [box.left + xaxis._offset + xaxis.l2p(x), box.top + yaxis._offset + yaxis.l2p(y)];
}
"""
"""Where the first forget image is on the first map of a report file, in pixels of the window."""


def test_a_loop_on_one_map_selects_on_all_and_its_images_are_explained(
    page: Page, app: Served, browser: Browser, tmp_path: Path
) -> None:
    page.goto(app.address(f"run?id={CLASS}&tab=Inside"))
    page.get_by_role("button", name=re.compile("^Draw the map")).click()
    maps = page.get_by_role("application")
    expect(maps).to_have_count(3)
    settled(page)
    before, gold = maps.nth(0), maps.nth(2)
    gold.scroll_into_view_if_needed()

    resting = pixels(gold)
    before.focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: pixels(gold) != resting)  # What is pointed at on one map is marked on the others.
    tip = page.locator(".feature-map .tip")
    expect(tip).to_contain_text("retrained: ")
    page.keyboard.press("Tab")
    expect(tip).to_be_hidden()

    circle(page, before)
    status = page.locator(".feature-map .status")
    expect(status).to_have_text(re.compile(r"^\d+ of \d+ images selected$"))
    until(page, lambda: pixels(gold) != resting)
    count = int(status.inner_text().split()[0])
    expect(page.get_by_role("heading", name=f"{count} selected images")).to_be_visible()
    gallery = page.get_by_role("listbox", name=re.compile("^Selected images"))
    gallery.get_by_role("option").first.click()
    expect(page.get_by_text(re.compile("^Logits of "))).to_be_visible()
    expect(page.get_by_test_id("stImageCaption").filter(has_text=ANSWER)).to_have_count(3)

    settled(page)
    themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        settled(page)
        assert violations(page, theme) == [], theme

    page.get_by_role("button", name="Clear the selection").click()
    expect(gallery).to_have_count(0)

    file = tmp_path / "report.html"
    file.write_text(render_report([reports.read(app.home, CLASS)], methods=methods(), image_datasets={}))
    _points_at_one_map_of(file, browser)


def _points_at_one_map_of(file: Path, browser: Browser) -> None:
    """In the report file too, what is pointed at on one map is shown on all."""
    context = browser.new_context(offline=True, color_scheme="light", viewport={"width": 1200, "height": 1000})
    page = context.new_page()
    page.goto(file.as_uri())
    expect(page.locator("html[data-drawn=light]")).to_be_attached()
    page.get_by_role("group").filter(has=page.locator("#chart-feature_map")).locator("summary").first.click()
    figure = page.locator("#chart-feature_map")
    figure.scroll_into_view_if_needed()
    expect(figure.locator(".plotly .hoverlayer")).to_be_attached()
    x, y = page.evaluate(POINT)
    page.mouse.move(x - 5, y)
    page.mouse.move(x, y)
    expect(figure.locator(".hovertext")).to_have_count(3)
    context.close()
