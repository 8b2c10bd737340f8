"""Choosing what to forget: classes or single pictures, the latter page by page, and what that leaves."""

import numpy as np
import streamlit as st

from unlearn_core.data.standard_requests import standard_requests
from unlearn_core.models import bundled_models
from unlearn_core.ui.components import point_picker
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.shell import cache, formatting, url_state
from unlearn_core.ui.shell.markdown import escape

PER_PAGE = 24
_KINDS = {"classes": "Whole classes", "images": "Single pictures"}


def kind_choice(plan: RunPlan) -> None:
    """The choice between whole classes and single pictures; what was ticked on the other side is kept."""
    st.session_state["forget-by"] = plan.setup.by
    st.segmented_control(
        "What to forget",
        list(_KINDS),
        format_func=_KINDS.__getitem__,
        required=True,
        key="forget-by",
        label_visibility="collapsed",
        on_change=_apply_kind,
    )


def image_gallery(plan: RunPlan) -> None:
    """The training pictures, a page at a time; ticks outlive paging, filtering and leaving."""
    _standard(plan)
    if plan.dataset.is_points:
        _plane(plan)
    _gallery(plan)


def footer(plan: RunPlan) -> None:
    """What would be forgotten, what kept, what is left to judge by; and the way on."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="foot"):
        if plan.split is None:
            st.markdown(escape(plan.error or ""), width="content")
        else:
            sizes = {name: len(rows) for name, rows in plan.split._asdict().items()}
            unseen = sizes["forget_test"], sizes["retain_test"]
            judge = " + ".join(f"{count:,}" for count in unseen if count)
            st.markdown(f":orange[■] **{sizes['forget_train']:,}** to forget", width="content")
            st.markdown(f":green[■] **{sizes['retain_train']:,}** to keep", width="content")
            st.markdown(f"{judge} unseen ones to judge by", width="content")
        st.space("stretch")
        st.button("Clear", type="tertiary", key="clear", on_click=_clear, disabled=plan.setup.forget is None)
        if st.button("Next: method", type="primary", key="next", disabled=plan.split is None):
            url_state.open_page("method")


def _plane(plan: RunPlan) -> None:
    """Points are picked where they lie: with a box, a loop or by clicks; then a button ticks them."""
    chosen = plan.setup.images
    picked = point_picker.pick(plan.dataset, chosen, key=f"plane-{plan.dataset.id}-{len(chosen)}")
    new = tuple(sorted({*chosen, *(picked or ())}))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Tick the {formatting.pluralize(len(picked), 'point')} in the frame"
            if picked
            else "Draw a frame around points",
            key="tick-points",
            disabled=not picked,
            on_click=_apply_standard,
            args=(new,),
        )
        st.caption(
            "The frame, the loop and the clicks are those of the chart; crosses are ticked already.", width="content"
        )


def _standard(plan: RunPlan) -> None:
    """Requests whose gold ships, one click each: the quickest way to a report with a yardstick."""
    ready = {
        name: forget.images
        for name, forget in standard_requests(plan.dataset).items()
        if forget.kind == "images"
        and bundled_models.find_bundled(plan.classifier.id, forget, bundled_models.GOLD_SEED_OFFSET)
    }
    if not ready:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="standard"):
        st.caption("Drawn at random, with the gold that ships:", width="content")
        for name, images in ready.items():
            st.button(
                formatting.pluralize(len(images), "picture"),
                key=f"take-{name}",
                disabled=plan.setup.images == images,
                on_click=_apply_standard,
                args=(images,),
                help="Ticks these pictures in place of those that are ticked now.",
            )


@st.fragment
def _gallery(plan: RunPlan) -> None:
    every, chosen = cache.image_dataset(plan.dataset.id), url_state.current().images
    ids = _filtered(plan, every.labels[: every.train], chosen)
    if not len(ids):
        st.info("No picture is ticked yet.")
        return
    pages = -(-len(ids) // PER_PAGE)
    if st.session_state.get("gallery-page", 1) > pages:
        st.session_state["gallery-page"] = pages
    slot = st.container()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        page = st.pagination(pages, key="gallery-page", bind="query-params")
        here = ids[(page - 1) * PER_PAGE : page * PER_PAGE].tolist()
        whole = set(here) <= set(chosen)
        label = f"{'Untick' if whole else 'Tick'} the {len(here)} on this page"
        st.button(label, type="tertiary", key="tick-page", on_click=_tick_page, args=(here, not whole))
    grid = slot.grid(8, min_column_width=96, gap="small")
    for number in here:
        name = plan.dataset.classes[every.labels[number]]
        with grid.cell():
            st.image(cache.thumbnail(plan.dataset.id, number), width="stretch", alt=f"{name}, picture {number}")
            key = f"picture-{plan.dataset.id}-{number}"
            st.session_state[key] = number in chosen
            st.checkbox(escape(f"{name} {number}"), key=key, on_change=_tick_image, args=(number, key))


def _filtered(plan: RunPlan, labels: np.ndarray, chosen: tuple[int, ...]) -> np.ndarray:
    """The numbers of the pictures to page through, after the row of filters."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Class",
            ["all classes", *plan.dataset.classes],
            key=f"gallery-class-{plan.dataset.id}",
            bind="query-params",
            width=220,
            on_change=_first_page,
        )
        only = st.toggle("Only ticked ones", key="gallery-ticked", bind="query-params", on_change=_first_page)
    ids = np.array(chosen, dtype=int) if only else np.arange(len(labels))
    return ids if name == "all classes" else ids[labels[ids] == plan.dataset.classes.index(name)]


def _apply_kind() -> None:
    url_state.change(by=st.session_state["forget-by"])


def _apply_standard(images: tuple[int, ...]) -> None:
    url_state.change(images=images)


def _first_page() -> None:
    st.session_state["gallery-page"] = 1


def _tick_image(number: int, key: str) -> None:
    url_state.change(images=_with(url_state.current().images, number, st.session_state[key]))
    st.rerun()  # The whole page: strip, foot and address count what is ticked.


def _tick_page(numbers: list[int], ticked: bool) -> None:
    chosen = {*url_state.current().images}
    url_state.change(images=tuple(sorted(chosen | {*numbers} if ticked else chosen - {*numbers})))
    st.rerun()


def _with(chosen: tuple[int, ...], number: int, ticked: bool) -> tuple[int, ...]:
    return tuple(sorted({*chosen, number} if ticked else {*chosen} - {number}))


def _clear() -> None:
    url_state.change(**{url_state.current().by: ()})
