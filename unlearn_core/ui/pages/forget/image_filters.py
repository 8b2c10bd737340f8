"""Which training images the gallery lists, and in which order: search, filters, and picks of the first or the most."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from unlearn_core.data import image_search
from unlearn_core.data.image_search import ALIKE, ORDERS, RANDOM, STORED, ImageFacts
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.gallery import likeness
from unlearn_core.ui.shell import url_state

DEFAULT_COUNT = 16
"""How many images a pick selects at first."""
ANY_CLASS, ANY_PREDICTION, WRONG = "all classes", "all predictions", "wrong predictions"

FIND = "gallery-file"
"""The key of the search; links of former releases have a part of a file name there."""
_ORDER, _COUNT, _SEED, _LIKE, _WANTED = "gallery-order", "gallery-count", "gallery-seed", "alike to", "alike wanted"


class Known(NamedTuple):
    """What is known about the training images: labels (n,), facts under the original model, and paths of files."""

    labels: np.ndarray
    facts: ImageFacts | None
    paths: Sequence[str] | None


def listed_images(plan: RunPlan, known: Known) -> np.ndarray:
    """Show search, filters and order, and return the images that they list."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search",
            placeholder="class, prediction, file name or number",
            key=FIND,
            bind="query-params",
            icon=":material/search:",
            width=250,
        )
        classes = _choice("Class", [ANY_CLASS, *plan.dataset.classes], f"gallery-class-{plan.dataset.id}")
        if known.facts is not None:
            names = [ANY_PREDICTION, WRONG, *plan.dataset.classes]
            predictions = _choice("Prediction", names, f"gallery-predicted-{plan.dataset.id}")
        else:
            predictions = ANY_PREDICTION
        order = _order(known.facts is not None)
        seed = _seed() if order == RANDOM else 0
        only = st.toggle("Only selected", key="gallery-ticked", bind="query-params")
    images = np.array(plan.setup.images, dtype=int) if only else np.arange(len(known.labels))
    images = _of_class(images, known, plan.dataset.classes, classes, predictions)
    images = image_search.found(
        images, text, labels=known.labels, classes=plan.dataset.classes, facts=known.facts, paths=known.paths
    )
    alike = _likeness(plan) if order == ALIKE else None
    return image_search.ordered(images, order, facts=known.facts, likeness=alike, seed=seed)


def quick_picks(plan: RunPlan, known: Known, images: np.ndarray) -> None:
    """Show the buttons that select some of the listed images: the first, the hardest, those like the selected ones."""
    chosen, noun = plan.setup.images, plan.dataset.item_noun
    with st.container(horizontal=True, vertical_alignment="bottom", key="picks"):
        count = st.number_input(
            "How many", 1, max(1, len(known.labels)), DEFAULT_COUNT, key=_COUNT, bind="query-params", width=120
        )
        others = images[~np.isin(images, chosen)]
        _pick(f"Select the first {count}", "first", chosen, images[:count])
        if known.facts is not None:
            hardest = image_search.ordered(others, "loss", facts=known.facts)[:count]
            _pick(f"Add the {count} hardest", "hardest", chosen, hardest, "Those with the largest loss of all listed.")
        st.button(
            f"Add {count} like the selected",
            key="pick-alike",
            icon=":material/image_search:",
            on_click=_want_alike,
            args=(plan, count),
            disabled=not chosen,
            help=f"The listed {noun}s that the last layer of the classifier sees most like those selected.",
        )
        if st.session_state.get(_ORDER) == ALIKE and st.session_state.get(_LIKE) != chosen and chosen:
            st.button("Order by the present selection", key="order-again", type="tertiary", on_click=_take_reference)
    _add_wanted(plan, others)


def _choice(label: str, options: list[str], key: str) -> str:
    return st.selectbox(label, options, key=key, bind="query-params", width=165)


def _order(has_facts: bool) -> str:
    usable = ORDERS if has_facts else {name: ORDERS[name] for name in (STORED, RANDOM)}
    return st.selectbox(
        "Order",
        list(usable),
        format_func=ORDERS.__getitem__,
        key=_ORDER,
        bind="query-params",
        width=215,
        on_change=_take_reference,
    )


def _seed() -> int:
    return st.number_input("Seed", 0, 2**31 - 1, 0, key=_SEED, bind="query-params", width=120)


def _of_class(images: np.ndarray, known: Known, names: Sequence[str], label: str, predicted: str) -> np.ndarray:
    if label != ANY_CLASS:
        images = images[known.labels[images] == names.index(label)]
    if known.facts is None or predicted == ANY_PREDICTION:
        return images
    predictions = known.facts.predictions[images]
    return images[predictions != known.labels[images] if predicted == WRONG else predictions == names.index(predicted)]


def _pick(label: str, key: str, chosen: tuple[int, ...], images: np.ndarray, words: str | None = None) -> None:
    st.button(label, key=f"pick-{key}", on_click=_add, args=(chosen, images), disabled=not len(images), help=words)


def _add(chosen: tuple[int, ...], images: np.ndarray) -> None:
    url_state.change(images=tuple(sorted({*chosen, *images.tolist()})))


def _take_reference() -> None:
    """From now on, images are alike to the present selection; it may change without a new order."""
    st.session_state[_LIKE] = url_state.current().images


def _likeness(plan: RunPlan) -> np.ndarray | None:
    """How alike all images are to those selected when the order was chosen; None while that is not known."""
    reference = st.session_state.setdefault(_LIKE, plan.setup.images)
    if not reference:
        st.caption(f"Select {plan.dataset.item_noun}s first: the order is by likeness to these.")
        return None
    features = likeness.features(plan.classifier)
    if features is None:
        likeness.show_progress(plan.classifier)
        return None
    return image_search.likeness(features, reference)


def _want_alike(plan: RunPlan, count: int) -> None:
    st.session_state[_WANTED] = count
    if likeness.features(plan.classifier) is None:
        likeness.request(plan.classifier)


def _add_wanted(plan: RunPlan, others: np.ndarray) -> None:
    """Add the images that were asked for by likeness, as soon as it is known; until then, say how far that is."""
    count, chosen = st.session_state.get(_WANTED, 0), plan.setup.images
    if not count or not chosen:
        return
    features = likeness.features(plan.classifier)
    if features is None:
        if st.session_state.get(_ORDER) != ALIKE:
            likeness.show_progress(plan.classifier)
        return
    del st.session_state[_WANTED]
    alike = image_search.likeness(features, chosen)
    _add(chosen, image_search.ordered(others, ALIKE, facts=None, likeness=alike)[:count])
    st.rerun()
