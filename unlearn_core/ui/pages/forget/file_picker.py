"""Selection of images by the names of their files, which a person pastes, such as from a withdrawal of consent."""

import streamlit as st

from unlearn_core.data.image_files import FileMatch, find_files, image_paths, split_list, why_no_paths
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.shell import formatting, url_state
from unlearn_core.ui.shell.markdown import escape

MAX_LISTED = 20
"""The most names that are listed of each kind."""


def show(plan: RunPlan) -> None:
    """A box for file names, what was found for them, and the button that selects these images."""
    with st.expander("Select by file name", icon=":material/description:"):
        if image_paths(plan.dataset) is None:
            st.markdown(escape(why_no_paths(plan.dataset)))
            return
        text = st.text_area(
            "File names",
            placeholder="cat/IMG_0001.jpg\nIMG_0002.jpg",
            key=f"files-{plan.dataset.id}",
            help="One on each line. A name is matched with whole paths first, then with the end of paths: `1.jpg` "
            "fits `cat/1.jpg` if there is no other `1.jpg`. Capital letters matter.",
        )
        st.button("Find these files", key="find-files", icon=":material/search:")
        if names := split_list(text or ""):
            try:
                _show_match(plan, find_files(names, plan.dataset))
            except UnlearnError as problem:
                st.warning(escape(problem), icon=":material/block:")


def _show_match(plan: RunPlan, found: FileMatch) -> None:
    """Say what was found and what was not; nothing is selected before a click."""
    noun, count = plan.dataset.item_noun, len(found.images)
    if found.by_path:
        st.markdown(f"**{len(found.by_path):,}** found by the whole path.")
    if found.by_end:
        _list(
            f"**{len(found.by_end):,}** found by the end of the path, which fits no other file:",
            [f"{name} → {noun} {number}" for name, number in found.by_end.items()],
        )
    for words, names in (
        ("not in this data set", found.missing),
        (f"not of training {noun}s but of validation or test {noun}s, so no model was trained on them", found.held_out),
        ("of several files, so more of the path is needed", found.several),
    ):
        if names:
            _list(f":red[**{len(names):,}** of the names {'is' if len(names) == 1 else 'are'} {words}:]", names)
    chosen = {*plan.setup.images}
    if count and chosen.issuperset(found.images):
        st.markdown(f":green[:material/check:] The {formatting.pluralize(count, noun)} found are selected.")
    elif count:
        what = formatting.pluralize(count, noun)
        label = f"Select the {what}" if found.is_complete else f"Go on with only the {what} found"
        st.button(label, key="take-files", type="primary", on_click=_select, args=(found.images,))


def _list(words: str, names: list[str]) -> None:
    listed = [f"- {escape(name)}" for name in names[:MAX_LISTED]]
    listed += [f"- … and {len(names) - MAX_LISTED:,} more"] if len(names) > MAX_LISTED else []
    st.markdown("\n".join([words, "", *listed]))


def _select(images: tuple[int, ...]) -> None:
    """Add these images to those that are selected already."""
    url_state.change(images=tuple(sorted({*url_state.current().images, *images})))
