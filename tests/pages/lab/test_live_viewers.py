"""Many who watch one run: it is drawn once for all, and asked for less often the more there are."""

import threading
import time

import pytest

from tests.pages.conftest import Visit
from tests.pages.finished_runs import advance, by_class, started
from tests.pages.page_asserts import fine
from unlearn_core.charts.report import training_curve
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.pages.run import audience
from unlearn_core.ui.pages.run.audience import LONGEST, SHORTEST, Audience
from unlearn_core.ui.pages.run.drawn_once import DrawnOnce


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the audience sees, in seconds."""
    now = [100.0]
    monkeypatch.setattr(audience.time, "monotonic", lambda: now[0])
    return now


def test_viewers_of_one_step_share_one_drawing(visit: Visit, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    drawings: list[int] = []
    draw = training_curve.live_figure

    def counted(points, *rest, **named):
        drawings.append(len(points))
        return draw(points, *rest, **named)

    monkeypatch.setattr(training_curve, "live_figure", counted)
    number = str(store.submit(by_class(), title="Forget discs with UNSIR"))
    run = started(store)
    advance(store, run, 3)
    apps = [fine(visit("run", id=number)) for _ in range(3)]
    assert drawings == [1]
    assert len({app.get("plotly_chart")[0].proto.spec for app in apps}) == 1

    advance(store, run, 4)
    for app in apps:
        app.run()
    assert drawings == [1, 2], "drawn anew for the next step, with its point"


def test_a_single_viewer_sees_two_updates_a_second(clock: list[float]) -> None:
    assert Audience().interval("one") == SHORTEST


def test_the_interval_grows_with_the_viewers_and_shrinks_when_they_have_left(clock: list[float]) -> None:
    watching = Audience()
    found = [watching.interval(f"visitor {number}") for number in range(60)]
    assert found == sorted(found)
    assert found[14] == pytest.approx(1.0)
    assert found[29] == found[59] == LONGEST
    clock[0] += audience.GONE + 1
    assert watching.interval("visitor 0") == SHORTEST


def test_only_a_wrong_interval_is_changed_and_one_viewer_at_a_time(clock: list[float]) -> None:
    watching = Audience()
    visitors = [f"visitor {number}" for number in range(30)]
    for name in visitors:
        watching.interval(name)
    assert not watching.should_change(LONGEST, visitors[0])
    assert not watching.should_change(LONGEST / 1.2, visitors[0])
    assert watching.should_change(SHORTEST, visitors[0])
    assert not watching.should_change(SHORTEST, visitors[1]), "the next one a moment later"
    clock[0] += 2 * audience.CHANGE_SECONDS
    assert watching.should_change(SHORTEST, visitors[1])


def test_what_several_ask_for_at_once_is_made_once() -> None:
    once: DrawnOnce[object] = DrawnOnce(2)
    made: list[object] = []

    def slow() -> object:
        time.sleep(0.05)
        made.append(object())
        return made[-1]

    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(once.get("key", slow))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert found == made * 5


def test_only_the_newest_are_kept() -> None:
    once: DrawnOnce[int] = DrawnOnce(2)
    assert [once.get(key, lambda key=key: key) for key in (1, 2, 1, 3)] == [1, 2, 1, 3]
    assert once.get(1, lambda: 10) == 1
    assert once.get(2, lambda: 20) == 20, "the least recently wanted went"
