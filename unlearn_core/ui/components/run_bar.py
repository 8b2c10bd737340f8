"""The strip on top of every lab page: classifier, what to forget, method, cost, and Run one click away."""

import streamlit as st

from unlearn_core.domain.jobs import Spec
from unlearn_core.ui.components import run_plan
from unlearn_core.ui.components.run_plan import Plan
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, url_state
from unlearn_core.ui.shell.markdown import escape


def show() -> Plan:
    """Draws the strip, writes the setup into the address, and gives the plan that the rest of the page is about."""
    setup = url_state.current()
    url_state.write()
    for sentence in url_state.trouble():
        st.warning(f"The address could not be used as it is. {escape(sentence)}", icon=":material/link_off:")
    now = run_plan.of(setup)
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="strip"):
        _step("classifier", _classifier(now), ":material/neurology:")
        _step("forget", _forget(now), ":material/ink_eraser:")
        _step("method", _method(now), ":material/tune:")
        st.space("stretch")
        st.caption(_cost(now), width="content", help=_basis(now))
        if st.button(
            "Run",
            type="primary",
            icon=":material/play_arrow:",
            disabled=now.trouble is not None,
            help=None if now.trouble is None else escape(now.trouble),
            key="strip-run",
        ):
            submit(now.spec, now.title())
    if now.setup.forget is not None and now.trouble is not None:
        st.warning(escape(now.trouble), icon=":material/block:")
    return now


def submit(spec: Spec, title: str) -> None:
    """Puts a run into the queue, sees that somebody is at work, and goes to its page."""
    number = cache.store().submit(spec, title=title)
    lifespan.see_to_it()
    st.switch_page(navigation.page("run"), query_params={"id": str(number)})


def about(seconds: float | None) -> str:
    """A cost as the strip and the list of methods say it: "about 14 s", or a dash while nothing is chosen."""
    return "–" if seconds is None else formatting.about(seconds)


def _step(page: str, label: str, icon: str) -> None:
    if st.button(f"{label} \u2002\u203a", type="tertiary", icon=icon, key=f"strip-{page}"):
        url_state.go(page)


def _classifier(now: Plan) -> str:
    start = "" if now.setup.start is None else f", after run {now.setup.start}"
    return escape(now.classifier.title) + start


def _forget(now: Plan) -> str:
    if now.setup.forget is None:
        return "nothing chosen yet"
    if now.setup.by == "images":
        return formatting.counted(len(now.setup.images), "picture")
    names = [now.dataset.classes[number] for number in now.setup.classes]
    count = 0 if now.sizes is None else now.sizes.forget
    what = ", ".join(names) if len(names) <= 3 else f"{len(names)} classes"
    return escape(f"{what} · {formatting.counted(count, 'picture')}" if count else what)


def _method(now: Plan) -> str:
    preset = now.method.presets[now.preset].title
    return escape(f"{now.method.title} · {preset} preset{', changed' if now.turned else ''}")


def _cost(now: Plan) -> str:
    return about(run_plan.seconds(now, now.method, now.knobs)) + " here"


def _basis(now: Plan) -> str:
    if now.pace.measured:
        return "From the runs that were made on this machine with this classifier, measuring included."
    return "On a typical CPU, measuring included. After the first run it is counted from this machine's own pace."
