"""The playground in the browser: a lasso to a moving boundary, drawn points, keys, a phone, and its frames a second."""

import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from tests.browser.app_server import Served
from tests.browser.browser_steps import begin, heading, settled, step, until
from tests.browser.conftest import NARROW
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.engine.job import JobContext
from unlearn_core.engine.jobs.playground_run import run_points
from unlearn_core.engine.listener import NullListener
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.store.queue.run_store import RunStore

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

TITLE = "What does forgetting do to a decision boundary?"
MINUTES = "forget=cat&method=unsir&noise_pictures=512&noise_repeats=40&impair_epochs=5&batch=16"
"""A run of 7,600 steps on the bundled classifier: no machine ends it while somebody plays, so it is cancelled."""

FRAMES, WAIT = 30.0, 1.5
"""The fewest frames a second of the animation, and the most seconds from a lasso to a moving boundary."""


class Plane:
    """The plane on a page, in places of the unit square."""

    def __init__(self, page: Page) -> None:
        self.page, self.stage = page, page.locator("canvas.stage")
        self.stage.wait_for()

    def at(self, x: float, y: float) -> tuple[float, float]:
        box = self.stage.bounding_box()
        assert box is not None
        return box["x"] + 11 + x * (box["width"] - 22), box["y"] + 11 + (1 - y) * (box["height"] - 22)

    def lasso(self, x: float, y: float, radius: float) -> None:
        self.stage.scroll_into_view_if_needed()
        self.page.mouse.move(*self.at(x + radius, y))
        self.page.mouse.down()
        for turn in range(1, 25):
            angle = turn * math.pi / 12
            self.page.mouse.move(*self.at(x + radius * math.cos(angle), y + radius * math.sin(angle)))
        self.page.mouse.up()

    def moved(self) -> None:
        """Waits until a run plays."""
        expect(self.page.locator("[data-moment-words]")).to_contain_text(re.compile(r"step [1-9]\d* of"))

    def compared(self) -> None:
        """Waits until the retrained model is there too."""
        expect(self.page.locator("[data-sentence]")).to_contain_text("The retrained model:")


@contextmanager
def answered(home: Path) -> Iterator[None]:
    """Makes the runs of the queue in this process, which has all that they need, as a worker's child does."""
    store, cache, over = RunStore(home), ModelCache("cpu", home), threading.Event()

    def serve() -> None:
        while not over.is_set():
            run = store.execution.claim("here", device="cpu", kinds={"points"})
            if run is None or not isinstance(run.spec, PointsSpec):
                time.sleep(0.02)
                continue
            store.execution.finish(
                run.id, run.attempt, metrics=run_points(run.spec, JobContext(cache, NullListener(), home))
            )

    torch.set_num_threads(1)
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.quick
def test_a_lasso_moves_the_boundary(browser: Browser, tmp_path: Path) -> None:
    with Served(tmp_path / "home", worker="none", plugins="") as served, answered(tmp_path / "home"):
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(served.address("playground?data=moons&method=ssd"))
        plane = Plane(page)
        expect(page.locator("[data-title]")).to_contain_text("Circle some points")
        plane.lasso(0.5, 0.02, 0.01)
        expect(page.locator("[data-hint]")).to_contain_text("There is no point in the lasso.")
        plane.lasso(0.2, 0.8, 0.06)
        plane.moved()
        plane.compared()
        assert re.search(r"points=[\w-]{4,}", page.url)
        assert not wrong
        page.context.close()


@pytest.fixture
def opened(page: Page, app: Served) -> Callable[[str], Plane]:
    def go(query: str = "") -> Plane:
        page.goto(app.address(f"playground{query}"))
        heading(page, TITLE)
        return Plane(page)

    return go


@pytest.mark.slow
def test_a_scene_plays_at_once_and_is_paused_stepped_and_reset(page: Page, opened: Callable[[str], Plane]) -> None:
    plane = opened("")
    plane.moved()
    plane.compared()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    moment = page.locator("[data-moment-words]")
    page.get_by_role("button", name="To the beginning").click()
    expect(moment).to_contain_text("step 0 of")
    page.get_by_role("button", name="One step on").click()
    page.get_by_role("button", name="One step on").click()
    expect(moment).not_to_contain_text("step 0 of")
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause").click()
    stopped = moment.inner_text()
    page.wait_for_timeout(300)
    assert moment.inner_text() == stopped
    page.get_by_label("Speed").select_option("4")
    page.wait_for_url(re.compile("speed=4"))
    page.get_by_label("points that the method makes").uncheck()
    page.wait_for_url(re.compile("hide=made"))
    page.get_by_text("One step too far", exact=True).click()
    page.wait_for_url(re.compile("method=neggrad"))
    expect(page.locator("[data-title]")).to_contain_text("the rest paid")
    page.get_by_role("button", name="dusk").wait_for(state="detached")


