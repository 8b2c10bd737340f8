"""Addresses that nobody should have to know are wrong: they are led to a page instead of to a blank one."""

from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_STREAMLIT = {"_stcore", "app", "auth", "component", "media", "oauth2callback", "static"}
"""First parts of paths that Streamlit itself answers."""


class RedirectMiddleware:
    """Middleware: pages have addresses of one part, and Streamlit answers longer ones with a page that stays blank.

    `/run/42` means the run of that number; of any other longer address the first part is kept.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = scope["path"].strip("/").split("/") if scope["type"] == "http" else []
        if len(parts) < 2 or parts[0] in _STREAMLIT or not _is_visit(scope):
            await self.app(scope, receive, send)
            return
        query = f"?id={parts[1]}" if parts[0] == "run" and (parts[1].isdecimal() or parts[1] == "example") else ""
        await RedirectResponse(f"/{quote(parts[0], safe='')}{query}")(scope, receive, send)


def _is_visit(scope: Scope) -> bool:
    """Whether a person opens this address, rather than a page loading its pieces."""
    return scope["method"] == "GET" and b"text/html" in dict(scope["headers"]).get(b"accept", b"")
