"""The sweep that an address names; without one the form for a new one, and those that were made before."""

import streamlit as st

from unlearn_core import methods
from unlearn_core.data import datasets
from unlearn_core.domain.errors import NotFoundError, UnlearnError
from unlearn_core.domain.report import describe_forget_set
from unlearn_core.domain.sweep import Sweep, SweepSpec
from unlearn_core.ui.pages.sweep import form, progress
from unlearn_core.ui.pages.sweep.form import SWEEP_PARAM
from unlearn_core.ui.shell import cache, formatting, navigation
from unlearn_core.ui.shell.markdown import escape

_SHOWN = "sweep shown"
STATES = {
    "running": ":material/autorenew: under way",
    "paused": ":material/pause: paused",
    "done": ":material/check: done",
    "failed": ":material/close: failed",
    "cancelled": ":material/stop: cancelled",
}


def show() -> None:
    """The page, whatever its address asks for."""
    wanted = _wanted()
    if wanted is None:
        form.show()
        _earlier()
        return
    found = _find(wanted)
    if found is None:
        _nothing(wanted)
    else:
        st.session_state[_SHOWN] = wanted
        progress.show(found)


def title(spec: SweepSpec) -> str:
    """What a sweep is about: "UNSIR on cat", or as much of it as the shelves still know."""
    try:
        card = datasets.card(spec.request.dataset)
        return f"{methods.method(spec.method).title} on {describe_forget_set(spec.request.forget, card)}"
    except UnlearnError:
        return spec.method


def _hyperparameter_titles(spec: SweepSpec) -> list[str]:
    """The names of the knobs that were swept, in lower case as within a sentence."""
    try:
        known = methods.method(spec.method).params.hyperparameters()
    except UnlearnError:
        known = {}
    return [known[one.knob].title.lower() if one.knob in known else one.knob for one in spec.ranges]


def _wanted() -> str | None:
    """The sweep that the address names; on the way back from a run the one that was on show.

    The back button leads to an address with this page's name and the run's parameters: so Streamlit leaves it behind.
    """
    shown = st.session_state.get(_SHOWN)
    if SWEEP_PARAM not in st.query_params and "id" in st.query_params and shown is not None:
        st.query_params.from_dict({SWEEP_PARAM: shown})
    return st.query_params.get(SWEEP_PARAM)


def _find(wanted: str) -> Sweep | None:
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 10):
        return None
    try:
        return cache.store().sweeps.get(int(wanted))
    except NotFoundError:
        return None


def _nothing(wanted: str) -> None:
    st.title("There is no such sweep", anchor=False)
    st.markdown(
        f"This lab keeps no sweep with the number “{escape(wanted[:40])}”. It may have been deleted, or the link was "
        "made in another data folder."
    )
    if st.button("To all sweeps", icon=":material/scatter_plot:", key="to-sweeps"):
        st.switch_page(navigation.page("sweep"), query_params={})


def _earlier() -> None:
    """The sweeps of this data folder, the newest first."""
    store = cache.store().sweeps
    found = store.list_recent(limit=30)
    st.subheader("Sweeps made here", anchor=False)
    if not found:
        st.caption("None yet. A sweep goes on while this page is closed, and a link to it stays good.")
        return
    counts = store.finished_counts([one.id for one in found])
    for one in found:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"sweep-row-{one.id}"):
            label = f"Sweep {one.id} · {escape(title(one.spec))}"
            st.page_link(navigation.page("sweep"), label=label, query_params={SWEEP_PARAM: str(one.id)})
            knobs = escape(", ".join(_hyperparameter_titles(one.spec)))
            st.caption(
                f"{formatting.pluralize(counts[one.id], 'trial')} over {knobs} · {formatting.format_age(one.created)}",
                width="content",
            )
            st.caption(STATES[one.state.value], width="content")
            if one.state.is_finished:
                st.button(
                    "Delete",
                    type="tertiary",
                    icon=":material/delete:",
                    help="The sweep is forgotten; its runs stay in the history.",
                    key=f"sweep-delete-{one.id}",
                    on_click=store.delete,
                    args=(one.id,),
                )
