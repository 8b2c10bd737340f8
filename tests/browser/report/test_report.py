"""The report file in a browser that has no network: downloaded from a page, opened, drawn, turned dark, printed."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import heading, until
from tests.browser.conftest import PATIENCE
from tests.pages.finished_runs import CLASS
from unlearn_core.domain.run import RunState
from unlearn_core.store.queue.repeats import GROUP_PREFIX
from unlearn_core.store.queue.run_store import RunStore

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

UNDRAWN = "[...document.querySelectorAll('.chart')].filter(own => !own.querySelector('.main-svg')).map(own => own.id)"
INK = "getComputedStyle(document.querySelector('#chart-accuracy .ytick text')).fill"


@pytest.fixture
def downloaded(page: Page, app: Served, tmp_path: Path) -> Path:
    page.goto(app.address(f"run?id={CLASS}"))
    heading(page, "Forget discs with UNSIR")
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as begun:
        page.get_by_role("button", name="Report as one file (HTML)").click()
    assert begun.value.suggested_filename == f"run-{CLASS}.html"
    file = tmp_path / "report.html"
    begun.value.save_as(file)
    return file


def test_the_report_opens_with_the_network_cut(downloaded: Path, browser: Browser) -> None:
    context = browser.new_context(offline=True, color_scheme="light", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    alone = context.new_page()
    asked: list[str] = []
    troubles: list[str] = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    alone.on("pageerror", lambda problem: troubles.append(str(problem)))
    alone.goto(downloaded.as_uri())
    expect(alone.locator("html[data-drawn=light]")).to_be_attached()
    expect(alone.get_by_role("heading", level=1)).to_have_text("Did it forget discs?")
    assert alone.locator(".chart").count() >= 12
    assert alone.evaluate(UNDRAWN), "those in closed parts wait"
    for part in alone.locator("details.part > summary").all()[1:]:
        part.click()
    until(
        alone, lambda: alone.evaluate(UNDRAWN) == []
    )  # The file's own policy forbids Playwright's waiting in the page.
    for part in alone.locator("details.part > summary").all()[1:]:
        part.click()

    alone.locator("#chart-accuracy").scroll_into_view_if_needed()  # Charts answer to the mouse.
    alone.locator("#chart-accuracy .points path").nth(1).hover(force=True)
    expect(alone.locator("#chart-accuracy .hoverlayer text").first).to_be_attached()

    light = alone.evaluate(INK)
    alone.emulate_media(color_scheme="dark")
    expect(alone.locator("html[data-drawn=dark]")).to_be_attached()
    assert alone.evaluate(INK) != light

    # On paper it is light, whatever the screen is.
    paper = alone.pdf(prefer_css_page_size=True, print_background=True)
    assert paper.startswith(b"%PDF")
    assert alone.evaluate("document.documentElement.dataset.drawn") == "dark", "the screen is as it was"
    alone.emulate_media(media="print", color_scheme="dark")
    expect(alone.locator("html[data-drawn=paper]")).to_be_attached()
    assert alone.evaluate(UNDRAWN) == [] and alone.locator("details.part:not([open])").count() == 0
    assert alone.evaluate(INK) == light
    assert alone.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"

    alone.emulate_media(media="screen")
    alone.set_viewport_size({"width": 390, "height": 844})  # A telephone.
    until(alone, lambda: alone.evaluate("document.documentElement.scrollWidth") == 390)  # Charts follow a little later.
    assert alone.evaluate("document.documentElement.scrollHeight") < 8000
    retrained = alone.locator(".accuracies td[data-label=retrained]").first.bounding_box()
    assert retrained is not None and retrained["x"] + retrained["width"] <= 390

    outside = [url for url in asked if not url.startswith(("data:", "blob:"))]
    assert outside == [downloaded.as_uri()]
    assert troubles == []
    context.close()


def test_a_run_is_repeated_from_its_report(page: Page, app: Served) -> None:
    store = RunStore(app.home)
    page.goto(app.address(f"run?id={CLASS}"))
    heading(page, "Forget discs with UNSIR")
    page.get_by_role("button", name="Repeat", exact=True).click()
    page.get_by_role("button", name="Repeat it").click()

    def repeats() -> list[int]:
        runs = store.list_runs(kinds=("unlearn",))
        return [run.id for run in runs if run.group is not None and run.group.startswith(GROUP_PREFIX)]

    until(page, lambda: len(repeats()) == 2)
    made = repeats()
    try:  # The page draws itself again with each seed that is done, and nobody touches it.
        expect(page.get_by_text("Over 3 seeds").first).to_be_visible()
        expect(page.get_by_role("heading", name="Mean over seeds")).to_have_count(1)
        assert {store.get(run).state for run in made} == {RunState.DONE}
    finally:
        for run in made:
            store.cancel(run)
            until(page, lambda run=run: store.get(run).state.is_finished)
            store.delete(run)
