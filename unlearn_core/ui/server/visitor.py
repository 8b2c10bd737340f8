"""Who looks at the page. This is the one place that knows: it reads the signed cookie of the browser.

The middleware in `identity.py` gives every browser that cookie. AppTest has no browser: tests replace `_cookies`.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from unlearn_core.store.access.actor import Actor, actor_of
from unlearn_core.store.access.identity_key import identity_key, new_owner
from unlearn_core.store.data_folder import data_dir_path

NO_VISITOR = Actor("nobody")
"""Who acts outside of a visit, as in a thread of the server: it owns nothing."""

_OWNER = "owner of this visit"


def actor() -> Actor:
    """Return who looks at the page. Without a valid cookie it is a new visitor, for this visit only."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return NO_VISITOR
    owner, known = owner_of(_cookies()), st.session_state.get(_OWNER)
    if owner is None:  # The browser takes no cookies, or has gone while the script still runs.
        owner = known or new_owner()
    if owner != known:
        st.session_state[_OWNER] = owner
    return actor_of(owner)


def is_visit() -> bool:
    """Whether this is the script of a visit, as opposed to a thread of the server."""
    return get_script_run_ctx(suppress_warning=True) is not None


def owner_of(cookies: Mapping[str, str]) -> str | None:
    """Return the owner that the cookies of a request name; None if they name none."""
    key = identity_key(data_dir_path())
    return key.owner(cookies.get(key.cookie))


def _cookies() -> Mapping[str, str]:
    return st.context.cookies
