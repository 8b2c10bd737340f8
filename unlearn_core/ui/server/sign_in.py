"""Who has signed in, by the signed cookie that `st.login` leaves in the browser, and whether that still holds.

Streamlit reads its cookie when a visit begins, and never asks again. Here each click and each request asks how old the
sign-in is, whether the person is on the lists, and whether this browser has signed out or in again meanwhile.
"""

import hashlib
import hmac
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import AUTH_COOKIE_MAX_AGE_SECONDS, USER_COOKIE_NAME

from unlearn_core.settings import settings
from unlearn_core.store.access import people
from unlearn_core.store.access.actor import Actor
from unlearn_core.store.access.identity_key import IdentityKey, identity_key
from unlearn_core.store.data_folder import data_dir_path

MAX_BROWSERS = 20_000
"""The most browsers of which a server remembers who has signed in."""

SEAL = "-seal"
"""How the name of the cookie ends that seals a sign-in."""

Problem = Literal["", "signed out", "ended", "not allowed"]


class SignIn(NamedTuple):
    """A sign-in that a cookie records: what the provider said, and which sign-in it is."""

    claims: Mapping[str, Any]
    id: str
    is_recent: bool


class Standing(NamedTuple):
    """Who acts, or why nobody does."""

    actor: Actor | None
    problem: Problem = ""
    claims: Mapping[str, Any] = {}


_current: OrderedDict[str, SignIn | None] = OrderedDict()
_ended: set[str] = set()
_lock = threading.Lock()


def key() -> IdentityKey:
    """Return the key of this server's own cookies where people sign in."""
    return identity_key(data_dir_path()).for_sign_in()


def found(cookies: Mapping[str, str]) -> SignIn | None:
    """Return the sign-in that these cookies record, whether it still holds or not; None if they are not genuine.

    Streamlit signs each part of a long record alone; the seal keeps anybody from joining parts of two.
    """
    sign_in, own = _recorded(cookies), key()
    sealed = cookies.get(own.cookie + SEAL, "")
    is_whole = sign_in is not None and hmac.compare_digest(sealed.encode(), own.seal(sign_in.id).encode())
    return sign_in if is_whole else None


def seal_of(cookies: Mapping[str, str]) -> tuple[str, str] | None:
    """Return name and value of the cookie that seals a sign-in which Streamlit has just recorded in these."""
    sign_in, own = _recorded(cookies), key()
    return None if sign_in is None else (own.cookie + SEAL, own.seal(sign_in.id))


def _recorded(cookies: Mapping[str, str]) -> SignIn | None:
    """The sign-in that Streamlit has recorded and signed."""
    days = settings().sign_in_hours / 24
    text = get_cookie_with_chunks(partial(_signed, cookies), USER_COOKIE_NAME)
    try:
        claims = None if text is None else json.loads(text)
    except ValueError:
        return None
    if text is None or not isinstance(claims, dict) or claims.get("is_logged_in") is not True:
        return None
    number = hashlib.sha256(text).hexdigest()[:32]
    return SignIn(claims, number, is_recent=_signed(cookies, USER_COOKIE_NAME, days) is not None)


def holds(sign_in: SignIn) -> bool:
    """Whether a sign-in is neither too old nor ended by signing out."""
    return sign_in.is_recent and sign_in.id not in _ended and not (_folder() / sign_in.id).exists()


def of_request(cookies: Mapping[str, str]) -> Standing:
    """Return who sends a request, by its own cookies alone."""
    return _standing(found(cookies))


def of_visit(cookies: Mapping[str, str], browser: str | None) -> Standing:
    """Return who visits, by the cookies with which the visit began and what this browser has done since then.

    Whoever signs in again in another tab goes on in this one; whoever signs out there has signed out here.
    """
    began = found(cookies)
    if began is None:
        return Standing(None, "signed out")
    now = _current.get(browser, began) if browser is not None else began
    if now is None or people.owner_of_claims(now.claims) != people.owner_of_claims(began.claims):
        return Standing(None, "ended")
    return _standing(now)


def remember(cookies: Mapping[str, str], browser: str | None) -> None:
    """Remember the sign-in with which a browser opens a page: the one before it has ended."""
    now = found(cookies)
    if now is None or browser is None or not holds(now):
        return
    with _lock:
        before = _current.pop(browser, None)
        _current[browser] = now
        while len(_current) > MAX_BROWSERS:
            _current.popitem(last=False)
    if before is not None and before.id != now.id:
        _end(before.id)


def end(cookies: Mapping[str, str], browser: str | None) -> None:
    """End the sign-in of a browser that signs out, in all of its tabs, and for any copy of its cookie."""
    now = found(cookies)
    if now is None:
        return
    _end(now.id)
    if browser is not None:
        with _lock:
            _current[browser] = None


def _standing(sign_in: SignIn | None) -> Standing:
    if sign_in is None:
        return Standing(None, "signed out")
    if not holds(sign_in):
        return Standing(None, "ended", sign_in.claims)
    actor = people.actor_of_claims(sign_in.claims)
    return Standing(actor, "" if actor else "not allowed", sign_in.claims)


def _signed(cookies: Mapping[str, str], name: str, days: float | None = None) -> bytes | None:
    """What Streamlit has signed in a cookie, unless that is too long ago."""
    value = cookies.get(name)
    if value is None:
        return None
    age = {} if days is None else {"max_age_days": days}
    return decode_signed_value(get_cookie_secret(), name, value.encode("utf-8", "replace"), **age)


def _folder() -> Path:
    """Where a file for each sign-in that has ended keeps copies of its cookie from being used after a restart."""
    return data_dir_path() / "identity" / "ended"


def _end(sign_in: str) -> None:
    _ended.add(sign_in)
    with suppress(OSError):  # Where nothing can be written, it is remembered as long as this process lasts.
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        (_folder() / sign_in).touch(0o600)
        oldest = time.time() - AUTH_COOKIE_MAX_AGE_SECONDS - 2 * 86_400  # Streamlit takes none that is older.
        for file in _folder().iterdir():
            if file.stat().st_mtime < oldest:
                file.unlink(missing_ok=True)
