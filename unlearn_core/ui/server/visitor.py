"""Who looks at the page. This is the one place that knows: it reads the signed cookies of the browser.

The middleware in `identity.py` gives every browser a cookie; where people sign in, `sign_in.py` reads the one that
`st.login` adds. AppTest has no browser: tests replace `_cookies` and `_signed_in`.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from unlearn_core.domain.errors import SignInError
from unlearn_core.settings import is_sign_in_required
from unlearn_core.store.access import people
from unlearn_core.store.access.actor import Actor, actor_of
from unlearn_core.store.access.identity_key import IdentityKey, identity_key, new_owner
from unlearn_core.store.data_folder import data_dir_path
from unlearn_core.ui.server import sign_in
from unlearn_core.ui.server.sign_in import Standing

NO_VISITOR = Actor("nobody")
"""Who acts outside of a visit, as in a thread of the server: it owns nothing."""

MAX_VISITS = 20_000
"""The most visits of which a server remembers the browser; those that were idle for longest are forgotten first."""

_OWNER = "owner of this visit"
_browsers: OrderedDict[str, str] = OrderedDict()
_lock = threading.Lock()


def actor() -> Actor:
    """Return who looks at the page. Without a valid cookie it is a new visitor, for this visit only.

    Where people sign in, it raises SignInError if nobody has, or if their sign-in has ended.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return NO_VISITOR
    owner, known = browser_of(_cookies()), st.session_state.get(_OWNER)
    if owner is None:  # The browser takes no cookies, or has gone while the script still runs.
        owner = known or new_owner()
    if owner != known:
        st.session_state[_OWNER] = owner
    _remember(context.session_id, owner)
    if not is_sign_in_required():
        return actor_of(owner)
    found = standing()
    if found.actor is None:
        if context.fragment_ids_this_run:  # A part of a page would otherwise ask again and again.
            st.rerun(scope="app")
        raise SignInError("Your sign-in has ended. Sign in again, then go on here.")
    return found.actor


def standing() -> Standing:
    """Return who has signed in on this visit, or why that does not hold, where people sign in."""
    cookies, signed_in = _cookies(), _signed_in()
    found = sign_in.of_visit(cookies, browser_of(cookies))
    # Streamlit also asks where a websocket comes from before it takes a sign-in for its visit.
    if found.actor is not None and people.owner_of_claims(signed_in) != found.actor.id:
        return Standing(None, "signed out")
    return found


def is_visit() -> bool:
    """Whether this is the script of a visit, as opposed to a thread of the server."""
    return get_script_run_ctx(suppress_warning=True) is not None


def key() -> IdentityKey:
    """Return the key that signs the cookies of browsers. Where people sign in, no other cookie was made with it."""
    return sign_in.key() if is_sign_in_required() else identity_key(data_dir_path())


def browser_of(cookies: Mapping[str, str]) -> str | None:
    """Return which browser sends these cookies: without sign-in, that is the visitor. None if they name none."""
    own = key()
    return own.owner(cookies.get(own.cookie))


def reader_of(cookies: Mapping[str, str]) -> Actor | None:
    """Return who sends a request with these cookies; None if nobody known does."""
    if is_sign_in_required():
        return sign_in.of_request(cookies).actor
    owner = browser_of(cookies)
    return None if owner is None else actor_of(owner)


def actor_of_visit(cookies: Mapping[str, str]) -> Actor | None:
    """Return whose visit began with these cookies; None if nobody known has signed in on it."""
    if is_sign_in_required():
        return sign_in.of_visit(cookies, browser_of(cookies)).actor
    return reader_of(cookies)


def browser_of_visit(visit: str) -> str | None:
    """Return the browser, or the visitor, whose visit has this number; None if it is not known."""
    return _browsers.get(visit)


def _remember(visit: str, owner: str) -> None:
    with _lock:
        _browsers[visit] = owner
        _browsers.move_to_end(visit)
        while len(_browsers) > MAX_VISITS:
            _browsers.popitem(last=False)


def _cookies() -> Mapping[str, str]:
    return st.context.cookies


def _signed_in() -> Mapping[str, Any]:
    """What Streamlit knows of the person since the visit began; empty once they pressed *Sign out* here."""
    return st.user.to_dict()
