"""The first page: what this is, one button that does it, and a real run that somebody made earlier. Without torch."""

from statistics import median

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.report import Report
from unlearn_core.domain.run import RunSpec, RunState
from unlearn_core.ui import chart, frame, session, studio, words
from unlearn_core.ui.plain import escape


def hero() -> None:
    """The sentence, and the button that begins the real thing."""
    st.space("medium")
    st.title("Make a classifier forget. See what is left.", anchor=False)
    st.markdown(
        "A trained network remembers every picture that it saw. **Unlearning** tries to take some of them back, "
        "without training again from nothing. This lab does it in front of you, and shows what it did "
        "*and what it did not do*."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Forget cats now", type="primary", icon=":material/play_arrow:", key="forget-cats"):
            _forget_cats()
        st.page_link(frame.page("forget"), label="Choose yourself", icon=":material/tune:")
    st.caption(_cost())


def example() -> None:
    """A finished run in small: one picture asked three times, and the curve of the run."""
    with st.container(border=True, height="stretch"), frame.guarded():
        report = studio.example()
        _asked_three_times(report)
        curve = charts()["curve"]
        st.plotly_chart(
            curve.figure([report], chart.theme()).update_layout(height=210),
            theme=None,
            key="example-curve",
            config={"displayModeBar": False},
            alt=curve.alt(report),
        )
        st.page_link(
            frame.page("run"),
            label=f"A real run: forget {escape(report.forgotten)} with {escape(report.method)}. Open its report",
            icon=":material/arrow_forward:",
            query_params={"id": "example"},
        )


def ways() -> None:
    """Three ways in: to teach, to explore, to show."""
    cards = (
        ("Teach", "A real run, step by step: what was asked, what happened, and what it does not prove.", "run"),
        (
            "Explore",
            "Choose what to forget and how, turn a knob and watch. Every run is kept and can be run again.",
            "forget",
        ),
        (
            "Show",
            "The question, the pictures and the verdict in plain words, beside the net that never saw them.",
            "history",
        ),
    )
    for column, (title, text, page) in zip(st.columns(3), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.subheader(title, anchor=False)
            st.markdown(text)
            st.page_link(frame.page(page), label=title, icon=":material/arrow_forward:")


def _forget_cats() -> None:
    from unlearn_core.ui import plan, strip  # Both need torch, and this page must be out before torch is in.

    now = plan.of(session.default())
    strip.submit(now.spec, now.title())


def _cost() -> str:
    """How long the button will take: from runs of this kind that were made here, else from the example's own."""
    try:
        done = studio.store().list(kinds=("unlearn",), states=(RunState.DONE,), limit=50)
        here = [run.headline["seconds"]["total"] for run in done if _like_default(run.spec)]
        if here:
            return f"Real run, bundled data, {words.about(median(here))} on this machine."
        timings = studio.example().parts["timings"].facts
        took = words.about(timings["seconds"]["total"])
        return f"Real run, bundled data. The one shown here took {took} on a {words.device(timings['device'])}."
    except UnlearnError as problem:
        return escape(problem)


def _like_default(spec: object) -> bool:
    usual = session.default()
    if not isinstance(spec, RunSpec):
        return False
    wish = spec.request
    return (spec.method, wish.classifier, wish.forget.kind) == (usual.method, usual.classifier, "classes")


def _asked_three_times(report: Report) -> None:
    raise NotImplementedError
