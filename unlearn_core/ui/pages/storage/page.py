"""What is stored of whoever looks at the page, and the deletion of everything. Imports no torch."""

import streamlit as st

from unlearn_core.settings import is_sign_in_required
from unlearn_core.store.housekeeping import notices
from unlearn_core.store.housekeeping.erasure import erase
from unlearn_core.store.housekeeping.footprint import Amount, footprint
from unlearn_core.ui.pages.storage import disk_table
from unlearn_core.ui.server import visitor
from unlearn_core.ui.server.urls import base_path
from unlearn_core.ui.shell import account, cache
from unlearn_core.ui.shell.markdown import escape

MOST_LINES = 50
"""The most runs that are listed."""

_WHAT = {"run": "with its report", "weights": "only its weights"}
_FOUND, _WENT = "what is stored", "what was deleted"


def show() -> None:
    """Show what would be deleted with everything, then the deletion, and at last what was deleted."""
    disk_table.show()
    _show_retention()
    st.header("Delete everything of mine", anchor=False)
    _show_deleted()
    st.markdown(_EXPLANATION + (_OF_THE_OPERATOR if visitor.actor().is_local else ""))
    if st.button("List what would be deleted", icon=":material/list:", key="storage-list"):
        st.session_state[_FOUND] = footprint(cache.store())
    found = st.session_state.get(_FOUND)
    if found is None:
        return
    if not found.amounts:
        st.markdown("Nothing is stored of you, except perhaps your name.")
    st.markdown(listed(found.amounts))
    _show_staying(found.staying)
    is_sure = st.checkbox("Delete all of this permanently. It cannot be restored.", key="storage-sure")
    if st.button("Delete everything", type="primary", icon=":material/delete_forever:", disabled=not is_sure):
        with st.spinner("Runs that are not finished are cancelled, then everything is deleted …"):
            st.session_state[_WENT] = erase(cache.store())
            cache.clear()
        if not is_sign_in_required():  # Else the provider gives the name, which would be stored again at once.
            account.forget_name()
        del st.session_state[_FOUND], st.session_state["storage-sure"]
        st.rerun()


def _show_retention() -> None:
    """Show what is kept and what will be deleted next, of whoever looks at the page or, for the operator, of all."""
    rules = notices.rules()
    if not rules:
        return
    st.header("What is deleted by itself", anchor=False)
    store, is_operator = cache.store(), visitor.actor().is_operator
    st.markdown(rules)
    sentences = notices.all_notices(store) if is_operator else notices.own_notices(store)
    for sentence in sentences:
        st.info(sentence, icon=":material/auto_delete:")
    if not sentences:
        st.markdown("Nothing will be deleted within the next days.")
        return
    shown = [one for one in notices.planned(store) if is_operator or one.owner == visitor.actor().id]
    with st.expander("Which runs", icon=":material/list:"):
        lines = [f"* {_run_link(one.run)}: {_WHAT[one.what]}, {notices.day(one.due)}" for one in shown[:MOST_LINES]]
        st.markdown("\n".join(lines))
        if len(shown) > MOST_LINES:
            st.markdown(f"{len(shown) - MOST_LINES:,} more follow.")


def _run_link(run: int) -> str:
    return f"[Run {run}]({base_path()}/run?id={run})"


_EXPLANATION = (
    "Your runs, sweeps, notes, classifiers, data sets, uploads and your name are deleted from this server, with what "
    "was computed from them: also the lines of the log, and what the database would still hold of deleted rows. Runs "
    "that are not finished are cancelled first. What others own or use too stays with them."
)
_OF_THE_OPERATOR = " You are the operator: what the command line made is yours as well."


def listed(amounts: list[Amount]) -> str:
    """The amounts as a Markdown list."""
    return "\n".join(f"* {amount.text()}" for amount in amounts)


def _show_staying(sentences: list[str]) -> None:
    if sentences:
        st.markdown("\n".join(f"* {escape(sentence)}" for sentence in sentences))


def _show_deleted() -> None:
    went = st.session_state.get(_WENT)
    if went is None:
        return
    with st.container(border=True):
        if went.amounts:
            st.success("Everything of yours was deleted from this server:", icon=":material/check:")
            st.markdown(listed(went.amounts))
        else:
            st.success("There was nothing to delete.", icon=":material/check:")
        _show_staying(went.staying)
        remains = (
            "Your next visit stores the name again that your account has."
            if is_sign_in_required()
            else "This browser is still the same visitor, of whom nothing is known now."
        )
        st.caption(f"{remains} Uploads that this page still holds in the server's memory go when you close it.")
