"""What happens to requests beside Streamlit: some are redirected, uploads are bounded together, images are kept."""

from urllib.parse import quote

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import Runtime
from streamlit.runtime.stats import CacheStat

from unlearn_core.settings import limit_hint, settings

MOVED_PAGES = {"pictures": "datasets", "start": ""}
"""Other names of pages, and the names under which they are found: the first page has none in its URL."""

STREAMLIT_PATHS = {"_stcore", "app", "auth", "component", "media", "oauth2callback", "static"}
"""First parts of the paths that Streamlit itself serves."""


class RedirectMiddleware:
    """Middleware: every page has a URL of one part, and Streamlit renders a blank page for longer ones.

    `/run/42` leads to the run of that number; any other longer URL leads to its first part. A page that was renamed is
    found under its former name, and the first page under its own, with the same query.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = scope["path"].strip("/").split("/") if scope["type"] == "http" else []
        moved = parts[0] in MOVED_PAGES if parts else False
        if (len(parts) < 2 and not moved) or parts[0] in STREAMLIT_PATHS or not is_visit(scope):
            await self.app(scope, receive, send)
            return
        query = scope.get("query_string", b"").decode("latin-1") if moved else ""
        if parts[0] == "run" and (parts[1].isdecimal() or parts[1] == "example"):
            query = f"id={parts[1]}"
        page = quote(MOVED_PAGES[parts[0]] if moved else parts[0], safe="")
        await RedirectResponse(f"/{page}?{query}" if query else f"/{page}")(scope, receive, send)


class UploadLimitMiddleware:
    """Middleware: the uploads of all visitors together take a limited share of the server's memory.

    Streamlit limits each upload, but not their number, and holds them until their visitors are gone for some minutes.
    Those that are on their way count with the size that they announce.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app, self._arriving = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT" or UPLOAD_PATH not in scope["path"]:
            await self.app(scope, receive, send)
            return
        size = _announced_size(scope)
        held, most = self._arriving + held_bytes(), settings().most_uploads_mb
        if held + size > most * 1_000_000:
            figures = f"It holds {held / 1e6:,.0f} MB of {most:,} MB, and this file has {size / 1e6:,.0f} MB."
            refusal = f"{UPLOADS_FULL} {figures} {limit_hint('most_uploads_mb')}"
            await PlainTextResponse(refusal, 503)(scope, receive, send)
            return
        self._arriving += size
        try:
            await self.app(scope, receive, send)
        finally:
            self._arriving -= size


UPLOAD_PATH = "/_stcore/upload_file/"
UPLOADS_FULL = "The server holds as many uploads as it may. Try again in some minutes."


class ImageCacheMiddleware:
    """Middleware: browsers keep images, since the name of each is a hash of its content.

    `private` keeps those of a visitor's own data out of caches that several people share.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        folder, _, _ = scope["path"].rpartition("/") if scope["type"] == "http" else ("", "", "")
        if not folder.endswith("/media"):
            await self.app(scope, receive, send)
            return

        async def send_with_age(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (200, 206):
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("image/"):
                    headers["cache-control"] = "private, max-age=31536000, immutable"
            await send(message)

        await self.app(scope, receive, send_with_age)


UPLOADS_HELP = f"Status 503 means: {UPLOADS_FULL}"
"""For upload fields: Streamlit shows only the status of a refused upload."""


def held_bytes() -> int:
    """How many bytes of uploads this server holds in memory."""
    found = Runtime.instance().uploaded_file_mgr.get_stats() if Runtime.exists() else {}
    return sum(stat.byte_length for stats in found.values() for stat in stats if isinstance(stat, CacheStat))


def _announced_size(scope: Scope) -> int:
    """The bytes that a request announces to send; the most that it may send if it does not say."""
    said = dict(scope["headers"]).get(b"content-length", b"")
    return int(said) if said.isdigit() else st.get_option("server.maxUploadSize") << 20


def is_visit(scope: Scope) -> bool:
    """Return whether a person opens this URL, as opposed to a page that loads its parts."""
    return scope["method"] == "GET" and b"text/html" in dict(scope["headers"]).get(b"accept", b"")
