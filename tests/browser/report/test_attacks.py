"""Attack curves in a browser: of retained images at first, of forget images after a click, by axe too."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import settled
from tests.browser.test_accessibility import violations
from unlearn_core.charts.privacy import retained_membership, rmia

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(200)]


def test_the_curves_switch_from_retained_to_forget_images(page: Page, app: Served) -> None:
    page.goto(app.address("run?id=example&tab=Privacy"))
    expect(page.get_by_text(retained_membership.CHART.question)).to_be_visible()
    expect(page.get_by_text("of 2,700 retained images").first).to_be_visible()
    name = "Forget images"
    page.get_by_role("radio", name=name, exact=True).or_(page.get_by_role("button", name=name, exact=True)).click()
    page.wait_for_url(re.compile("report-retained_membership-way=Forget"))
    expect(page.get_by_text("of 300 forget images").first).to_be_visible()
    expect(page.get_by_text(rmia.CHART.question)).to_be_visible()
    expect(page.get_by_text("1 reference model, 150 population images.")).to_be_visible()
    page.mouse.move(0, 0)  # At rest: a pointed-at option has Streamlit's own colours.
    settled(page)
    assert violations(page, "light") == []
