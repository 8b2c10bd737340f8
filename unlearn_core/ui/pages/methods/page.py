"""The page All methods: the comparison on the request in the URL, or what it is, how to begin, and the latest ones."""

import streamlit as st

from unlearn_core.data import datasets
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.domain.report import describe_forget_set
from unlearn_core.models import classifiers
from unlearn_core.store.queue.method_runs import MethodGroup
from unlearn_core.ui.pages.methods import board, method_plan
from unlearn_core.ui.shell import cache, formatting, navigation, run_setup, url_state
from unlearn_core.ui.shell.markdown import escape

_PARAMS = ("classifier", "forget", "images", "set", "seed", "start")
"""The query parameters of a request; a link may hold more."""
_SHOWN = "comparison shown"


def show() -> None:
    """The page for the current URL."""
    said = _request()
    setup, problems = run_setup.from_params(said)
    for sentence in problems:
        st.warning(f"Part of this link could not be used. {escape(sentence)}", icon=":material/link_off:")
    plan = method_plan.resolve(setup) if said and not problems else None
    if plan is None:
        _introduction()
        _latest()
        return
    st.session_state[_SHOWN] = said
    board.show(plan)


def _request() -> dict[str, str]:
    """The parameters of the request in the URL; on the way back from a run, of the request that was shown before.

    The back button leads to a URL with this page's name but the run's parameters, because of how Streamlit works.
    """
    shown = st.session_state.get(_SHOWN)
    if "id" in st.query_params and shown is not None:
        st.query_params.from_dict(shown)
    return {name: text for name, text in st.query_params.to_dict().items() if name in _PARAMS}


def _introduction() -> None:
    st.title("All methods on one request", anchor=False)
    st.markdown(
        "One press runs every method that can forget the chosen classes or images, each once and with its preset "
        "`auto`. The page then shows all of them in one table and one chart, beside the model that was retrained "
        "without the forget set: what they forgot, what they retained, what an attacker learns, and what it took."
    )
    setup = url_state.current()
    chosen = method_plan.resolve(setup)
    if chosen is not None:
        what = f"{escape(chosen.forgotten)} of {escape(chosen.request.classifier.title)}"
        cost = "" if chosen.request.error is not None else method_plan.cost(chosen)
        st.markdown(f"**Chosen now:** {what}. {cost}")
    row, question = st.container(horizontal=True), st.container()
    with row:
        method_plan.offer(setup, primary=True, question=question)
        if st.button("Choose a classifier", icon=":material/neurology:", key="to-classifier"):
            url_state.open_page("classifier")
        if st.button("Choose what to forget", icon=":material/ink_eraser:", key="to-forget"):
            url_state.open_page("forget")


def _latest() -> None:
    """The latest comparisons of this data folder."""
    st.header("Earlier comparisons", anchor=False)
    found = cache.store().method_runs.list_recent()
    if not found:
        st.caption("None yet. A comparison continues while this page is closed, and its link stays valid.")
    for group in found:
        _entry(group)


def _entry(group: MethodGroup) -> None:
    spec = group.newest.spec
    assert isinstance(spec, UnlearnSpec), "only runs of methods are in such a group"
    try:
        what = describe_forget_set(spec.request.forget, datasets.card(spec.request.dataset))
        classifier = classifiers.card(spec.request.classifier).title
        params = run_setup.request_params(run_setup.request_setup(spec))
    except UnlearnError:
        return  # Its classifier or data set was deleted; the history still lists its runs.
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"comparison-{group.newest.id}"):
        label = f"{escape(what)} · {escape(classifier)}"
        st.page_link(navigation.page("methods"), label=label, query_params=params)
        over = formatting.pluralize(group.runs - group.unfinished, "run")
        left = f", {group.unfinished} unfinished" if group.unfinished else ""
        seed = f" · seed {spec.seed}" if spec.seed else ""
        st.caption(f"{over} finished{left}{seed} · {formatting.format_age(group.newest.created)}", width="content")
