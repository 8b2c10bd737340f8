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


def test_buttons_and_checkboxes_are_used_by_their_keys() -> None:
    def fill(kind: str, key: str) -> ForwardMsg:
        return message(lambda made: setattr(getattr(made.delta.new_element, kind), "id", f"$$ID-0a1b-{key}"))

    async def visit() -> list[BackMsg]:
        visitor, socket = opened()
        for kind, key in (("button", "strip-run"), ("checkbox", "class-3")):
            visitor._take(fill(kind, key))
        for act in (visitor.press("strip-run"), visitor.tick("class-3", value=True)):
            acting = asyncio.create_task(act)
            await asyncio.sleep(0)
            visitor._take(finished())
            await acting
        with pytest.raises(KeyError):
            await visitor.press("strip-stop")
        return socket.sent

    (pressed,), (ticked,) = (sent.rerun_script.widget_states.widgets for sent in asyncio.run(visit()))
    assert (pressed.id, pressed.trigger_value) == ("$$ID-0a1b-strip-run", True)
    assert (ticked.id, ticked.bool_value) == ("$$ID-0a1b-class-3", True)


def test_what_the_page_writes_into_the_url_is_asked_for_next() -> None:
    visitor, socket = opened()
    visitor._take(message(lambda made: setattr(made.page_info_changed, "query_string", "id=8&tab=Images")))
    asyncio.run(visitor._ask())
    assert socket.sent[0].rerun_script.query_string == "id=8&tab=Images" and visitor.url.endswith(
        "/run?id=8&tab=Images"
    )


def test_a_page_that_is_drawn_anew_has_only_the_timers_that_it_starts() -> None:
    async def visit() -> tuple[float, float]:
        visitor, _ = opened()
        visitor._take(timer(10.0))
        part = begun()
        part.metadata.run.fragment_ids.append("card")
        visitor._take(part)
        before = visitor.interval
        visitor._take(begun())
        return before, visitor.interval

    assert asyncio.run(visit()) == (10.0, 0.0)


def test_images_are_known_by_their_paths() -> None:
    visitor, _ = opened()
    for url in ("/media/0a.png", "https://elsewhere.example/x.png"):
        visitor._take(message(lambda made, url=url: made.delta.new_element.imgs.imgs.add(url=url)))
    assert visitor.images == {"/media/0a.png"}


def test_cookies_are_sent_as_by_a_browser() -> None:
    assert viewer.cookie_header({"a": "1", "b": "2"}) == "a=1; b=2"
