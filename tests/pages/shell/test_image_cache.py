"""Images have a hash as their name, and browsers keep them."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.web.server.starlette.starlette_routes import create_media_routes

from unlearn_core.ui.server import middleware

AGE = "private, max-age=31536000, immutable"


def answer(path: str, *, base: str | None = None) -> tuple[int, str | None]:
    """Status and age of what Streamlit's own server of images answers; it holds one image and one table."""
    storage = MemoryMediaFileStorage("/media")
    names = {
        "image": storage.get_url(storage.load_and_get_id(b"png", "image/png", MediaFileKind.MEDIA)),
        "table": storage.get_url(storage.load_and_get_id(b"a,b", "text/csv", MediaFileKind.DOWNLOADABLE, "x.csv")),
    }
    routes = create_media_routes(storage, base)
    app = Starlette(routes=routes, middleware=[Middleware(middleware.ImageCacheMiddleware)])
    scope = {"type": "http", "method": "GET", "path": path.format(**names), "headers": [], "query_string": b""}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]).get(b"cache-control", b"").decode() or None


@pytest.mark.parametrize(
    ("path", "base", "status", "age"),
    [
        ("{image}", None, 200, AGE),
        ("/lab{image}", "lab", 200, AGE),
        ("{table}", None, 200, None),
        ("/media/0123.png", None, 404, None),
        ("/history", None, 404, None),
    ],
)
def test_browsers_keep_images_and_nothing_else(path: str, base: str | None, status: int, age: str | None) -> None:
    assert answer(path, base=base) == (status, age)


def test_other_connections_are_left_alone() -> None:
    reached: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    asyncio.run(middleware.ImageCacheMiddleware(app)({"type": "lifespan"}, None, None))  # pyright: ignore[reportArgumentType]
    assert reached == ["lifespan"]
