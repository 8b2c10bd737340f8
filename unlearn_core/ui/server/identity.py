"""Every browser gets a signed cookie that says who it is, without an account; see `visitor.py` for who reads it."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unlearn_core.settings import is_sign_in_required
from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.access.identity_key import IdentityKey, new_owner
from unlearn_core.ui.server import visitor
from unlearn_core.ui.server.cookies import set_cookie
from unlearn_core.ui.server.middleware import is_visit
from unlearn_core.ui.server.urls import base_path

COOKIE_SECONDS = 365 * 86_400
"""How long a browser keeps its cookie after its last visit."""


class IdentityMiddleware:
    """Middleware: a browser whose cookie is missing, forged or of another data folder gets a new one.

    It arrives with the page, so the page's websocket sends it. Where a websocket comes without, the answer to its
    handshake sets it, and the visit has it at once. The first browser on this machine in the life of a data folder is
    the operator's: so somebody who works alone notices nothing, and owns what the command line and former releases did.
    Where people sign in, the cookie only tells browsers apart, and nobody is the operator by it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and is_visit(scope)
        if not is_page and scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        key = visitor.key()
        owner = visitor.browser_of(HTTPConnection(scope).cookies)
        if not is_page:
            scope = _without_visit_of_others(scope, owner)
        if owner is None:
            is_first = is_page and is_at_this_machine(scope) and not is_sign_in_required() and key.claim_operator()
            owner = OPERATOR.id if is_first else new_owner()
            scope = _with_cookie(scope, key, owner)
        elif not is_page:
            await self.app(scope, receive, send)
            return
        header, first = _identity_cookie(key, owner, scope), {"http.response.start", "websocket.accept"}

        async def send_with_cookie(message: Message) -> None:
            if message["type"] in first:
                message.setdefault("headers", [])
                MutableHeaders(scope=message).append("set-cookie", header)
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def routes() -> list[Route]:
    """The route with which a browser becomes that of another visitor, by a ticket from the page."""
    return [Route(f"{base_path()}/change-visitor", _change_visitor, methods=["POST"])]


async def _change_visitor(request: Request) -> Response:
    """Answer with the cookie of the visitor that a ticket names, which is only valid from the browser that asked."""
    key, old = visitor.key(), visitor.browser_of(request.cookies)
    new = None
    if old is not None and not is_sign_in_required():
        new = key.accept_ticket(request.query_params.get("ticket", ""), old)
    if new is None:
        return PlainTextResponse("This ticket is not valid in this browser, or is too old.", 403)
    return Response(status_code=204, headers={"set-cookie": _identity_cookie(key, new, request.scope)})


def _identity_cookie(key: IdentityKey, owner: str, scope: Scope) -> str:
    return set_cookie(key.cookie, key.sign(owner), scope, seconds=COOKIE_SECONDS)


def _without_visit_of_others(scope: Scope, owner: str | None) -> Scope:
    """A websocket as if it did not name the visit that it goes on with, unless that is the same browser's.

    Streamlit gives a visit to everybody who knows its number.
    """
    name = "sec-websocket-protocol"
    asked = Headers(scope=scope).get(name, "").split(",")
    if len(asked) < 3 or (owner is not None and visitor.browser_of_visit(asked[2].strip()) == owner):
        return scope
    others = [one for one in scope["headers"] if one[0] != name.encode()]
    return {**scope, "headers": [*others, (name.encode(), ",".join(asked[:2]).encode("latin-1"))]}


def is_at_this_machine(scope: Scope) -> bool:
    """Whether a request comes from this machine itself, under a name of this machine and past no proxy."""
    headers, client = Headers(scope=scope), scope.get("client")
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    if any(name in headers for name in ("forwarded", "x-forwarded-for", "x-real-ip")) or client is None:
        return False
    return host in ("localhost", "127.0.0.1", "::1") and _is_loopback(client[0])


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _with_cookie(scope: Scope, key: IdentityKey, owner: str) -> Scope:
    """The request as if it had come with its new cookie; of two cookies of one name the last one counts."""
    sent = Headers(scope=scope).get("cookie", "")
    own = f"{key.cookie}={key.sign(owner)}"
    others = [one for one in scope["headers"] if one[0] != b"cookie"]
    return {**scope, "headers": [*others, (b"cookie", f"{sent}; {own}".strip("; ").encode("latin-1"))]}
