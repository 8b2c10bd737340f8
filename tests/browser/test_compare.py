"""Runs side by side, from three ticks in the history; and one click that all of them follow."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import CHART, heading, settled
from tests.browser.conftest import NARROW
from tests.pages.finished_runs import made_again
from unlearn_core.charts import charts
from unlearn_core.charts.text.ranking_words import ranking_text
from unlearn_core.engine.build_spec import run_spec
from unlearn_core.engine.execute import unlearn
from unlearn_core.store.files.reports import read as read_report
from unlearn_core.store.queue.run_store import RunStore

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

RUNS = 3


def test_three_ticked_runs_are_compared_and_a_click_is_followed_in_all(page: Page, app: Served) -> None:
    newest = [made_again(RunStore(app.home)) for _ in range(RUNS)]
    page.goto(app.address("history"))
    heading(page, "What has been tried?")
    table = page.get_by_test_id("stDataFrame").first
    table.get_by_test_id("glide-cell-1-2").wait_for(state="attached")
    for row in range(RUNS):
        table.click(position={"x": 18, "y": 60 + 44 * row})
        expect(table.locator("tr[aria-selected=true]")).to_have_count(row + 1)
        settled(page)
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_url(re.compile("/compare"))
    heading(page, "Which did better?")
    expect(page.get_by_role("heading", name=CHART)).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Report of run"))).to_have_count(RUNS)
    assert f"ids={'%2C'.join(map(str, newest))}" in page.url
    page.get_by_role("tab", name="Classes").click()
    figures = page.get_by_role("tabpanel").get_by_test_id("stPlotlyChart")
    expect(figures).to_have_count(3 * RUNS)
    settled(page)
    _press(page, figures.first.locator(".scatterlayer path.point").first)
    page.wait_for_url(re.compile("class=rows"))
    for place in range(RUNS):
        expect(figures.nth(place).locator(".layer-below .shapelayer path")).to_have_count(1)
    expect(page.get_by_role("combobox", name=re.compile("Class")).first).to_have_value("rows")
    page.reload()
    expect(page.get_by_role("heading", name=charts()["classes"].title)).to_be_visible()
    expect(figures.nth(RUNS - 1).locator(".layer-below .shapelayer path")).to_have_count(1)


def test_an_image_is_explained_in_all_runs_and_a_telephone_has_them_beneath_each_other(page: Page, app: Served) -> None:
    ids = ",".join(str(made_again(RunStore(app.home))) for _ in range(2))
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.goto(app.address(f"compare?ids={ids}&tab=Images"))
    images = page.get_by_role("listbox", name="Images with the prediction").get_by_role("option")
    expect(images.nth(5)).to_have_attribute("aria-label", re.compile("prediction of"))
    settled(page)
    images.nth(5).click()
    page.wait_for_url(re.compile(r"picture=\d+"))
    maps = page.get_by_test_id("stImageCaption").filter(has_text=re.compile("^(before|after|retrained) ·"))
    expect(maps).to_have_count(6)
    assert page.get_by_test_id("stMain").evaluate("box => box.scrollWidth - box.clientWidth") <= 0
    figures = [box for box in (one.bounding_box() for one in page.get_by_test_id("stPlotlyChart").all()) if box]
    assert all(box["width"] > 300 for box in figures)


@pytest.mark.slow
def test_of_four_runs_two_differ_by_chance_only(page: Page, app: Served) -> None:
    """Four runs on points: two seeds of one method, and two other methods, compared by page and command line."""
    specs = [("unsir", 0), ("unsir", 1), ("ssd", 0), ("neggrad", 0)]
    for method, seed in specs:
        spec = run_spec("mlp-moons", method=method, classes=["dawn"], preset="bundled", seed=seed)
        unlearn(spec, device="cpu", data_dir=app.home)
    numbers = sorted(run.id for run in RunStore(app.home).list_runs() if run.spec.kind == "unlearn")[-len(specs) :]
    page.goto(app.address(f"compare?ids={','.join(map(str, numbers))}"))
    heading(page, "Which did better?")
    twins = f"UNSIR · runs {numbers[0]} and {numbers[1]}"
    expect(page.get_by_text(f"{twins} differ only in their seed. Two seeds: this is chance.")).to_be_visible()
    reports = [read_report(app.home, number) for number in numbers]
    text = ranking_text(reports)
    for card in text.cards:
        expect(page.get_by_text(card.title).first).to_be_visible()
    assert (0, 1) in text.rankings[0].groups[0].sets
    expect(page.get_by_role("heading", name="Decision regions")).to_be_visible()
    settled(page)
    assert page.get_by_test_id("stPlotlyChart").count() >= 3 + len(specs) + 2
    pairs = page.get_by_test_id("stExpander").filter(has_text="Every pair of runs")
    pairs.get_by_text("Every pair of runs").click()
    expect(pairs.get_by_test_id("stDataFrame")).to_be_visible()


def _press(page: Page, point: Locator) -> None:
    """Clicks a point of a chart, which lies beneath the sheet that catches all clicks."""
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
