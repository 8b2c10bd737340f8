"""Where people sign in, no request of anybody else gets further than the page on which they do."""

from collections.abc import Collection
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.user_info import generate_login_redirect_url
from streamlit.web.server.starlette.starlette_server_config import (
    AUTH_COOKIE_MAX_AGE_SECONDS,
    TOKENS_COOKIE_NAME,
    USER_COOKIE_NAME,
)

from unlearn_core.settings import is_sign_in_required
from unlearn_core.ui.server import sign_in, visitor
from unlearn_core.ui.server.cookies import is_tls, set_cookie, without_cookies
from unlearn_core.ui.server.middleware import STREAMLIT_PATHS, is_visit
from unlearn_core.ui.server.urls import base_path

OPEN = ("static", "auth/login", "auth/logout", "oauth2callback", "sign-in", "_stcore/health", "_stcore/host-config")
"""The paths that people need before they have signed in; there is nothing of anybody's below them."""

RETURN_COOKIE, RETURN_SECONDS = "unlearn-lab-return", 600
"""Where somebody was who went to sign in, and for how long that is remembered."""


class SignInMiddleware:
    """Middleware: what a server has below its routes is only for people who have signed in and may.

    Pages themselves are open, since they are the same empty frame for all: what fills it asks again, for each click.
    Streamlit returns everybody to the first page; from there, this leads to the page where they were.
    """

    def __init__(self, app: ASGIApp, own_paths: Collection[str] = ()) -> None:
        self.app = app
        self._routed = STREAMLIT_PATHS | {path.removeprefix(base_path()).split("/")[1] for path in own_paths}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_sign_in_required() or scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        cookies = HTTPConnection(scope).cookies
        if scope["type"] == "websocket":
            began = sign_in.found(cookies)
            if began is not None and not sign_in.holds(began):
                scope = without_cookies(scope, USER_COOKIE_NAME)
            await self.app(scope, receive, send)
            return
        path, standing = _relative(scope["path"]), sign_in.of_request(cookies)
        if standing.actor is None and not self._is_open(path):
            words = "Your account is not on the list of this lab." if standing.problem == "not allowed" else "Sign in."
            await PlainTextResponse(words, 401, {"cache-control": "no-store"})(scope, receive, send)
            return
        if path == "auth/logout":
            sign_in.end(cookies, visitor.browser_of(cookies))
        elif is_visit(scope) and path not in OPEN:
            sign_in.remember(cookies, visitor.browser_of(cookies))
            if path == "" and standing.actor is not None and _is_path(cookies.get(RETURN_COOKIE, "")):
                gone = {"set-cookie": set_cookie(RETURN_COOKIE, "", scope, seconds=0)}
                await RedirectResponse(cookies[RETURN_COOKIE], 302, gone)(scope, receive, send)
                return
        await self.app(scope, receive, _answer(scope, path, send) if path in OPEN else send)

    def _is_open(self, path: str) -> bool:
        """Whether a path is one of `OPEN`, or of a page, or of a file of Streamlit's frame."""
        first = path.partition("/")[0]
        return first not in self._routed or any(path == one or path.startswith(f"{one}/") for one in OPEN)


def routes() -> list[Route]:
    """The route of the link with which somebody signs in again, in another tab."""
    return [Route(f"{base_path()}/sign-in", _sign_in, methods=["GET"])]


async def _sign_in(_request: Request) -> RedirectResponse:
    """Lead to the provider. The ticket that Streamlit wants is valid for two minutes, too short for a page."""
    if not is_sign_in_required():
        return RedirectResponse(f"{base_path()}/", 302)
    return RedirectResponse(generate_login_redirect_url("default"), 302)


def _answer(scope: Scope, path: str, send: Send) -> Send:
    """What sends an answer to a browser that signs in or out, and adds to its cookies what Streamlit leaves out."""

    async def send_with_cookies(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            given = headers.getlist("set-cookie")
            del headers["set-cookie"]
            for one in given:
                is_sign_in = one.startswith((USER_COOKIE_NAME, TOKENS_COOKIE_NAME))
                headers.append("set-cookie", f"{one}; Secure" if is_sign_in and is_tls(scope) else one)
            seal = sign_in.seal_of(_values(given))
            if seal is not None:
                headers.append("set-cookie", set_cookie(*seal, scope, seconds=AUTH_COOKIE_MAX_AGE_SECONDS))
            place = _place(scope) if path == "auth/login" else ""
            if place:
                headers.append("set-cookie", set_cookie(RETURN_COOKIE, place, scope, seconds=RETURN_SECONDS))
        await send(message)

    return send_with_cookies


def _values(headers: Collection[str]) -> dict[str, str]:
    """The cookies that these headers set."""
    return {name: morsel.value for header in headers for name, morsel in SimpleCookie(header).items()}


def _place(scope: Scope) -> str:
    """The page of ours, with its query, that sent a browser to sign in; "" if it was none."""
    headers = Headers(scope=scope)
    try:
        found = urlsplit(headers.get("referer", ""))
    except ValueError:
        return ""
    place = f"{found.path}?{found.query}" if found.query else found.path
    return place if found.netloc == headers.get("host") and _is_path(place) and len(place) < 2_000 else ""


def _is_path(text: str) -> bool:
    """Whether a text is a path on this server below that of the app, for a browser too."""
    begins = text.startswith(f"{base_path()}/") and not text.startswith("//")
    return begins and text != f"{base_path()}/" and "\\" not in text and text.isprintable() and text.isascii()


def _relative(path: str) -> str:
    return path.removeprefix(base_path()).strip("/")
