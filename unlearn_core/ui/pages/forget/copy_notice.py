"""The notice that retained images are copies of forget images, with one click that forgets these too."""

import numpy as np
import streamlit as st

from unlearn_core.charts.drawing.wording import join_words
from unlearn_core.charts.text.warnings import copies_sentence
from unlearn_core.domain.forget_request import MAX_IMAGES
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.shell import cache, url_state
from unlearn_core.ui.shell.markdown import escape

MAX_SHOWN = 24
"""Largest number of copies to show."""


def show(plan: RunPlan) -> None:
    """Say which retained images are copies of what is selected; show nothing where there are none."""
    if plan.remaining is None or plan.dataset.is_points:
        return
    found = cache.duplicates(plan.dataset.id)
    if found is None:
        st.caption(":shimmer[Looking for copies] among the images of this data set: the next click shows them.")
        return
    sets = plan.remaining._asdict()
    copies = found.copies_of(np.concatenate([rows for name, rows in sets.items() if name.startswith("forget")]))
    retained = {name: np.intersect1d(copies, rows) for name, rows in sets.items() if name.startswith("retain")}
    words = copies_sentence({name: len(rows) for name, rows in retained.items()}, plan.dataset.item_noun)
    if not words:
        return
    train = retained["retain_train"]
    with st.container(border=True, key="copies"):
        st.markdown(f":orange[:material/content_copy:] {words}{_classes(plan, train)}")
        with st.container(horizontal=True, vertical_alignment="center"):
            if plan.setup.by == "images" and len(train):
                st.button(
                    "Forget this copy too" if len(train) == 1 else f"Forget these {len(train):,} copies too",
                    key="take-copies",
                    on_click=_add,
                    args=(train,),
                    disabled=len(train) + len(plan.setup.images) > MAX_IMAGES,
                    help="Selects them; deselect an image to undo it.",
                )
            with st.popover("Show them", key="show-copies"):
                _pairs(plan, np.concatenate(list(retained.values())), found.near)


def _classes(plan: RunPlan, copies: np.ndarray) -> str:
    """For a request of classes: the classes of the copies, which would have to be forgotten as well."""
    if plan.setup.by != "classes" or not len(copies):
        return ""
    numbers = np.unique(cache.image_dataset(plan.dataset.id).labels[copies]).tolist()
    names = escape(join_words([plan.dataset.classes[number] for number in numbers]))
    return f" Forget {names} as well, or single images, to remove {'it' if len(copies) == 1 else 'them'}."


def _pairs(plan: RunPlan, copies: np.ndarray, groups: np.ndarray) -> None:
    """Show each copy beside the forget image that it is a copy of."""
    labels = cache.image_dataset(plan.dataset.id).labels
    assert plan.split is not None
    forget = np.concatenate([plan.split.forget_train, plan.split.forget_val, plan.split.forget_test])
    grid = st.grid(4, min_column_width=90, gap="small")
    for copy in copies[:MAX_SHOWN].tolist():
        for number, role in ((int(forget[groups[forget] == groups[copy]][0]), "forget"), (copy, "copy")):
            name = plan.dataset.classes[labels[number]]
            with grid.cell():
                st.image(
                    cache.thumbnail(plan.dataset.id, number),
                    width="stretch",
                    alt=f"{name}, {plan.dataset.item_noun} {number}",
                )
                st.caption(f"{role}: {escape(name)} {number}")
    if len(copies) > MAX_SHOWN:
        st.caption(f"The first {MAX_SHOWN} of {len(copies):,} copies.")


def _add(copies: np.ndarray) -> None:
    url_state.change(images=tuple(sorted({*url_state.current().images, *copies.tolist()})))
