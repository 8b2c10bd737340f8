"""The list of data sets, the card of the selected one, and those in the trash."""

from collections.abc import Callable
from functools import partial

import numpy as np
import streamlit as st

from unlearn_core.data import datasets, image_files, user_catalog
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.store.access.items import OwnedItems
from unlearn_core.store.deletion import deletion_blocker
from unlearn_core.ui.components import paged_grid, training_form
from unlearn_core.ui.gallery import image_gallery
from unlearn_core.ui.gallery.image_texts import DatasetTexts
from unlearn_core.ui.gallery.listings import Listing
from unlearn_core.ui.server.urls import DATASET_PARAM
from unlearn_core.ui.shell import cache, formatting, ownership, url_state
from unlearn_core.ui.shell.markdown import escape

SELECTED_KEY = "picture-set"
PER_PAGE = 12
"""Number of classes per page of examples."""


def dataset_choice() -> str:
    """Show all data sets and return the id of the selected one, which is also in the URL."""
    cards = _ordered()
    with url_state.bound(SELECTED_KEY, DATASET_PARAM, default="", parse=str):
        if st.session_state[SELECTED_KEY] not in cards:
            st.session_state[SELECTED_KEY] = next(iter(cards))
        return st.radio(
            "Data set",
            list(cards),
            format_func=lambda one: escape(cards[one].title),
            captions=[_counts(card) for card in cards.values()],
            key=SELECTED_KEY,
            label_visibility="collapsed",
        )


def _ordered() -> dict[str, DatasetCard]:
    """All data sets: users' own first, then images, then points in the plane."""
    cards, mine = datasets.cards(), user_catalog.dataset_cards()
    return dict(sorted(cards.items(), key=lambda one: (one[0] not in mine, one[1].is_points, one[1].title)))


def select_dataset(name: str) -> None:
    """Select this data set from the next run of the page on."""
    st.query_params[DATASET_PARAM] = name


def dataset_card(name: str) -> None:
    """Show the content, source and licence of a data set, and examples of each class."""
    found = datasets.card(name)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header(escape(found.title), anchor=False, width="content")
        with st.container(horizontal=True, width="content"):
            if st.button("Train a classifier on this", icon=":material/model_training:", key="train-on"):
                training_form.open_form(name)
            if name in user_catalog.dataset_cards():
                _remove(found)
    st.markdown(escape(found.summary))
    st.caption(f"{_counts(found)} · {_bytes(found)}")
    for note in cache.dataset_notes(found.id):
        st.markdown(f":orange[:material/warning:] {escape(note)}")
    st.caption(f"**Source.** {escape(found.source)} **Licence.** {escape(found.licence)}")
    _classes(found)


def removed_datasets() -> None:
    """Show removed data sets, with buttons to restore or delete them."""
    gone = cache.store().items.removed_datasets()
    if not gone:
        return
    with st.expander(f"Removed: {formatting.pluralize(len(gone), 'data set')}", key="removed"):
        for name, one in gone.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(escape(one.title), width="stretch")
                refusal = ownership.item_refusal("dataset", name)
                st.button(
                    "Restore",
                    key=f"restore-{name}",
                    on_click=_act_in_trash,
                    args=(OwnedItems.restore_dataset, name),
                    disabled=refusal is not None,
                    help=refusal,
                )
                with st.popover("Delete", key=f"delete-ask-{name}", disabled=refusal is not None):
                    st.markdown(f"**{escape(one.title)}** ({_bytes(one)}) will be permanently deleted.")
                    st.button(
                        "Delete permanently",
                        type="primary",
                        key=f"delete-{name}",
                        on_click=_act_in_trash,
                        args=(OwnedItems.delete_dataset, name),
                    )


