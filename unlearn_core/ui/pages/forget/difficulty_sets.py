"""Selection by difficulty: the forget sets that are easy, memorised or entangled, with what is known about them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st

from unlearn_core.charts import memorisation
from unlearn_core.charts.drawing.wording import capitalize
from unlearn_core.charts.finished.plain_figure import PlainFigure
from unlearn_core.charts.report.difficulty import entanglement_sentence
from unlearn_core.data import half_models
from unlearn_core.data.half_models import Memorisation
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.forget_request import FORGET_SET_KINDS, ForgetSetKind
from unlearn_core.models import bundled_models
from unlearn_core.probes.common import difficulty
from unlearn_core.probes.common.difficulty import Entanglement
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files.evaluations import EvaluationStore
from unlearn_core.ui.components import chart_card
from unlearn_core.ui.components.run_plan import RunPlan
from unlearn_core.ui.gallery import likeness
from unlearn_core.ui.shell import cache, formatting, url_state

DEFAULT_COUNT, MAX_COUNT = 16, 1_000
MEANINGS: Mapping[ForgetSetKind, str] = {
    "easy": "Models classify these {noun}s correctly whether they were trained on them or not. A retrained model does "
    "too, so there is little to forget.",
    "memorised": "Models classify these {noun}s correctly only if they were trained on them. A retrained model does "
    "not, so they are hard to forget.",
    "entangled": "To this classifier these {noun}s are together like all others: their features have the same mean. "
    "What changes the model on them also changes it on retained {noun}s.",
}
"""What each forget set is."""
FEATURES_WORDS = "Entanglement is measured in the features of the last layer. A worker computes these once."
_KIND, _COUNT = "difficulty-kind", "difficulty-count"


class EntangledSet(NamedTuple):
    """A forget set with high entanglement: its images (n,), and how entangled they are."""

    images: np.ndarray
    entanglement: Entanglement


def show(plan: RunPlan) -> None:
    """The choices in a fold, whose content is made once it is unfolded."""
    with st.expander(
        "Select by difficulty", icon=":material/fitness_center:", key="difficulty", on_change="rerun"
    ) as fold:
        if fold.open:
            _choices(plan)


def _choices(plan: RunPlan) -> None:
    known, noun, most = _known(plan), plan.dataset.item_noun, max(1, min(MAX_COUNT, plan.dataset.train - 1))
    st.markdown(f"**How hard are these {noun}s to forget?**")
    if known is None:
        st.markdown(half_models.how_to_make(plan.dataset))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind: ForgetSetKind = st.segmented_control(
            "Forget set",
            FORGET_SET_KINDS if known is not None else ["entangled"],
            default="memorised" if known is not None else "entangled",
            required=True,
            format_func=capitalize,
            key=_KIND,
        )
        count = st.number_input("How many", 1, most, min(DEFAULT_COUNT, most), key=_COUNT, width=120)
    st.markdown(MEANINGS[kind].format(noun=noun))
    images = _images(plan, kind, count, known)
    if images is None:
        return
    if known is not None:
        _draw(plan, known, kind, images)
    st.button(
        f"Select these {formatting.pluralize(count, noun)}",
        key="take-difficulty",
        on_click=_select,
        args=(images,),
        disabled=plan.setup.images == _selection(images),
        help=f"Replaces the current selection by these {noun}s.",
    )


def _images(plan: RunPlan, kind: ForgetSetKind, count: int, known: Memorisation | None) -> np.ndarray | None:
    """Return the images of a forget set; None while the features that tell them are not there."""
    if kind != "entangled":
        assert known is not None, "else it is not on offer"
        return difficulty.memorised_order(kind, known)[:count]
    found = _entangled(plan.classifier, count)
    if found is None:
        likeness.show_progress(plan.classifier, _has_features, FEATURES_WORDS)
        return None
    score, random = found.entanglement
    st.markdown(entanglement_sentence(score, random, count, plan.dataset.item_noun))
    return found.images


def _draw(plan: RunPlan, known: Memorisation, kind: str, images: np.ndarray) -> None:
    theme = chart_card.current_theme()
    words = memorisation.sentence(known, images, plan.dataset.item_noun)
    st.caption(words)
    figure = PlainFigure.of(memorisation.histogram(known.score, images, theme))
    config = chart_card.plotly_config(f"memorisation-{kind}")
    st.plotly_chart(figure, theme=None, key="memorisation", config=config, alt=f"Histogram of memorisation. {words}")


def _known(plan: RunPlan) -> Memorisation | None:
    """Return the memorisation of all training images; None if it was not measured."""
    versions = tuple((str(file), file.stat().st_mtime_ns) for file in half_models.existing_files(plan.dataset.id))
    return _memorisation(plan.dataset.id, versions) if versions else None


@st.cache_resource(show_spinner=False, max_entries=4)
def _memorisation(dataset: str, versions: tuple[tuple[str, int], ...]) -> Memorisation | None:
    data = cache.image_dataset(dataset)
    found = half_models.load(dataset, data.labels[: data.train])
    return None if found is None else found.memorisation


def _has_features(card: ClassifierCard) -> bool:
    return _entangled(card, 1) is not None


def _entangled(card: ClassifierCard, count: int) -> EntangledSet | None:
    """Return so many images with high entanglement; None while no worker has computed the features."""
    original = bundled_models.find_bundled(card.id, None, card.seed)
    if original is None:
        return None
    version = EvaluationStore(open_data_dir() / "evaluations").features_version(original.weights, card.dataset)
    if version is None:
        return None
    return _entangled_set(str(open_data_dir()), original.weights, card.dataset, version, count)


@st.cache_data(show_spinner=False, max_entries=64)
def _entangled_set(folder: str, weights: str, dataset: str, version: int, count: int) -> EntangledSet | None:
    found = EvaluationStore(Path(folder) / "evaluations").features(weights, dataset)
    rows = np.arange(cache.image_dataset(dataset).train)
    if found is None or len(found.missing(rows)):
        return None
    features = found.on(rows)
    images = difficulty.entangled_set(features, count)
    return EntangledSet(images, difficulty.entanglement(features, images))


def _selection(images: np.ndarray) -> tuple[int, ...]:
    return tuple(sorted(images.tolist()))


def _select(images: np.ndarray) -> None:
    url_state.change(images=_selection(images))
