"""Every lesson from its first step to its summary, its link, a phone, and the three entries of the start page."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import heading, settled
from tests.browser.conftest import NARROW
from unlearn_core.charts.text import lesson_text
from unlearn_core.domain.lessons import Lesson
from unlearn_core.store.files import lesson_files, shipped_runs

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

LESSONS = lesson_files.find_lessons().lessons


def go_through(page: Page, lesson: Lesson) -> None:
    """Answers each question with its first answer, and goes on to the summary."""
    reports = [shipped_runs.read_report(shipped_runs.named(name).id) for name in lesson.runs]
    values = lesson_text.lesson_values(reports)
    for step in lesson.steps:
        title = lesson_text.fill(step.title, values)
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        figures = page.get_by_test_id("stPlotlyChart")
        if step.expectation is not None:
            settled(page)
            expect(figures).to_have_count(0)
            page.get_by_test_id("stMain").get_by_test_id("stRadioOption").first.click()
            expect(page.get_by_text("You expected:")).to_be_visible()
            expect(page.get_by_text("The run shows:")).to_be_visible()
        expect(figures).to_have_count(len(step.charts))
        settled(page)
        page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="In three sentences")).to_be_visible()
    expect(page.get_by_role("button", name="Start this run yourself")).to_be_enabled()


def test_every_lesson_is_clicked_through(page: Page, app: Served) -> None:
    page.goto(app.address("lessons"))
    first, *others = LESSONS.values()
    page.get_by_role("button", name="Begin lesson 1", exact=True).click()
    heading(page, first.title)
    go_through(page, first)
    for lesson in others:
        page.get_by_role("button", name="The next lesson").click()
        heading(page, lesson.title)
        go_through(page, lesson)
    expect(page.get_by_role("button", name="The next lesson")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="In three sentences")).to_be_visible()
    page.get_by_role("button", name="All lessons").click()
    heading(page, "Learn from real runs")


def test_a_lesson_fits_a_phone(page: Page, app: Served) -> None:
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.goto(app.address("lessons?lesson=retrained-model&step=2"))
    page.get_by_test_id("stMain").get_by_test_id("stRadioOption").first.click()
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    settled(page)
    wider = "() => document.querySelector('[data-testid=stMain]').scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wider) <= 0


@pytest.mark.parametrize(
    ("entry", "link", "then", "seen"),
    [
        ("Teach", "To the lessons", "Begin lesson 1", "What forgetting should look like: the retrained model"),
        ("Explore", "Compare two runs", "", "Which did better?"),
        ("Explain", "See a report", "", "Forget cat with UNSIR"),
    ],
)
def test_an_entry_leads_in_two_clicks_to_something_real(
    entry: str, link: str, then: str, seen: str, page: Page, app: Served
) -> None:
    page.goto(app.address(""))
    expect(page.get_by_role("heading", name=entry, exact=True)).to_be_visible()
    page.get_by_role("link", name=link).click()
    if then:
        page.get_by_role("button", name=then, exact=True).click()
    heading(page, seen)


def test_a_lesson_is_presented_by_keys(page: Page, app: Served) -> None:
    page.goto(app.address("lessons?lesson=unsir"))
    page.get_by_role("button", name="Present").click()
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()
    for number in range(2, 6):
        page.keyboard.press("ArrowRight")
        page.wait_for_url(f"**present={number}")
        settled(page)
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**present=4")
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(0)
    page.keyboard.press("Escape")
    heading(page, LESSONS["unsir"].title)
    page.goto(app.address("lessons?lesson=unsir&step=99"))
    with page.expect_download() as loaded:
        page.get_by_role("button", name="Handout").click()
    assert loaded.value.suggested_filename == "unsir.html"
