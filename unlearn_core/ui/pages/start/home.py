"""The start page: what the lab does, one button that does it, and a finished real run. It does not import torch."""

import streamlit as st

from unlearn_core.charts import charts
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.explanations import CamResult, ExplainedImage
from unlearn_core.engine.forecasts.here import of_report
from unlearn_core.store.queue.run_store import RunStore
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.guidance import levels
from unlearn_core.ui.shell import cache, drawings, navigation, run_setup
from unlearn_core.ui.shell.markdown import escape
from unlearn_core.ui.shell.navigation import PAGES


def hero() -> None:
    """The introduction, and the button that starts a real run."""
    st.title("Make a classifier forget. See what is left.", anchor=False)
    st.markdown(
        "A trained model depends on every image in its training data. **Machine unlearning** tries to remove the "
        "influence of some of them without training again from scratch. This lab does it while you watch, and shows "
        "what it did *and what it did not do*."
    )
    store, trouble = _open_store()
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Forget cats now", type="primary", icon=":material/play_arrow:", key="forget-cats", disabled=bool(trouble)
        ):
            _forget_cats()
        st.page_link(navigation.page("forget"), label="Choose for yourself", icon=":material/tune:")
        st.page_link(navigation.page("methods"), label="Try every method", icon=":material/leaderboard:")
        st.page_link(navigation.page("playground"), label="Play with points", icon=PAGES["playground"].icon)
    if store is None:
        st.error(escape(trouble), icon=":material/error:")
    else:
        st.caption(_cost(store))


def example_run() -> None:
    """A finished run in brief: one image with the heat maps of three models, and the curve of the run."""
    with st.container(border=True, height="stretch"), navigation.show_errors():
        report = cache.example()
        _three_heatmaps(report)
        curve = drawings.chart(charts()["curve"], [report], chart_card.current_theme())
        st.plotly_chart(
            curve.figure,
            theme=None,
            key="example-curve",
            height=280,
            config={"displayModeBar": False},
            alt=curve.alt,
        )
        st.page_link(
            navigation.page("run"),
            label=f"A real run: forget {escape(report.forget_set_title)} with {escape(report.method)}. Open its report",
            icon=":material/arrow_forward:",
            query_params={"id": "example"},
        )


def entry_points() -> None:
    """Three ways to begin: teach, explore, explain."""
    cards = (
        (
            "Teach",
            "Eight lessons of five to ten minutes, each about a real run. Say what you expect, then see what happened.",
            ("lessons", "To the lessons", {}),
        ),
        (
            "Explore",
            "Choose a method, set its hyperparameters and run it. Two finished runs are there to be compared at once.",
            ("compare", "Compare two runs", {}),
        ),
        (
            "Explain",
            "The question, the images and the verdict in plain words, and what the verdict does not prove.",
            ("run", "See a report", {"id": "example"}),
        ),
    )
    for column, (title, text, (page, label, query)) in zip(st.columns(3), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.header(title, anchor=False)
            st.markdown(text)
            st.page_link(navigation.page(page), label=label, icon=":material/arrow_forward:", query_params=query)


def _forget_cats() -> None:
    levels.begin_with_first_look()
    with st.spinner("Adding the run to the queue"):
        from unlearn_core.ui.components import (  # Both import torch, and this page must be sent before that.
            run_bar,
            run_plan,
        )

        plan = run_plan.resolve(run_setup.default_setup())
    run_bar.submit(plan.spec, plan.title())


def _open_store() -> tuple[RunStore | None, str]:
    """The runs of this data folder, or why they cannot be read."""
    try:
        store = cache.store()
        store.workers()
    except UnlearnError as problem:
        return None, str(problem)
    return store, ""


def _cost(store: RunStore) -> str:
    """The time that the run will take; the example is such a run."""
    try:
        forecast = of_report(cache.example(), store)
    except UnlearnError:
        forecast = None  # The panel of the example shows this error.
    if forecast is None:
        return "Real run, bundled data."
    return f"Real run, bundled data, {forecast} on {'this machine' if forecast.measured else 'a typical CPU'}."


def _three_heatmaps(report: Report) -> None:
    """Heat maps of a test image in the forget set: the one that the original model classified with most confidence."""
    cam = report[CamResult]
    place = max(range(len(cam.images)), key=lambda number: _informativeness(cam.images[number]))
    (row,) = drawings.heatmaps(report, cam.only(place))
    models = sum(" · " in cell.caption for cell in row.cells)
    st.markdown(f"**{escape(row.title)}: predictions and heat maps of {'three' if models == 3 else 'two'} models**")
    grid = st.grid(1 + models, min_column_width=64)
    for cell in row.cells[: 1 + models]:
        with grid.cell():
            caption = escape(cell.caption).replace(" · ", "  \n") if " · " in cell.caption else "the image"
            st.image(cell.file, caption, width="stretch", alt=f"{row.title}: {cell.caption}")


def _informativeness(shown: ExplainedImage) -> tuple[bool, bool, float]:
    before = shown.models["before"]
    return shown.set == "forget_test", before.predicted == shown.label == shown.target, before.probability
