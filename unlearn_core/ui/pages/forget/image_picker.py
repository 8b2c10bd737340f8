"""Selection of the forget set: classes or single images, the latter page by page; and the sizes of all sets."""

import numpy as np
import streamlit as st

from unlearn_core.data.image_files import image_paths
from unlearn_core.data.standard_requests import standard_requests
from unlearn_core.models import bundled_models
from unlearn_core.ui.components import paged_grid, point_picker
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.pages.forget import file_picker
from unlearn_core.ui.shell import cache, formatting, url_state
from unlearn_core.ui.shell.markdown import escape

PER_PAGE = 24
_FIND = "gallery-file"
_KINDS = {"classes": "Whole classes", "images": "Single images"}


def kind_choice(plan: RunPlan) -> None:
    """The switch between whole classes and single images; the selection of the other kind is remembered."""
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
    """The training images, page by page; the selection survives paging, filtering and leaving the page."""
    _standard(plan)
    if plan.dataset.is_points:
        _plane(plan)
    else:
        file_picker.show(plan)
    _gallery(plan)


def footer(plan: RunPlan) -> None:
    """The sizes of forget set, retain set and test sets; and the button to the next page."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="foot"):
        if plan.split is None:
            st.markdown(escape(plan.error or ""), width="content")
        else:
            sizes = {name: len(rows) for name, rows in plan.split._asdict().items()}
            counts = sizes["forget_test"], sizes["retain_test"]
            test = " + ".join(f"{count:,}" for count in counts if count)
            st.markdown(f":orange[■] **{sizes['forget_train']:,}** in the forget set", width="content")
            st.markdown(f":green[■] **{sizes['retain_train']:,}** in the retain set", width="content")
            st.markdown(f"{test} test {plan.dataset.item_noun}s", width="content")
        st.space("stretch")
        st.button("Clear", type="tertiary", key="clear", on_click=_clear, disabled=plan.setup.forget is None)
        if st.button("Next: method", type="primary", key="next", disabled=plan.split is None):
            url_state.open_page("method")


def _plane(plan: RunPlan) -> None:
    """The plane, in which points are marked with a box or a lasso; a button then selects them."""
    chosen = plan.setup.images
    picked = point_picker.pick(plan.dataset, chosen, key=f"plane-{plan.dataset.id}-{len(chosen)}")
    new = tuple(sorted({*chosen, *(picked or ())}))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Select the {formatting.pluralize(len(picked), 'marked point')}" if picked else "Mark points first",
            key="tick-points",
            disabled=not picked,
            on_click=_apply_standard,
            args=(new,),
        )
        st.caption(
            "Drag a box around points, or use the lasso at the top right. Crosses are already selected.",
            width="content",
        )


def _standard(plan: RunPlan) -> None:
    """Requests whose retrained model is bundled, one click each: the quickest way to a report with a reference."""
    ready = {
        name: forget.images
        for name, forget in standard_requests(plan.dataset).items()
        if forget.kind == "images"
        and bundled_models.find_bundled(plan.classifier.id, forget, bundled_models.GOLD_SEED_OFFSET)
    }
    if not ready:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="standard"):
        st.caption("Random selections with a bundled retrained model:", width="content")
        for name, images in ready.items():
            st.button(
                formatting.pluralize(len(images), plan.dataset.item_noun),
                key=f"take-{name}",
                disabled=plan.setup.images == images,
                on_click=_apply_standard,
                args=(images,),
                help="Replaces the current selection by these images.",
            )


@st.fragment
def _gallery(plan: RunPlan) -> None:
    every, chosen = cache.image_dataset(plan.dataset.id), url_state.current().images
    paths = image_paths(plan.dataset)
    ids = _filtered(plan, every.labels[: every.train], chosen, paths)
    if not len(ids):
        searched = st.session_state.get(_FIND, "").strip()
        st.info("No file name matches." if searched else f"No {plan.dataset.item_noun} is selected yet.")
        return
    page = paged_grid.choose_page(len(ids), PER_PAGE, key="gallery-page", spread=True)
    here = ids[page.items].tolist()
    whole = set(here) <= set(chosen)
    label = f"{'Deselect' if whole else 'Select'} the {len(here)} on this page"
    page.row.button(label, type="tertiary", key="tick-page", on_click=_tick_page, args=(here, not whole))
    grid = page.place.grid(8, min_column_width=96, gap="small")
    for number in here:
        name = plan.dataset.classes[every.labels[number]]
        with grid.cell():
            st.image(
                cache.thumbnail(plan.dataset.id, number),
                width="stretch",
                alt=f"{name}, {plan.dataset.item_noun} {number}" + (f", file {paths[number]}" if paths else ""),
            )
            key = f"picture-{plan.dataset.id}-{number}"
            st.session_state[key] = number in chosen
            st.checkbox(escape(f"{name} {number}"), key=key, on_change=_tick_image, args=(number, key))
            if paths:
                st.caption(escape(file_picker.short_name(paths[number])))


def _filtered(plan: RunPlan, labels: np.ndarray, chosen: tuple[int, ...], paths: list[str] | None) -> np.ndarray:
    """Draw the row of filters, and return the numbers of the images that pass them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Class",
            ["all classes", *plan.dataset.classes],
            key=f"gallery-class-{plan.dataset.id}",
            bind="query-params",
            width=220,
            on_change=_first_page,
        )
        wanted = _file_query() if paths else ""
        only = st.toggle("Only selected", key="gallery-ticked", bind="query-params", on_change=_first_page)
    ids = np.array(chosen, dtype=int) if only else np.arange(len(labels))
    if wanted and paths:
        ids = np.array([number for number in ids.tolist() if wanted in paths[number].casefold()], dtype=int)
    return ids if name == "all classes" else ids[labels[ids] == plan.dataset.classes.index(name)]


def _file_query() -> str:
    """Draw the search by file name, and return what is searched for."""
    query = st.text_input(
        "Find a file",
        placeholder="part of its path",
        key=_FIND,
        bind="query-params",
        icon=":material/search:",
        width=260,
        on_change=_first_page,
    )
    return query.strip().casefold()


def _apply_kind() -> None:
    url_state.change(by=st.session_state["forget-by"])


def _apply_standard(images: tuple[int, ...]) -> None:
    url_state.change(images=images)


def _first_page() -> None:
    st.session_state["gallery-page"] = 1


def _tick_image(number: int, key: str) -> None:
    url_state.change(images=_with(url_state.current().images, number, st.session_state[key]))
    st.rerun()  # The whole page: run bar, footer and URL show what is selected.


def _tick_page(numbers: list[int], ticked: bool) -> None:
    chosen = {*url_state.current().images}
    url_state.change(images=tuple(sorted(chosen | {*numbers} if ticked else chosen - {*numbers})))
    st.rerun()


def _with(chosen: tuple[int, ...], number: int, ticked: bool) -> tuple[int, ...]:
    return tuple(sorted({*chosen, number} if ticked else {*chosen} - {number}))


def _clear() -> None:
    url_state.change(**{url_state.current().by: ()})
