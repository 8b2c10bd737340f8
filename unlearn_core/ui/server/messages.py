"""Which messages of a page reach Streamlit: those that our pages send, and no others."""

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

KNOWN = ("rerun_script", "stop_script", "file_urls_request", "app_heartbeat", "backend_operation_request")
"""What pages say: clicks and ticks, downloads and large tables, and that they are still there."""


class MessageMiddleware:
    """Middleware: a hand-made message empties no caches of all visitors, and asks nothing about the server's files.

    Streamlit has such messages for developers, and takes them from everybody.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_known() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive" or _is_known(message.get("bytes") or b""):
                    return message

        await self.app(scope, receive_known if scope["type"] == "websocket" else receive, send)


def _is_known(data: bytes) -> bool:
    """Whether a message is one of `KNOWN`, or none at all: then Streamlit closes the connection."""
    try:
        return BackMsg.FromString(data).WhichOneof("type") in (*KNOWN, None)
    except DecodeError:
        return True
