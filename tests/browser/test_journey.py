"""What a person does, from the first page to the report, and everything that may come between."""

import re
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.conftest import PATIENCE
from tests.browser.served import Served
from tests.pages.finished import CLASS, PICTURES
from unlearn_core.domain.run import RunState
from unlearn_core.store.runs import RunStore

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
expect.set_options(timeout=PATIENCE)

QUICK = "classifier=tiny&forget=discs&method=unsir"
LONG = f"{QUICK}&noise_pictures=512&noise_repeats=40&impair_epochs=5&batch=16"
"""Some 6,500 steps: long enough to do something in the middle of it."""

QUESTION = "Did it forget, and did it keep?"


def begin(page: Page, app: Served, setup: str) -> int:
    """Presses Run on the method page, and gives the run's number from the address that follows."""
    page.goto(app.address(f"method?{setup}"))
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(re.compile(r"/run\?id=\d+"))
    return int(page.url.partition("id=")[2].partition("&")[0])


def step(page: Page) -> int:
    """The number of the step that is shown now, once one is shown."""
    shown = page.get_by_text(re.compile(r"step \d[\d,]* of [\d,]+")).first
    expect(shown).to_be_visible()
    found = re.search(r"step ([\d,]+) of", shown.inner_text())
    assert found is not None
    return int(found[1].replace(",", ""))


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


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
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    for name in ("Pictures", "Logits", "Weights", "How it went", "Details"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_url(re.compile(f"tab={name.replace(' ', '.{1,3}')}"))
        expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Every accuracy")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Every accuracy")).to_be_visible()


@pytest.mark.slow
def test_a_reload_in_the_middle_of_a_run_loses_nothing(page: Page, app: Served) -> None:
    number = begin(page, app, LONG)
    expect(page.get_by_text("What it is doing")).to_be_visible()
    before = step(page)
    page.reload()
    heading(page, "Forget discs with UNSIR")
    assert page.url.endswith(f"id={number}")
    assert step(page) >= before
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("It was stopped after")).to_be_visible()


@pytest.mark.slow
def test_a_second_tab_sees_the_same_run_and_what_the_first_does_to_it(page: Page, app: Served) -> None:
    number = begin(page, app, LONG)
    second = page.context.new_page()
    second.goto(app.address(f"run?id={number}"))
    heading(second, "Forget discs with UNSIR")
    step(page)
    step(second)
    page.get_by_role("button", name="Cancel").click()
    expect(second.get_by_text("It was stopped after")).to_be_visible()
    expect(page.get_by_text("It was stopped after")).to_be_visible()


@pytest.mark.slow
def test_cancel_frees_the_worker(page: Page, app: Served) -> None:
    number = begin(page, app, LONG)
    first = step(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("It was stopped after")).to_be_visible()
    run = RunStore(app.home).get(number)
    assert run.state is RunState.CANCELLED
    assert run.progress is not None
    made = sum(phase.done for phase in run.progress.phases)
    assert first <= made < sum(phase.steps for phase in run.progress.phases)
    page.get_by_role("button", name="Change and run again").click()
    heading(page, "How should it forget?")
    assert "noise_repeats=40" in page.url


def test_a_run_on_screen_ticks_and_ends_in_one_whole_rerun(page: Page, app: Served) -> None:
    sent: list[float] = []
    whole: list[float] = []

    def hear(frame: str | bytes) -> None:
        message = ForwardMsg.FromString(frame if isinstance(frame, bytes) else frame.encode())
        ended = message.WhichOneof("type") == "script_finished"
        if ended and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:  # Fragments have a word of their own.
            whole.append(time.monotonic())

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda _: sent.append(time.monotonic()))
        socket.on("framereceived", hear)

    page.on("websocket", listen)
    begin(page, app, LONG)
    step(page)
    page.wait_for_timeout(1_500)  # The page's own first run may still be ending.
    at = time.monotonic()
    page.wait_for_timeout(4_000)
    asked = [moment for moment in sent if moment > at]
    assert len(asked) >= 3
    assert [moment for moment in whole if moment > at] == []
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("It was stopped after")).to_be_visible()
    page.wait_for_timeout(1_000)
    over = time.monotonic()
    page.wait_for_timeout(4_000)
    assert [moment for moment in sent if moment > over] == []
    assert len([moment for moment in whole if moment > at]) == 1


