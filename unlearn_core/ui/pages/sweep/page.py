"""The sweep page: the sweep in the URL, or the form for a new sweep and the list of earlier ones."""

import streamlit as st

from unlearn_core import methods
from unlearn_core.data import datasets
from unlearn_core.domain.errors import NotFoundError, UnlearnError
from unlearn_core.domain.report import describe_forget_set
from unlearn_core.domain.sweeps.sweep import Sweep, SweepSpec
from unlearn_core.store.files import shipped_runs
from unlearn_core.ui.pages.sweep import form, progress
from unlearn_core.ui.pages.sweep.form import SWEEP_PARAM
from unlearn_core.ui.server.urls import DATASET_PARAM, IDS_PARAM
from unlearn_core.ui.shell import cache, formatting, navigation, ownership, url_state
from unlearn_core.ui.shell.markdown import escape

_SHOWN = "sweep shown"
_OTHERS = {"id", IDS_PARAM, DATASET_PARAM}
"""Parameters of other pages, which no link to this page has."""
STATES = {
    "running": ":material/autorenew: running",
    "paused": ":material/pause: paused",
    "done": ":material/check: done",
    "failed": ":material/close: failed",
    "cancelled": ":material/stop: cancelled",
}


def show() -> None:
    """The page for the current URL."""
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
    """What a sweep is about: "UNSIR on cat", or the method's id where method or data set are gone."""
    try:
        card = datasets.card(spec.request.dataset)
        return f"{methods.method(spec.method).title} on {describe_forget_set(spec.request.forget, card)}"
    except UnlearnError:
        return spec.method


def _hyperparameter_titles(spec: SweepSpec) -> list[str]:
    """The titles of the swept hyperparameters, in lower case as within a sentence."""
    try:
        known = methods.method(spec.method).params.hyperparameters()
    except UnlearnError:
        known = {}
    return [known[one.knob].title.lower() if one.knob in known else one.knob for one in spec.ranges]


def _wanted() -> str | None:
    """The sweep in the URL; on the way back from a run, a data set or a comparison, the sweep that was shown before.

    The back button may lead to a URL with this page's name but the other's parameters, because of how Streamlit works.
    """
    shown = st.session_state.get(_SHOWN)
    if SWEEP_PARAM not in st.query_params and _OTHERS & set(st.query_params) and shown is not None:
        st.query_params.from_dict({SWEEP_PARAM: shown})
    return st.query_params.get(SWEEP_PARAM)


def _find(wanted: str) -> Sweep | None:
    number = shipped_runs.SWEEP_NUMBER if wanted == str(shipped_runs.SWEEP_NUMBER) else url_state.parse_number(wanted)
    if number is None:
        return None
    try:
        return cache.store().sweeps.get(number)
    except NotFoundError:
        return None


def _nothing(wanted: str) -> None:
    st.title("There is no such sweep", anchor=False)
    st.markdown(
        f"This data folder has no sweep with the number “{escape(wanted[:40])}”. It may have been deleted, or the link "
        "may come from another data folder." + (" Only who started a sweep sees it." if ownership.is_private() else "")
    )
    if st.button("All sweeps", icon=":material/scatter_plot:", key="to-sweeps"):
        st.switch_page(navigation.page("sweep"), query_params={})


def _shipped() -> None:
    """The finished sweep that ships with the lab: it can be opened, and nobody can delete it."""
    sweep = shipped_runs.shipped_sweep()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep-row-shipped"):
        label, link = f"Shipped sweep · {escape(title(sweep.spec))}", {SWEEP_PARAM: str(sweep.id)}
        st.page_link(navigation.page("sweep"), label=label, icon=":material/inventory_2:", query_params=link)
        count = formatting.pluralize(len(shipped_runs.shipped_trials()), "trial")
        titles = escape(", ".join(_hyperparameter_titles(sweep.spec)))
        st.caption(f"{count} over {titles} · ships with the lab", width="content")


def _earlier() -> None:
    """The sweeps of this data folder, newest first."""
    store = cache.store().sweeps
    found = store.list_recent(limit=30)
    st.header("Earlier sweeps", anchor=False)
    if not found:
        st.caption("None of yours yet. A sweep continues while this page is closed, and its link stays valid.")
    _shipped()
    counts = store.finished_counts([one.id for one in found])
    for one in found:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"sweep-row-{one.id}"):
            label = f"Sweep {one.id} · {escape(title(one.spec))}"
            st.page_link(navigation.page("sweep"), label=label, query_params={SWEEP_PARAM: str(one.id)})
            titles = escape(", ".join(_hyperparameter_titles(one.spec)))
            st.caption(
                f"{formatting.pluralize(counts[one.id], 'trial')} over {titles} · {formatting.format_age(one.created)}",
                width="content",
            )
            st.caption(STATES[one.state.value], width="content")
            if one.state.is_finished and ownership.is_own(one.owner):
                st.button(
                    "Delete",
                    type="tertiary",
                    icon=":material/delete:",
                    help="Deletes the sweep; its runs stay in the history.",
                    key=f"sweep-delete-{one.id}",
                    on_click=_delete,
                    args=(one.id,),
                )


def _delete(number: int) -> None:
    cache.store().sweeps.delete(number)
