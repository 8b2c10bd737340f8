"""Evidence sheets on paper: two pages at most, and nothing is wider than the page."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.export.evidence.small_reports import small_report
from unlearn_core.domain.report import Report
from unlearn_core.export.evidence.evidence_folder import evidence_files
from unlearn_core.store.files import reports

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(reports.load_example, id="the example"),
        pytest.param(lambda: small_report(2, twin=True, further=True), id="every kind of evidence"),
    ],
)
def test_a_sheet_prints_on_two_pages(report: Callable[[], Report], browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "sheet.html"
    file.write_bytes(evidence_files(report(), None)["sheet.html"])
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda said: troubles.append(said.text))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) <= 2
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1000})  # A4 without its margins.
    assert page.evaluate("document.documentElement.scrollWidth") == 703
    assert not troubles
    context.close()
