"""A run that is on screen, and what may happen to it: reloads, a second tab, a cancel, the end of the web server."""

import time

import pytest
from playwright.sync_api import Page, WebSocket, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.app_server import Served
from tests.browser.browser_steps import CHART, LONG, QUICK, STOPPED, begin, heading, settled, step, until
from tests.pages.finished_runs import CLASS
from tests.pages.report.pending_runs import begin as begin_report
from tests.pages.report.pending_runs import write as write_report
from unlearn_core.charts import charts
from unlearn_core.domain.report import NOT_YET
from unlearn_core.domain.run import RunState
from unlearn_core.store.queue.run_store import RunStore

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def test_a_reload_in_the_middle_of_a_run_loses_nothing(page: Page, app: Served) -> None:
    number = begin(page, app, LONG)
    expect(page.get_by_text("Current stage")).to_be_visible()
    before = step(page)
    page.reload()
    heading(page, "Forget discs with UNSIR")
    assert page.url.endswith(f"id={number}")
    assert step(page) >= before
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(STOPPED)).to_be_visible()


def test_a_second_tab_sees_the_same_run_and_what_the_first_does_to_it(page: Page, app: Served) -> None:
    number = begin(page, app, LONG)
    second = page.context.new_page()
    second.goto(app.address(f"run?id={number}"))
    heading(second, "Forget discs with UNSIR")
    step(page)
    step(second)
    page.get_by_role("button", name="Cancel").click()
    expect(second.get_by_text(STOPPED)).to_be_visible()
    expect(page.get_by_text(STOPPED)).to_be_visible()


def test_cancel_frees_the_worker(page: Page, app: Served) -> None:
    number = begin(page, app, LONG)
    over, first = step(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(STOPPED)).to_be_visible()
    run = RunStore(app.home).get(number)
    assert run.state is RunState.CANCELLED
    assert run.progress is not None
    assert run.progress.phases[over].done >= first
    assert sum(phase.done for phase in run.progress.phases) < sum(phase.steps for phase in run.progress.phases)
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

    def since(moments: list[float], start: float) -> int:
        return sum(moment > start for moment in moments)

    page.on("websocket", listen)
    begin(page, app, LONG)
    step(page)
    until(page, lambda: len(whole) >= 2)  # the method page's own, and that of this one
    at = time.monotonic()
    until(page, lambda: since(sent, at) >= 4)
    assert since(whole, at) == 0
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(STOPPED)).to_be_visible()
    until(page, lambda: since(whole, at))
    settled(page)
    over = time.monotonic()
    page.wait_for_timeout(1_500)  # three ticks, if there were any
    assert since(sent, over) == 0
    assert since(whole, at) == 1


def test_a_run_outlives_the_web_server_and_the_next_one_shows_it(page: Page, app: Served) -> None:
    number = begin(page, app, f"{QUICK}&noise_pictures=512&noise_repeats=40&impair_epochs=2&batch=16")
    step(page)
    page.close()
    app.kill()
    store, opened = RunStore(app.home), page.context.new_page()
    assert store.get(number).state is RunState.RUNNING
    told = store.get(number).progress
    until(opened, lambda: store.get(number).progress != told)  # with nobody to see it
    app.start()
    opened.goto(app.address(f"run?id={number}"))
    heading(opened, "Forget discs with UNSIR")
    expect(opened.get_by_role("dialog")).to_have_count(0)
    expect(opened.get_by_role("heading", name=CHART)).to_be_visible()
    until(opened, lambda: store.get(number).state.is_finished)  # its report opens before all of it is measured
    run = store.get(number)
    assert (run.state, run.attempt) == (RunState.DONE, 1)


def test_a_report_opens_with_its_verdict_and_fills_in_where_it_is_read(page: Page, app: Served) -> None:
    store = RunStore(app.home)
    run = begin_report(store)
    page.goto(app.address(f"run?id={run.id}&tab=Classes"))
    expect(page.get_by_text("Still to come")).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_text(NOT_YET).first).to_be_visible()
    settled(page)
    place = page.get_by_role("heading", name=charts()["confusion"].title)
    before = place.bounding_box()
    write_report(store, run.id, ("logits", "timings"))
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.get_by_text(NOT_YET)).to_have_count(0)
    after = place.bounding_box()
    assert before is not None and after is not None and abs(before["y"] - after["y"]) < 30, "what is read does not jump"
    expect(page.get_by_role("button", name="Compare")).to_have_count(0)
    write_report(store, run.id, ())
    store.execution.finish(run.id, run.attempt, metrics=store.get(CLASS).metrics)
    expect(page.get_by_role("button", name="Compare")).to_be_visible()
    expect(page.get_by_text("Still to come")).to_have_count(0)
    expect(page.get_by_role("tab", name="Classes")).to_have_attribute("aria-selected", "true")
