"""What a worker computes once of all images of a classifier, when it is first asked for.

These are the features by which images are alike, and the outputs of a classifier that ships without them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import streamlit as st

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.jobs import FeaturesSpec
from unlearn_core.domain.run import UNFINISHED_STATES, Run, RunState
from unlearn_core.models import bundled_models
from unlearn_core.ui.components import job_card
from unlearn_core.ui.shell import cache, lifespan, navigation, worker_status
from unlearn_core.ui.shell.markdown import escape

ALIKE_WORDS = "Images are alike if the last layer of the classifier sees them alike. A worker computes this once."


def features(card: ClassifierCard) -> np.ndarray | None:
    """The features (N, F) of all images of the classifier's data set; None while no worker has computed them."""
    return cache.image_features(card.id, card.dataset, card.seed)


def request(card: ClassifierCard) -> None:
    """Let a worker compute the features, unless one does."""
    title = f"Features of all images, {card.title}"
    cache.store().submit_unique(FeaturesSpec(classifier=card.id), title=title)
    lifespan.ensure_worker()


def show_progress(
    card: ClassifierCard, ready: Callable[[ClassifierCard], bool] | None = None, words: str = ALIKE_WORDS
) -> None:
    """Show how far the features are, or why there are none; the page runs again once they are `ready`."""
    _follow(card, _Wanted(ready or _are_known, "features", "Compare all images", "compare-images", words))


def show_outputs(card: ClassifierCard) -> None:
    """Let a worker compute the outputs of a classifier that ships without them, and show how far that is.

    Nothing where they are known, or where no weights ship.
    """
    if _has_outputs(card) or bundled_models.find_bundled(card.id, None, card.seed) is None:
        return
    if _last(card, tuple(RunState)) is None:
        request(card)
    purpose = "Its accuracy and its predictions are not known yet. A worker computes them once."
    _follow(card, _Wanted(_has_outputs, "outputs", "Evaluate the classifier", "evaluate-classifier", purpose))


class _Wanted(NamedTuple):
    """What is waited for: whether it is there, and the button that computes it, with what it is for."""

    is_known: Callable[[ClassifierCard], bool]
    name: str
    button: str
    button_key: str
    purpose: str


def _are_known(card: ClassifierCard) -> bool:
    return features(card) is not None


def _has_outputs(card: ClassifierCard) -> bool:
    return cache.has_outputs(card.id, card.dataset, card.seed)


def _follow(card: ClassifierCard, wanted: _Wanted) -> None:
    polling = worker_status.POLL_SECONDS if _last(card, UNFINISHED_STATES) else None
    st.fragment(_progress, run_every=polling)(card, wanted)


def _progress(card: ClassifierCard, wanted: _Wanted) -> None:
    if wanted.is_known(card):
        st.rerun()
    pending = _last(card, UNFINISHED_STATES)
    if pending is not None:
        worker_status.show(pending, key_scope=wanted.name)
        queued = pending.state is RunState.QUEUED
        title = (
            job_card.queue_position(pending) if queued else ":shimmer[**Computing outputs and features of all images**]"
        )
        job_card.show(pending, title, job_card.step_progress(pending), key=f"cancel-{wanted.name}")
        return
    failed = _last(card, (RunState.FAILED, RunState.CANCELLED, RunState.DONE))
    with st.container(horizontal=True, vertical_alignment="center"):
        if failed is not None and failed.state is RunState.FAILED:
            st.error(escape(failed.error or "No reason was recorded."), icon=":material/error:")
            navigation.bug_report(failed.error, key_scope=wanted.name)
        st.caption(wanted.purpose)
        if st.button(wanted.button, key=wanted.button_key, icon=":material/image_search:"):
            request(card)
            st.rerun()


def _last(card: ClassifierCard, states: tuple[RunState, ...]) -> Run | None:
    """The newest computation of these features that is in one of these states."""
    runs = cache.store().list_runs(kinds=("features",), states=states)
    return next((run for run in runs if run.spec == FeaturesSpec(classifier=card.id)), None)
