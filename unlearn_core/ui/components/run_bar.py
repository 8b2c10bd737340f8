"""The bar on top of every lab page: classifier, forget set, method, cost, and the button Run."""

import streamlit as st

from unlearn_core import methods
from unlearn_core.domain.jobs import Spec, UnlearnSpec
from unlearn_core.domain.verdicts.paired_comparison import images_needed
from unlearn_core.domain.verdicts.rule import TYPICAL_DISAGREEMENT
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.ui.components import cost_estimate, run_plan
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.room import following, joined_run
from unlearn_core.ui.shell import cache, formatting, lifespan, navigation, url_state
from unlearn_core.ui.shell.markdown import escape


def show() -> RunPlan:
    """Draw the bar, write the setup into the URL, and return the plan that the rest of the page uses."""
    setup = url_state.current()
    url_state.write_url()
    for sentence in url_state.errors():
        st.warning(f"Part of this link could not be used. {escape(sentence)}", icon=":material/link_off:")
    now = run_plan.resolve(setup)
    forecast = run_plan.forecast(now, now.method, now.params, auto=now.auto)
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="strip"):
        _step("classifier", _classifier(now), ":material/neurology:")
        _step("forget", _forget(now), ":material/ink_eraser:")
        _step("method", _method(now), ":material/tune:")
        st.space("stretch")
        st.caption(f"{format_cost(forecast)} here", width="content", help=_basis(forecast))
        pressed = st.button(
            "Run",
            type="primary",
            icon=":material/play_arrow:",
            disabled=now.error is not None,
            help=None if now.error is None else escape(now.error),
            key="strip-run",
        )
    if now.error is None and cost_estimate.confirmed(
        forecast, pressed, job=now.spec.model_dump_json(), key="strip-run"
    ):
        submit(now.spec, now.title())
    if now.setup.forget is not None and now.error is not None:
        st.warning(escape(now.error), icon=":material/block:")
        offer_methods(now)
    elif now.caution is not None:
        st.warning(f"**Not expected to work here.** {escape(now.caution)}", icon=":material/warning:")
        offer_methods(now)
    if now.split is not None:
        st.caption(_verdict_images(len(now.split.retain_test), now.dataset.item_noun))
    return now


def offer_methods(plan: RunPlan) -> None:
    """A button for each method that may well forget what is selected, where the chosen one may not."""
    forget, sizes = plan.setup.forget, plan.sizes
    if forget is None or sizes is None or (plan.caution is None and plan.setup.by in plan.method.supports):
        return
    with st.container(horizontal=True, gap="small", key="fitting-methods"):
        for method in methods.suited(forget, sizes, plan.classifier.id):
            st.button(
                f"Use {escape(method.title)}",
                key=f"fit-{method.id}",
                help=escape(method.summary),
                on_click=url_state.choose_method,
                args=(method.id,),
            )


def submit(spec: Spec, title: str) -> None:
    """Queue a run, make sure that a worker is running, and open the page of the run.

    The same run of somebody else is joined, and one that is done here answers at once.
    """
    if isinstance(spec, UnlearnSpec):
        number, known = cache.store().submit_unique(spec, title=title, reuse=True)
        joined_run.remember(number, known)
    else:
        number = cache.store().submit(spec, title=title)
    _open(number)


def submit_anyway(spec: UnlearnSpec, title: str) -> None:
    """Queue a run although the same one is done, and open its page."""
    _open(cache.store().submit(spec, title=title))


def _open(number: int) -> None:
    following.count_run(number)
    lifespan.ensure_worker()
    st.switch_page(navigation.page("run"), query_params={"id": str(number)})


def format_cost(forecast: Forecast | None) -> str:
    """A cost as the bar and the list of methods show it: "15 to 25 s", or a dash if it is unknown."""
    return "–" if forecast is None else str(forecast)


def _step(page: str, label: str, icon: str) -> None:
    if st.button(f"{label} \u2002\u203a", type="tertiary", icon=icon, key=f"strip-{page}"):
        url_state.open_page(page)


def _classifier(current: RunPlan) -> str:
    start = "" if current.setup.start is None else f", after run {current.setup.start}"
    return escape(current.classifier.title) + start


def _forget(current: RunPlan) -> str:
    if current.setup.forget is None:
        return "nothing selected yet"
    noun = current.dataset.item_noun
    if current.setup.by == "images":
        return formatting.pluralize(len(current.setup.images), noun)
    names = [current.dataset.classes[number] for number in current.setup.classes]
    count = 0 if current.sizes is None else current.sizes.forget
    what = ", ".join(names) if len(names) <= 3 else f"{len(names)} classes"
    return escape(f"{what} · {formatting.pluralize(count, noun)}" if count else what)


def _method(current: RunPlan) -> str:
    preset = current.presets[current.preset].title
    return escape(f"{current.method.title} · {preset} preset{', changed' if current.is_customized else ''}")


def _verdict_images(count: int, noun: str) -> str:
    """How many test images a verdict on the retain set needs, and how many there are."""
    needed = images_needed(TYPICAL_DISAGREEMENT)
    said = f"The verdict on the retain set needs about {needed:,} test {noun}s; there are {count:,}."
    return said if count >= needed else f":material/balance: {said} It may be *cannot tell*."


def _basis(forecast: Forecast | None) -> str:
    if forecast is None or not forecast.measured:
        return "For a typical CPU, measurements included. After the first run, this machine's own speed is used."
    return (
        "From earlier runs of this classifier on this machine and what other programs use of it now. Measurements are "
        "included. Nine of ten runs should take a time in this range."
    )
