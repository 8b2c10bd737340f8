"""What somebody sees who has not signed in, may not come in, or whose sign-in has ended: this, instead of any page."""

import streamlit as st

from unlearn_core.settings import is_sign_in_required
from unlearn_core.store.access import people
from unlearn_core.ui.server import visitor
from unlearn_core.ui.server.urls import base_path
from unlearn_core.ui.sign_in import widget_values

_WAS_IN, _IS_AWAY = "this visit has been let in", "the page is not shown"
_POLL_SECONDS = 2.0


def admit() -> bool:
    """Whether whoever visits has signed in and may, where people must; what they entered before comes back."""
    if not is_sign_in_required():
        return True
    if visitor.standing().actor is None:
        return False
    if st.session_state.pop(_IS_AWAY, False):
        widget_values.restore()
    st.session_state[_WAS_IN] = True
    return True


def show() -> None:
    """Show why whoever visits is not let in, and what they can do."""
    found = visitor.standing()
    if found.problem == "not allowed":
        _refusal(people.address(found.claims))
    elif st.session_state.get(_WAS_IN):
        st.session_state[_IS_AWAY] = True
        _again()
    else:
        _first()


def as_code(address: str) -> str:
    """Return an address that Markdown shows letter for letter: Streamlit would make a link of it."""
    return f"`{' '.join(address.split()).replace('`', chr(39))}`"


def _first() -> None:
    st.title("Sign in", anchor=False)
    st.markdown(
        "This lab is for people on its list. Sign in with your account; then the page opens that you asked for."
    )
    if st.button("Sign in", icon=":material/login:", key="sign-in", type="primary"):
        st.login()


def _refusal(address: str) -> None:
    st.title("You are not on the list", anchor=False)
    who = f"Your address {as_code(address)}" if address else "Your account"
    st.markdown(f"{who} is not on this lab's list. Ask the person who runs this lab to add it, or use another account.")
    if st.button("Sign out", icon=":material/logout:", key="sign-out", type="primary"):
        st.logout()


def _again() -> None:
    """Let somebody sign in again in another tab: this one keeps what they entered."""
    st.title("Sign in again", anchor=False)
    st.markdown("Your sign-in has ended. Sign in again in a new tab, then come back: what you entered here is kept.")
    st.link_button("Sign in again", f"{base_path()}/sign-in", icon=":material/login:", type="primary")
    st.fragment(_wait, run_every=_POLL_SECONDS)()


def _wait() -> None:
    if visitor.standing().actor is not None:
        st.rerun(scope="app")
