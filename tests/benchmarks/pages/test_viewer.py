"""A visitor without a browser asks what a browser asks, and counts what arrives."""

import asyncio
from collections.abc import Callable

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from unlearn_core.benchmarks.pages import viewer
from unlearn_core.benchmarks.pages.viewer import Viewer

PAGE = "0f"


class Socket:
    """What the visitor sends; the test says what it receives."""

    def __init__(self) -> None:
        self.sent: list[BackMsg] = []

    async def send(self, data: bytes) -> None:
        self.sent.append(BackMsg.FromString(data))


def message(fill: Callable[[ForwardMsg], object]) -> ForwardMsg:
    made = ForwardMsg()
    fill(made)
    return made


def finished(how: int = ForwardMsg.FINISHED_SUCCESSFULLY) -> ForwardMsg:
    return message(lambda made: setattr(made, "script_finished", how))


def begun() -> ForwardMsg:
    return message(lambda made: setattr(made.new_session, "name", "page"))


def timer(seconds: float) -> ForwardMsg:
    def fill(made: ForwardMsg) -> None:
        made.auto_rerun.interval, made.auto_rerun.fragment_id = seconds, "card"

    return message(fill)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(viewer.time, "monotonic", lambda: now[0])
    return now


def opened() -> tuple[Viewer, Socket]:
    """A visitor whose page has arrived."""
    visitor, socket = Viewer("http://127.0.0.1:1/run?id=7"), Socket()
    visitor._socket = socket  # type: ignore[assignment]
    visitor.opened = 0.1
    return visitor, socket


def test_a_request_says_what_a_browser_says(clock: list[float]) -> None:
    visitor, socket = opened()
    asyncio.run(visitor._ask())
    visitor._take(message(lambda made: setattr(made.navigation, "page_script_hash", PAGE)))
    asyncio.run(visitor._ask("card"))
    first, later = (sent.rerun_script for sent in socket.sent)
    assert (first.query_string, first.page_name, first.page_script_hash, first.fragment_id) == ("id=7", "run", "", "")
    assert (later.page_script_hash, later.fragment_id, later.is_auto_rerun) == (PAGE, "card", True)
    assert later.context_info.url == visitor.url


def test_an_answer_counts_from_the_first_request_that_it_answers(clock: list[float]) -> None:
    visitor, _ = opened()
    asyncio.run(visitor._ask("card"))
    clock[0] = 1.0
    visitor._take(begun())
    asyncio.run(visitor._ask("card"))  # Too late for the script that has begun.
    clock[0] = 3.0
    visitor._take(finished(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY))
    visitor._take(begun())
    clock[0] = 3.5
    visitor._take(finished(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY))
    assert visitor.late == [3.0, 2.5]


def test_an_answer_that_was_dropped_is_none(clock: list[float]) -> None:
    visitor, _ = opened()
    asyncio.run(visitor._ask("card"))
    visitor._take(begun())
    visitor._take(finished(ForwardMsg.FINISHED_EARLY_FOR_RERUN))
    assert visitor.late == []
    clock[0] = 4.0
    visitor._take(begun())
    visitor._take(finished())
    assert visitor.late == [4.0]


def test_timers_of_the_page_ask_until_they_are_stopped() -> None:
    async def visit() -> tuple[int, int]:
        visitor, socket = opened()
        visitor._take(timer(1 / 64))
        assert visitor.interval == 1 / 64
        await asyncio.sleep(0.2)
        asked = len(socket.sent)
        visitor._take(message(lambda made: made.stop_auto_rerun.fragment_ids.append("card")))
        assert visitor.interval == 0.0
        await asyncio.sleep(0.05)
        return asked, len(socket.sent)

    asked, after = asyncio.run(visit())
    assert 2 <= asked == after


def test_an_error_on_the_page_is_noted() -> None:
    visitor, _ = opened()
    visitor._take(message(lambda made: setattr(made.delta.new_element.exception, "message", "it broke")))
    assert visitor.errors == ["it broke"]
