"""Messages of a websocket: those for developers do not reach Streamlit, whoever sends them."""

import asyncio
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from unlearn_core.ui.server.messages import KNOWN, MessageMiddleware


def passed_on(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    """What of these reaches the app behind the middleware."""
    seen: list[dict[str, Any]] = []
    waiting = iter([*messages, {"type": "websocket.disconnect"}])

    async def app(_scope: object, receive: Any, _send: object) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            seen.append(message)

    async def receive() -> dict[str, Any]:
        return next(waiting)

    asyncio.run(MessageMiddleware(app)({"type": "websocket"}, receive, None))  # pyright: ignore[reportArgumentType]
    return seen


def message(kind: str) -> dict[str, Any]:
    made = BackMsg()
    field = BackMsg.DESCRIPTOR.fields_by_name[kind]
    if field.message_type is None:
        setattr(made, kind, True)
    else:
        getattr(made, kind).SetInParent()
    return {"type": "websocket.receive", "bytes": made.SerializeToString()}


@pytest.mark.parametrize("kind", [field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields])
def test_only_what_pages_say_reaches_streamlit(kind: str) -> None:
    sent, other = message(kind), message("app_heartbeat")
    assert passed_on(sent, other) == ([sent, other] if kind in KNOWN else [other])


@pytest.mark.parametrize(
    "odd",
    [{"bytes": b"\xff\xff"}, {"bytes": b""}, {"text": "hello"}, {"bytes": None, "text": "x"}, {}],
    ids=range(5),
)
def test_what_is_no_message_is_left_to_streamlit(odd: dict[str, Any]) -> None:
    sent = {"type": "websocket.receive", **odd}
    assert passed_on(sent) == [sent]
