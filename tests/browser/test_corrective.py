"""Corrective unlearning in the browser: from the classifier that learned wrong labels to what its report says."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import heading

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def opened(context: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page Forget of that classifier, in a fresh data folder with what is bundled alone."""
    with Served(tmp_path_factory.mktemp("corrective") / "home", plugins="") as served:
        page = context.new_page()
        page.set_viewport_size({"width": 1440, "height": 1500})
        page.goto(served.address("forget?classifier=resnet8-mislabelled&images=&method=finetune"))
        yield page
        page.close()


def test_wrong_labels_are_forgotten_and_the_report_says_what_came_back(opened: Page) -> None:
    expect(opened.get_by_role("combobox", name="Prediction")).to_be_visible()  # A worker has computed the outputs.
    opened.get_by_role("button", name="All 800").click()
    tray = opened.get_by_role("listbox", name="Selected images")
    expect(tray.get_by_role("option").first).to_have_attribute("aria-label", re.compile("wrong label, true class "))
    opened.get_by_role("button", name="Run", exact=True).click()
    heading(opened, "Forget 800 images with Fine-tune")
    expect(opened.get_by_role("heading", name="Interclass confusion")).to_be_visible()
    line = opened.get_by_text("Accuracy on 400 test images of automobile and truck").first
    expect(line).to_contain_text(re.compile(r"57\.5.*75\.8.*Taken for each other: 28\.0"))
