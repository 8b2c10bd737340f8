"""The cookies that this server sets: unreadable for scripts, and only sent over TLS if TLS is used."""

from http.cookies import SimpleCookie

from starlette.datastructures import Headers
from starlette.types import Scope

from unlearn_core.ui.server.urls import base_path


def set_cookie(name: str, value: str, scope: Scope, *, seconds: int) -> str:
    """Return the header that sets a cookie for so long, in answer to a request."""
    cookie = SimpleCookie({name: value})
    cookie[name].update({"path": base_path() or "/", "max-age": str(seconds), "samesite": "Lax"})
    cookie[name]["httponly"] = True
    if is_tls(scope):
        cookie[name]["secure"] = True
    return cookie.output(header="").strip()


def is_tls(scope: Scope) -> bool:
    """Whether the browser sent a request over TLS, to this server or to a proxy before it."""
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "").partition(",")[0].strip()
    return forwarded == "https" or scope.get("scheme") in ("https", "wss")


def without_cookies(scope: Scope, prefix: str) -> Scope:
    """Return a request as if it had come without the cookies whose names begin like this."""
    sent = Headers(scope=scope).get("cookie", "").split(";")
    kept = "; ".join(pair.strip() for pair in sent if not pair.strip().startswith(prefix))
    others = [one for one in scope["headers"] if one[0] != b"cookie"]
    return {**scope, "headers": [*others, (b"cookie", kept.encode("latin-1"))]}
