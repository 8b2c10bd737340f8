"""The data sets that there are: a list, the card of the chosen one, and those that were put away."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.ingest import trash
from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.uses import deletion_blocker
from unlearn_core.ui.components import training_form
from unlearn_core.ui.shell import cache, formatting, url_state
from unlearn_core.ui.shell.markdown import escape

SELECTED_KEY, DATASET_PARAM = "picture-set", "dataset"
PER_PAGE = 12
"""Classes of which pictures are shown at a time."""


def dataset_choice() -> str:
    """All data sets, one of them chosen; gives its id. The address holds which."""
    cards = _ordered()
    url_state.bind_from_url(SELECTED_KEY, DATASET_PARAM, lambda text: text if text in cards else next(iter(cards)))
    if st.session_state[SELECTED_KEY] not in cards:
        st.session_state[SELECTED_KEY] = next(iter(cards))
    name = st.radio(
        "Data set",
        list(cards),
        format_func=lambda one: escape(cards[one].title),
        captions=[_counts(card) for card in cards.values()],
        key=SELECTED_KEY,
        label_visibility="collapsed",
    )
    url_state.bind_to_url(SELECTED_KEY, DATASET_PARAM, name)
    return name


def _ordered() -> dict[str, DatasetCard]:
    """All data sets: people's own first, then pictures, then points of the plane."""
    cards, mine = datasets.cards(), user_catalog.dataset_cards()
    return dict(sorted(cards.items(), key=lambda one: (one[0] not in mine, one[1].is_points, one[1].title)))


def select_dataset(name: str) -> None:
    """Has the page show this data set from its next run on."""
    st.query_params[DATASET_PARAM] = name


def dataset_card(name: str) -> None:
    """What a data set holds, whose it is, and pictures of each class."""
    found = datasets.card(name)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.subheader(escape(found.title), anchor=False, width="content")
        with st.container(horizontal=True, width="content"):
            if st.button("Train a classifier on these", icon=":material/model_training:", key="train-on"):
                training_form.open_form(name)
            if name in user_catalog.dataset_cards():
                _remove(found)
    st.markdown(escape(found.summary))
    st.caption(f"{_counts(found)} · {_bytes(found)}")
    st.caption(f"**Source.** {escape(found.source)} **Licence.** {escape(found.licence)}")
    _classes(found)


def removed_datasets() -> None:
    """What was removed, and the way back."""
    gone = trash.removed(open_data_dir())
    if not gone:
        return
    with st.expander(f"Removed: {formatting.pluralize(len(gone), 'data set')}", key="removed"):
        for name, one in gone.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(escape(one.title), width="stretch")
                st.button("Bring back", key=f"restore-{name}", on_click=_act_in_trash, args=(trash.restore, name))
                with st.popover("Delete", key=f"delete-ask-{name}"):
                    st.markdown(f"**{escape(one.title)}** will be gone for good, {_bytes(one)} of it.")
                    st.button(
                        "Delete for good",
                        type="primary",
                        key=f"delete-{name}",
                        on_click=_act_in_trash,
                        args=(trash.delete, name),
                    )


def _classes(found: DatasetCard) -> None:
    """Pictures of each class, a page of classes at a time."""
    pages = -(-len(found.classes) // PER_PAGE)
    slot, page = st.container(), 1
    if pages > 1:
        with st.container(horizontal=True, horizontal_alignment="center"):
            page = min(st.pagination(pages, key=f"classes-{found.id}"), pages)
    grid = slot.grid(4, min_column_width=120)
    for number in range((page - 1) * PER_PAGE, min(page * PER_PAGE, len(found.classes))):
        name = found.classes[number]
        with grid.cell(), st.container(gap="xxsmall"):
            st.image(
                cache.class_preview(found.id, number), width="stretch", alt=f"Training pictures of the class {name}"
            )
            st.markdown(escape(name))


def _remove(found: DatasetCard) -> None:
    why = deletion_blocker(cache.store(), found.id)
    with st.popover("Remove", icon=":material/delete:", key="remove-ask"):
        if why:
            st.markdown(escape(why))
        else:
            st.markdown(f"**{escape(found.title)}** is put away: it can be brought back until it is deleted for good.")
            st.button("Remove", type="primary", key="remove", on_click=_remove_dataset, args=(found.id,))


def _remove_dataset(name: str) -> None:
    """Removes a data set, if nobody has begun to use it since the page was drawn."""
    if not deletion_blocker(cache.store(), name):
        _act_in_trash(trash.remove, name)


def _act_in_trash(what: Callable[[Path, str], None], name: str) -> None:
    """Does something in the trash; somebody else may have done it already, and then there is nothing left to do."""
    try:
        what(open_data_dir(), name)
    except UnlearnError as problem:
        st.toast(escape(problem), icon=":material/error:")


def _counts(card: DatasetCard) -> str:
    thing = "point" if card.is_points else "picture"
    return f"{formatting.pluralize(card.train + card.val + card.test, thing)} · {len(card.classes):,} classes"


def _bytes(card: DatasetCard) -> str:
    size = (card.train + card.val + card.test) * card.size**2 * 3
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
