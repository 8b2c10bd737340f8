"""A sweep in a real browser, with a real worker: begun in two clicks, reloaded, its runner killed, a point clicked."""

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import CHART, QUICK, heading, settled, until
from unlearn_core.domain.run import RunState
from unlearn_core.domain.sweeps.sweep import SweepState
from unlearn_core.store.queue.run_store import RunStore

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

QUESTION = "Effect of impair: learning rate"


def test_eight_trials_survive_a_reload_and_a_killed_runner_and_a_point_leads_to_its_run(
    page: Page, app: Served
) -> None:
    store = RunStore(app.home)
    page.goto(app.address(f"method?{QUICK}&batch=128"))
    settled(page)
    page.get_by_role("button", name="Sweep", exact=True).first.click()
    heading(page, "Sweep hyperparameters")
    page.get_by_text("Stop unpromising trials early").click()  # all eight are counted below
    page.wait_for_url(re.compile("early=off"))
    settled(page)
    page.get_by_role("button", name="Start the sweep").click()
    heading(page, QUESTION)
    number = int(page.url.partition("sweep=")[2])
    expect(page.get_by_text(re.compile(r"[2-7] of 8 trials"))).to_be_visible()

    page.reload()
    heading(page, QUESTION)
    until(page, lambda: [one for one in store.sweeps.trials(number) if one.state is RunState.RUNNING])
    before = {one.number: one.run for one in store.sweeps.trials(number) if one.state is RunState.DONE}
    killed = kill_runner(store)

    expect(page.get_by_text(re.compile(r"8 of 8 trials .* done"))).to_be_visible()
    trials = store.sweeps.trials(number)
    assert store.sweeps.get(number).state is SweepState.DONE
    assert [(one.number, one.state) for one in trials] == [(place, RunState.DONE) for place in range(8)]
    assert len({one.run for one in trials}) == 8
    assert len({str(one.params) for one in trials}) == 8
    assert before.items() <= {one.number: one.run for one in trials}.items(), "what was finished was not made again"
    assert killed

    settled(page)
    points = page.locator(".scatterlayer .trace.scatter .points path.point")
    points.nth(1).scroll_into_view_if_needed()
    points.nth(1).click(force=True)
    page.wait_for_url(re.compile(r"/run\?id=\d+"))
    assert int(page.url.partition("id=")[2]) in {one.run for one in trials}
    expect(page.get_by_role("heading", name=CHART)).to_be_visible()
    page.go_back()
    heading(page, QUESTION)
    settled(page)
    page.get_by_role("button", name="Use the best settings").click()
    heading(page, "How should it forget?")
    assert "impair_lr=" in page.url or store.sweeps.get(number).spec.params["impair_lr"] in [
        one.params["impair_lr"] for one in trials
    ]


def kill_runner(store: RunStore) -> list[int]:
    """Ends the processes that do the work, as the system does when memory runs out; the supervisor lives."""
    (worker,) = store.workers()
    ours = [child for server in children(worker.pid) for child in children(server)]
    for pid in ours:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return ours


def children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found
