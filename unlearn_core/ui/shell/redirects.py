"""Redirects from URLs of several parts, which Streamlit would render blank, and from former names of pages."""

from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

MOVED_PAGES = {"pictures": "datasets"}
"""Former names of pages, and the names under which they are found today."""

_STREAMLIT = {"_stcore", "app", "auth", "component", "media", "oauth2callback", "static"}
"""First parts of the paths that Streamlit itself serves."""


class RedirectMiddleware:
    """Middleware: every page has a URL of one part, and Streamlit renders a blank page for longer ones.

    `/run/42` leads to the run of that number; any other longer URL leads to its first part. A page that was renamed is
    found under its former name, with the same query.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = scope["path"].strip("/").split("/") if scope["type"] == "http" else []
        moved = parts[0] in MOVED_PAGES if parts else False
        if (len(parts) < 2 and not moved) or parts[0] in _STREAMLIT or not _is_visit(scope):
            await self.app(scope, receive, send)
            return
        query = scope.get("query_string", b"").decode("latin-1") if moved else ""
        if parts[0] == "run" and (parts[1].isdecimal() or parts[1] == "example"):
            query = f"id={parts[1]}"
        page = quote(MOVED_PAGES[parts[0]] if moved else parts[0], safe="")
        await RedirectResponse(f"/{page}?{query}" if query else f"/{page}")(scope, receive, send)


def _is_visit(scope: Scope) -> bool:
    """Return whether a person opens this URL, as opposed to a page that loads its parts."""
    return scope["method"] == "GET" and b"text/html" in dict(scope["headers"]).get(b"accept", b"")
