"""All methods on one request in a real browser, with a real worker: one press, a reload, and a click on a point."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import CHART, heading, settled
from unlearn_core.domain.run import RunState
from unlearn_core.store.queue.run_store import RunStore

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

TITLE = "All methods on columns"


def test_one_press_runs_them_all_and_a_point_and_a_row_lead_to_their_reports(page: Page, app: Served) -> None:
    store = RunStore(app.home)
    page.goto(app.address("method?classifier=tiny&forget=columns&seed=5"))
    settled(page)
    page.get_by_role("button", name="Try every method").click()
    heading(page, TITLE)
    assert "forget=columns" in page.url and "seed=5" in page.url
    expect(page.get_by_text(re.compile(r"seed 5 · [1-9]\d* of 18 methods done · ")).first).to_be_visible()
    page.reload()
    heading(page, TITLE)
    expect(page.get_by_text("18 of 18 methods done")).to_be_visible()
    runs = {run.id: run for run in store.list_runs(kinds=("unlearn",)) if run.group and "methods-" in run.group}
    assert [run.state for run in runs.values()] == [RunState.DONE] * 18
    expect(page.get_by_role("button", name="Cancel all")).to_have_count(0)
    expect(page.get_by_text("Closest to the retrained model, of 18")).to_be_visible()

    settled(page)
    points = page.locator(".scatterlayer .trace.scatter .points path.point")
    points.first.scroll_into_view_if_needed()
    points.first.click(force=True)
    page.wait_for_url(re.compile(r"/run\?id=\d+"))
    assert int(page.url.partition("id=")[2]) in runs
    expect(page.get_by_role("heading", name=CHART)).to_be_visible()
    page.go_back()
    heading(page, TITLE)
    page.get_by_role("link", name="History").click()
    heading(page, "What has been tried?")
    settled(page)
    page.get_by_role("link", name="All methods").click()
    heading(page, "All methods on one request")
    page.get_by_role("link", name="columns · Tiny · Shapes").click()
    heading(page, TITLE)