def _classes(found: DatasetCard) -> None:
    """Show examples of each class, a page of classes at a time."""
    place, numbers = st.container(), range(len(found.classes))
    if len(numbers) > PER_PAGE:
        page = paged_grid.choose_page(len(numbers), PER_PAGE, key=f"classes-{found.id}", bound=False)
        place, numbers = page.place, numbers[page.items]
    grid = place.grid(4, min_column_width=120)
    for number in numbers:
        name = found.classes[number]
        with grid.cell(), st.container(gap="xxsmall"):
            shown = cache.class_preview(found.id, number)
            if shown is None:
                st.caption(f"no training {found.item_noun}")
            else:
                st.image(shown, width="stretch", alt=f"Training {found.item_noun}s of the class {name}")
            st.markdown(escape(name))


def all_images(name: str) -> None:
    """Show every image of a data set, or those of one class, and the one that is clicked in large."""
    found = datasets.card(name)
    if found.is_points:
        return
    labels, noun = cache.image_dataset(found.id).labels, found.item_noun
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header(f"All {noun}s", anchor=False, width="content")
        label = st.selectbox(
            "Class",
            range(len(found.classes)),
            index=None,
            format_func=lambda number: found.classes[number],
            placeholder="All classes",
            label_visibility="collapsed",
            key=f"all-images-class-{found.id}",
            width=260,
        )
    images = np.arange(len(labels)) if label is None else np.flatnonzero(labels == label)
    if not len(images):
        st.caption(f"There is no {noun} of this class.")
        return
    true_labels, paths = cache.image_dataset(found.id).true_labels, image_files.image_paths(found)
    texts, key = DatasetTexts(found, labels, paths=paths, true_labels=true_labels), f"all-images-{found.id}"
    chosen = st.session_state.get(f"{key}-chosen")
    image_gallery.select_one(
        Listing(found.id, images, texts.describe, "data set", texts.lines),
        chosen,
        partial(st.session_state.__setitem__, f"{key}-chosen"),
        key=key,
        label=f"{noun.capitalize()}s of {found.title}",
        noun=noun,
        bound=len(labels),
    )
    if chosen is not None:
        _one_image(found, texts, chosen)


def _one_image(found: DatasetCard, texts: DatasetTexts, image: int) -> None:
    """Show an image in large, with its class, its file, and the part of the data set that it belongs to."""
    parts = {"training": found.train, "validation": found.train + found.val}
    part = next((name for name, end in parts.items() if image < end), "test")
    (said,) = texts.describe(np.array([image]))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(cache.thumbnail(found.id, image), width=192, alt=said.label)
        st.markdown(f"**{escape(' · '.join(filter(None, said.lines)))}**  \n{part} {found.item_noun}")


def _remove(found: DatasetCard) -> None:
    why = deletion_blocker(cache.store(), found.id)
    refusal = ownership.item_refusal("dataset", found.id)
    with st.popover("Remove", icon=":material/delete:", key="remove-ask", disabled=refusal is not None, help=refusal):
        if why:
            st.markdown(escape(why))
        else:
            st.markdown(
                f"**{escape(found.title)}** moves to the trash: you can restore it until it is permanently deleted."
            )
            st.button("Remove", type="primary", key="remove", on_click=_remove_dataset, args=(found.id,))


def _remove_dataset(name: str) -> None:
    """Remove a data set, unless a run has begun to use it since the page was shown."""
    if not deletion_blocker(cache.store(), name):
        _act_in_trash(OwnedItems.remove_dataset, name)


def _act_in_trash(what: Callable[[OwnedItems, str], None], name: str) -> None:
    """Do something in the trash; an error means that another visitor was faster, and is shown."""
    try:
        what(cache.store().items, name)
    except UnlearnError as problem:
        st.toast(escape(problem), icon=":material/error:")


def _counts(card: DatasetCard) -> str:
    count = formatting.pluralize(card.train + card.val + card.test, card.item_noun)
    return f"{count} · {len(card.classes):,} classes"


def _bytes(card: DatasetCard) -> str:
    size = (card.train + card.val + card.test) * card.size**2 * 3
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