@pytest.mark.slow
def test_a_click_on_a_picture_is_answered(page: Page, app: Served) -> None:
    page.goto(app.address(f"run?id={CLASS}&tab=Pictures"))
    expect(page.get_by_role("heading", name="Look into any picture")).to_be_visible()
    gallery = page.get_by_test_id("stGrid").last.get_by_role("button")
    expect(gallery).to_have_count(24)
    shown = page.get_by_test_id("stImage").count()
    gallery.first.click()
    expect(page.get_by_text("What speaks for the class")).to_be_visible()
    expect(page.get_by_test_id("stImage")).to_have_count(shown + 5)


@pytest.mark.slow
def test_a_link_is_right_as_the_very_first_visit(browser: Browser, template: Path, tmp_path: Path) -> None:
    shutil.copytree(template, tmp_path / "home")
    with Served(tmp_path / "home", worker="none") as fresh:
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(fresh.address(f"run?id={CLASS}"))
        heading(page, "Forget discs with UNSIR")
        expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("link", name="History")).to_be_visible()
        context.close()


@pytest.mark.slow
def test_the_back_button_goes_back(page: Page, app: Served) -> None:
    page.goto(app.address(f"run?id={CLASS}"))
    heading(page, "Forget discs with UNSIR")
    page.get_by_role("button", name="Change and run again").click()
    heading(page, "How should it forget?")
    assert "forget=discs" in page.url
    page.go_back()
    heading(page, "Forget discs with UNSIR")
    page.get_by_role("link", name="History").click()
    heading(page, "What has been tried?")
    page.go_back()
    heading(page, "Forget discs with UNSIR")
    assert f"id={CLASS}" in page.url


@pytest.mark.parametrize("wrong", ["run?id=999", "run?id=%3Cb%3E", "run/999", "run?id="])
@pytest.mark.slow
def test_a_wrong_run_is_answered_with_a_next_step(wrong: str, page: Page, app: Served) -> None:
    page.goto(app.address(wrong))
    heading(page, "There is no such run")
    page.get_by_role("button", name="Choose what to forget").click()
    heading(page, "What should it forget?")


@pytest.mark.parametrize("wrong", ["nowhere", "nowhere/at/all?x=1"])
@pytest.mark.slow
def test_a_wrong_address_leads_on(wrong: str, page: Page, app: Served) -> None:
    page.goto(app.address(wrong))
    heading(page, "There is no page here")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="To your runs").click()
    heading(page, "What has been tried?")


@pytest.mark.slow
def test_the_history_opens_a_run(page: Page, app: Served) -> None:
    page.goto(app.address("history"))
    heading(page, "What has been tried?")
    table = page.get_by_test_id("stDataFrame").last
    expect(table).to_be_visible()
    expect(page.get_by_role("button", name="Open")).to_be_disabled()
    page.wait_for_timeout(500)
    table.click(position={"x": 18, "y": 60})
    expect(page.get_by_role("button", name="Open")).to_be_enabled()
    page.get_by_role("button", name="Open").click()
    page.wait_for_url(re.compile(r"/run\?id=\d+"))


@pytest.mark.parametrize("where", [f"run?id={CLASS}", f"run?id={PICTURES}&tab=Details", "history", "run?id=999"])
@pytest.mark.slow
def test_a_telephone_never_scrolls_sideways(where: str, browser: Browser, app: Served) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(app.address(where))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_timeout(2_000)
    assert page.get_by_test_id("stMain").evaluate("box => box.scrollWidth - box.clientWidth") <= 0
    context.close()
