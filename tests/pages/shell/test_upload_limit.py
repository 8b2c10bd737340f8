"""The uploads of all visitors together are bounded."""

import asyncio
from types import SimpleNamespace

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from unlearn_core.ui.server import middleware

MB = 1_000_000


class Server:
    """A server that holds what it is sent, as Streamlit's does, once `done` is set."""

    def __init__(self) -> None:
        self.files, self.taken, self.done = MemoryUploadedFileManager(""), 0, asyncio.Event()
        self.app = middleware.UploadLimitMiddleware(self._hold)

    async def _hold(self, scope, receive, send) -> None:
        await self.done.wait()
        self.taken += 1
        size = int(dict(scope["headers"]).get(b"content-length", b"0"))
        self.files.add_file(str(self.taken), UploadedFileRec(file_id="x", name="x", type="", data=bytes(size)))

    async def put(self, size: int | None, path: str = "/_stcore/upload_file/session/file", method: str = "PUT") -> str:
        """Sends an upload; returns what the limit answers, or ""."""
        sent: list[dict] = []

        async def send(message) -> None:
            sent.append(message)

        headers = [] if size is None else [(b"content-length", str(size).encode())]
        await self.app({"type": "http", "method": method, "path": path, "headers": headers}, None, send)  # pyright: ignore
        assert not sent or sent[0]["status"] == 503
        return sent[1]["body"].decode() if sent else ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("UNLEARN_MOST_UPLOADS_MB", "10")
    found = Server()
    runtime = SimpleNamespace(exists=lambda: True, instance=lambda: SimpleNamespace(uploaded_file_mgr=found.files))
    monkeypatch.setattr(middleware, "Runtime", runtime)
    return found


def test_what_is_held_and_what_arrives_count_together(server: Server) -> None:
    async def visit() -> None:
        first, second = asyncio.create_task(server.put(6 * MB)), asyncio.create_task(server.put(6 * MB))
        assert "as many uploads as it may" in await second, "the first one is still on its way"
        refusal = await server.put(5 * MB)
        assert "It holds 6 MB of 10 MB, and this file has 5 MB." in refusal and "UNLEARN_MOST_UPLOADS_MB" in refusal
        server.done.set()
        assert await first == "" and middleware.held_bytes() == 6 * MB
        assert await server.put(5 * MB) and await server.put(4 * MB) == ""
        assert await server.put(1), "it is full"
        server.files.remove_session_files("1")
        assert await server.put(6 * MB) == "", "and has room again when a visitor has gone"

    asyncio.run(visit())


def test_one_that_does_not_say_its_size_may_be_the_largest(server: Server) -> None:
    server.done.set()
    assert asyncio.run(server.put(None))
    assert asyncio.run(server.put(0)) == ""


def test_other_requests_pass(server: Server) -> None:
    server.done.set()
    asyncio.run(server.put(10 * MB))
    assert asyncio.run(server.put(5, method="DELETE")) == "", "removing a file makes room"
    assert asyncio.run(server.put(5, path="/_stcore/health")) == ""


def test_an_upload_that_fails_gives_its_share_back(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(scope, receive, send) -> None:
        raise ConnectionError

    hold, server.app.app = server.app.app, fail
    with pytest.raises(ConnectionError):
        asyncio.run(server.put(9 * MB))
    server.app.app = hold
    server.done.set()
    assert asyncio.run(server.put(9 * MB)) == ""


def test_nothing_is_held_where_no_server_runs() -> None:
    assert middleware.held_bytes() == 0
