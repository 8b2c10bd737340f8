"""The features by which images are alike: a worker computes them once, when they are first asked for."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.jobs import FeaturesSpec
from unlearn_core.domain.run import UNFINISHED_STATES, Run, RunState
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
    waits = bool(_last(card, UNFINISHED_STATES))
    st.fragment(_progress, run_every=worker_status.POLL_SECONDS if waits else None)(card, ready or _are_known, words)


def _are_known(card: ClassifierCard) -> bool:
    return features(card) is not None


def _progress(card: ClassifierCard, ready: Callable[[ClassifierCard], bool], words: str) -> None:
    if ready(card):
        st.rerun()
    pending = _last(card, UNFINISHED_STATES)
    if pending is not None:
        worker_status.show(pending, key_scope="features")
        queued = pending.state is RunState.QUEUED
        title = job_card.queue_position(pending) if queued else ":shimmer[**Computing the features of all images**]"
        job_card.show(pending, title, job_card.step_progress(pending), key="cancel-features")
        return
    failed = _last(card, (RunState.FAILED, RunState.CANCELLED, RunState.DONE))
    with st.container(horizontal=True, vertical_alignment="center"):
        if failed is not None and failed.state is RunState.FAILED:
            st.error(escape(failed.error or "No reason was recorded."), icon=":material/error:")
            navigation.bug_report(failed.error, key_scope="features")
        st.caption(words)
        if st.button("Compare all images", key="compare-images", icon=":material/image_search:"):
            request(card)
            st.rerun()


def _last(card: ClassifierCard, states: tuple[RunState, ...]) -> Run | None:
    """The newest computation of these features that is in one of these states."""
    runs = cache.store().list_runs(kinds=("features",), states=states)
    return next((run for run in runs if run.spec == FeaturesSpec(classifier=card.id)), None)
