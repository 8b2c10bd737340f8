"""The visitor in the side menu: their name, and how they go on in another browser, or how they sign out."""

from contextlib import suppress

import streamlit as st
from streamlit.components.v2 import component

from unlearn_core.domain.errors import InvalidCodeError, StoreError
from unlearn_core.settings import is_sign_in_required, settings
from unlearn_core.store.access import people
from unlearn_core.store.access.identity_key import identity_key
from unlearn_core.store.access.labels import MAX_LENGTH
from unlearn_core.store.access.visitor_store import CODE_MINUTES
from unlearn_core.store.data_folder import data_dir_path
from unlearn_core.ui.server import visitor
from unlearn_core.ui.server.urls import base_path
from unlearn_core.ui.shell import cache
from unlearn_core.ui.shell.markdown import escape
from unlearn_core.ui.sign_in.sign_in_page import as_code

_NAME, _CODE, _TICKET, _WRONG = "name of the visitor", "code of the visitor", "ticket of the visitor", "wrong code"

_JS = """
export default function ({ data, parentElement }) {
  if (window.usedTicket === data.ticket) return;
  window.usedTicket = data.ticket;
  const fail = () => {
    parentElement.querySelector("p").textContent = "This did not work. Reload the page, then make a new code.";
  };
  fetch(`${data.path}?ticket=${encodeURIComponent(data.ticket)}`, { method: "POST" })
    .then((answer) => (answer.ok ? location.reload() : fail()), fail);
}
"""
_use_ticket = component("change-visitor", html='<p role="status"></p>', js=_JS)


def show(*, storage: st.Page) -> None:
    """Show the visitor's name, and behind it what they can do; nothing where the data folder cannot be read.

    `storage` is the page that shows what is stored of them.
    """
    has_account = is_sign_in_required()
    if _NAME not in st.session_state:
        st.session_state[_NAME] = _account_name() if has_account else cache.store().visitors.name()
    name = st.session_state[_NAME]
    hint = "Your account, and how to sign out" if has_account else "Your name, and how to go on in another browser"
    if st.button(escape(name), icon=":material/person:", key="account", type="tertiary", help=hint):
        (_account_dialog if has_account else _dialog)(storage)


def forget_name() -> None:
    """Read the visitor's name anew, since it was deleted."""
    st.session_state.pop(_NAME, None)


def _account_name() -> str:
    """The name that the provider gives, which others then see; nobody can take that of somebody else."""
    visitors, name = cache.store().visitors, people.full_name(visitor.standing().claims)
    with suppress(StoreError):  # On a disk that can only be read.
        return visitors.rename(name)
    return name


@st.dialog("Your account", icon=":material/person:")
def _account_dialog(storage: st.Page) -> None:
    """Show who has signed in, and let them sign out."""
    address = people.address(visitor.standing().claims)
    which = f" ({as_code(address)})" if address else ""
    st.markdown(f"You have signed in as **{escape(st.session_state[_NAME])}**{which}.")
    if visitor.actor().is_operator:
        st.markdown("You are an administrator: you see everybody's runs, and can cancel and delete them.")
    st.caption(f"You are asked to sign in again after {settings().sign_in_hours:g} hours.")
    if st.button("Sign out", icon=":material/logout:", key="account-sign-out"):
        st.logout()
    _storage_link(storage)


@st.dialog("Who you are here", icon=":material/person:")
def _dialog(storage: st.Page) -> None:
    st.markdown("There are no accounts: this browser remembers that you are you, and your runs are yours.")
    with st.form("account-rename", border=False):
        seen = "Others see it beside your runs." if settings().sharing == "open" else "The operator sees it."
        name = st.text_input(
            "Your name", placeholder=st.session_state[_NAME], max_chars=MAX_LENGTH, key="account-name", help=seen
        )
        if st.form_submit_button("Save", key="account-save"):
            st.session_state[_NAME] = cache.store().visitors.rename(name)
            st.rerun()
    st.markdown("**Move to another browser**")
    st.button("Make a code", icon=":material/key:", key="account-make-code", on_click=_make_code)
    code = st.session_state.get(_CODE)
    if code is not None:
        st.code(code, language=None)
        st.caption(f"Enter it there within {CODE_MINUTES} minutes. It works once, and your runs are yours there too.")
    _use_another()
    _storage_link(storage)


def _storage_link(storage: st.Page) -> None:
    st.page_link(storage, label="What is stored of you, and how to delete it", icon=":material/delete_forever:")


def _use_another() -> None:
    """Show the field for a code from another browser, and become that visitor by a valid one."""
    with st.form("account-move", border=False):
        st.text_input("Code from the other browser", max_chars=20, key="account-code", placeholder="ABCD-2345")
        name = escape(st.session_state[_NAME])
        st.caption(f"What was made in this browser stays with {name}: make a code first if you want to come back.")
        st.form_submit_button("Use the code", key="account-use-code", on_click=_use_code)
    if _WRONG in st.session_state:
        st.error(escape(st.session_state.pop(_WRONG)), icon=":material/key_off:")
    if _TICKET in st.session_state:
        ticket = st.session_state.pop(_TICKET)
        _use_ticket(data={"ticket": ticket, "path": f"{base_path()}/change-visitor"}, key="change-visitor")


def _make_code() -> None:
    st.session_state[_CODE] = cache.store().visitors.make_code()


def _use_code() -> None:
    code = st.session_state["account-code"].strip()
    if not code:
        return
    try:
        owner = cache.store().visitors.redeem(code).id
    except InvalidCodeError as problem:
        st.session_state[_WRONG] = str(problem)
    else:
        st.session_state[_TICKET] = identity_key(data_dir_path()).ticket(visitor.actor().id, owner)