@pytest.mark.slow
def test_points_are_drawn_and_forgotten_by_keys_alone(page: Page, opened: Callable[[str], Plane]) -> None:
    plane = opened("?data=own&method=finetune")
    expect(page.locator("[data-title]")).to_contain_text("Draw at least")
    page.get_by_role("button", name="Draw", exact=True).press("Enter")
    for label, keys in (("blue", ["ArrowLeft"]), ("orange", ["ArrowRight"])):
        page.get_by_role("button", name=label, exact=True).press("Enter")
        plane.stage.focus()
        for key in [*keys * 5, "Space", "ArrowUp", "Space", "ArrowUp", "Space", "ArrowDown", "ArrowDown"]:
            page.keyboard.press(key)
    page.wait_for_url(re.compile("drawn="))
    expect(page.locator("[data-title]")).to_contain_text("Circle some points")
    page.get_by_role("button", name="Single points").press("Enter")
    plane.stage.focus()
    for key in [*["ArrowLeft"] * 5, "Space"]:
        page.keyboard.press(key)
    plane.moved()
    plane.compared()
    assert "points=" in page.url
    page.reload()
    plane.compared()
    page.get_by_role("button", name="Draw", exact=True).click()
    page.get_by_role("button", name="Clear drawn points").click()
    expect(page.locator("[data-title]")).to_contain_text("Draw at least")


@pytest.mark.slow
def test_on_a_phone_nothing_is_cut_off(page: Page, opened: Callable[[str], Plane]) -> None:
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    plane = opened("?data=spirals&method=finetune")
    settled(page)
    plane.lasso(0.72, 0.62, 0.1)
    plane.compared()
    assert page.get_by_test_id("stMain").evaluate("box => box.scrollWidth - box.clientWidth") <= 0


@pytest.mark.slow
def test_a_lasso_beside_a_run_moves_the_boundary_in_time(
    page: Page, app: Served, opened: Callable[[str], Plane]
) -> None:
    store, number = RunStore(app.home), begin(page, app, MINUTES)
    step(page)
    plane = opened("?data=moons&method=ssd")
    expect(page.locator("[data-title]")).to_contain_text("Circle some points")
    waits = []
    for turn in range(5):
        expect(page.get_by_role("button", name="Lasso", exact=True)).to_be_visible()
        url = page.url
        plane.lasso(0.2 + 0.02 * turn, 0.8, 0.06)
        began = time.monotonic()
        until(page, lambda url=url: page.url != url)
        plane.moved()
        waits.append(time.monotonic() - began)
        plane.compared()
    assert not store.get(number).state.is_finished
    store.cancel(number)
    assert min(waits) <= WAIT, waits


@pytest.mark.slow
def test_the_animation_keeps_thirty_frames_a_second(page: Page, opened: Callable[[str], Plane]) -> None:
    plane = opened("")
    plane.compared()
    page.get_by_label("Speed").select_option("0.25")
    rates = [frames_a_second(page) for _ in range(3)]
    assert max(rates) >= FRAMES, rates


def frames_a_second(page: Page) -> float:
    """How many frames the browser draws in a second of the animation, by its own tracing."""
    page.get_by_role("button", name="To the beginning").click()
    client, drawn, done = page.context.new_cdp_session(page), [], threading.Event()
    client.on("Tracing.dataCollected", lambda found: drawn.extend(found["value"]))
    client.on("Tracing.tracingComplete", lambda _: done.set())
    page.get_by_role("button", name="Play", exact=True).click()
    client.send("Tracing.start", {"categories": "devtools.timeline,disabled-by-default-devtools.timeline.frame"})
    page.wait_for_timeout(4000)
    client.send("Tracing.end")
    until(page, done.is_set)
    page.get_by_role("button", name="Pause").click()
    times = sorted(event["ts"] for event in drawn if event["name"] == "DrawFrame")
    return 1_000_000 * (len(times) - 1) / (times[-1] - times[0])
