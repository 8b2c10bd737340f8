"""Choose an architecture, built in or from torchvision or timm by name, and show its description."""

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import architectures, external
from unlearn_core.ui.shell.markdown import escape

OTHER = "another, by its name"
"""The entry among the built-in ids for all architectures of the libraries."""
_OTHER_TITLE = "Another one from torchvision or timm…"
FIND = ""
"""The entry for an architecture that is found from a checkpoint."""
_FIND_TITLE = "Find it from the file"


class ArchitectureInfo(NamedTuple):
    """An architecture that supports the images: its name, its title, and its default recipe."""

    name: str
    title: str
    recipe: Recipe


def choose_with_dataset(like: ClassifierCard, key_scope: str, dataset_key: str) -> tuple[ArchitectureInfo | None, str]:
    """Show the choice of an architecture and a data set, at first those of a classifier, and describe them.

    Returns the architecture, or None if it cannot be used, and the id of the data set.
    """
    sets = datasets.cards()
    left, right = st.columns(2)
    chosen = _choose(left, like.architecture, key_scope)
    titles = {one.id: one.title for one in sets.values()}
    dataset = _select_by_title(right, "Data set", titles, like.dataset, dataset_key)
    return describe_architecture(_name(chosen, like.architecture, key_scope), sets[dataset]), dataset


def choose_or_find(like: ClassifierCard, key_scope: str, dataset_key: str) -> tuple[str | None, str]:
    """Show the choice of a checkpoint's architecture and data set, and describe them.

    Returns the architecture's name, `FIND` for one that is found from the file, or None if it cannot be used; and the
    id of the data set.
    """
    sets = datasets.cards()
    left, right = st.columns(2)
    titles = {FIND: _FIND_TITLE} | _titles()
    chosen = _select_by_title(left, "Architecture", titles, FIND, f"{key_scope}-architecture")
    dataset = _select_by_title(
        right, "Data set", {one.id: one.title for one in sets.values()}, like.dataset, dataset_key
    )
    if chosen == FIND:
        st.caption(
            "Names and shapes of the file's tensors say which of the built-in architectures it is. Choose a model of "
            f"torchvision or timm by its name. {escape(sets[dataset].summary)}"
        )
        return FIND, dataset
    info = describe_architecture(_name(chosen, like.architecture, key_scope), sets[dataset])
    return None if info is None else info.name, dataset


def _titles() -> dict[str, str]:
    """The titles of the built-in architectures and of `OTHER`."""
    return {one.id: one.title for one in architectures.cards().values()} | {OTHER: _OTHER_TITLE}


def _choose(column: DeltaGenerator, default: str, key_scope: str) -> str:
    """Show a choice of the built-in architectures, the smallest first, and `OTHER`, and return the selected one."""
    return _select_by_title(
        column,
        "Architecture",
        _titles(),
        OTHER if external.is_external(default) else default,
        f"{key_scope}-architecture",
    )


def _select_by_title(column: DeltaGenerator, label: str, titles: dict[str, str], default: str, key: str) -> str:
    """Show a choice among cards by title; the initial one is `default`, if it is among them."""
    # A value that is already in the session's state has priority; Streamlit warns about a default beside it.
    if st.session_state.get(key) not in titles:
        st.session_state[key] = default if default in titles else next(iter(titles))
    return column.selectbox(label, list(titles), format_func=titles.__getitem__, key=key)


def _name(chosen: str, default: str, key_scope: str) -> str | None:
    """The architecture's name: the built-in one, or that of a library's model; None while none is selected."""
    if chosen != OTHER:
        return chosen
    usual, _, name = default.partition(":") if external.is_external(default) else ("torchvision", "", "")
    left, right = st.columns([1, 2])
    source = left.segmented_control(
        "Library", list(external.LIBRARIES), default=usual, required=True, key=f"{key_scope}-library", help=_where()
    )
    with st.spinner(f"Loading the list of {source}…"):
        names = external.architectures(source)
    own = name.partition(":")[0]
    found = right.selectbox(
        "Name",
        names,
        index=names.index(own) if source == usual and own in names else None,
        placeholder=f"Type a part of a name ({len(names):,} models)",
        accept_new_options=True,
        key=f"{key_scope}-{source}-name",
    )
    return f"{source}:{found.strip().removeprefix(f'{source}:')}" if found else None


def describe_architecture(name: str | None, data: DatasetCard) -> ArchitectureInfo | None:
    """Show the description of an architecture for these images; None if it shows why it cannot be used."""
    if name is None:
        st.caption("Choose one of its models to see its description and cost here. Nothing is downloaded for that.")
        return None
    try:
        return _from_library(name, data) if external.is_external(name) else _built_in(name, data)
    except UnlearnError as problem:
        st.warning(escape(problem), icon=":material/block:")
        return None


def architecture_title(name: str) -> str:
    """The title of an architecture; raises NotFoundError."""
    if not external.is_external(name):
        return architectures.card(name).title
    model_name = external.parse(name)
    return f"{model_name.architecture} ({model_name.library})"


def published_weights(name: str) -> list[tuple[str, bool]]:
    """The published weights of a library's model, and whether they are on this machine; none for built-in ones."""
    if not external.is_external(name):
        return []
    from unlearn_core.models import model_summary

    return [(one.name, one.is_local) for one in model_summary.pretrained_weights(name)]


def requires_own_architecture(start: str) -> bool:
    """Return whether these published weights need a model that is built differently."""
    return external.is_external(start) and bool(external.torchvision_options(external.parse(start)))


def default_recipe(name: str, size: int) -> Recipe:
    """The default recipe of an architecture. Raises NotFoundError and NotSupportedError."""
    if not external.is_external(name):
        return architectures.card(name).recipe
    from unlearn_core.models.model_summary import summarize

    return summarize(name, size).recipe


def _built_in(name: str, data: DatasetCard) -> ArchitectureInfo | None:
    card = architectures.card(name)
    size = f"{_weight(card.weights)} " if card.weights else ""
    st.caption(f"{escape(card.summary)} {size}{escape(data.summary)}")
    if data.size < card.smallest:
        st.warning(
            f"{escape(card.title)} needs images of {card.smallest} pixels or more, and these have {data.size}. "
            "Choose another architecture or another data set.",
            icon=":material/block:",
        )
        return None
    return ArchitectureInfo(name, card.title, card.recipe)


def _from_library(name: str, data: DatasetCard) -> ArchitectureInfo:
    from unlearn_core.models.model_summary import summarize

    with st.spinner("Analysing the architecture…"):
        found = summarize(name, data.size)
    st.caption(f"{escape(found.summary)} {_weight(found.weights)} {escape(data.summary)}")
    return ArchitectureInfo(found.id, found.title, found.recipe)


def _weight(count: int | None) -> str:
    """The memory for so many weights: four bytes each, four times that with gradients, momentum and the original."""
    if count is None:
        return "Its size is known after its first run."
    disk = f"{count * 4 / 1e6:,.0f} MB" if count >= 250_000 else "less than 1 MB"
    return (
        f"It takes {disk} on disk, as does each retrained model. Training takes {max(0.1, count * 16 / 1e9):,.1f} GB "
        "of memory in addition to its images."
    )


def _where() -> str:
    return " · ".join(f"[{name}]({url})" for name, url in external.LIBRARIES.items())
