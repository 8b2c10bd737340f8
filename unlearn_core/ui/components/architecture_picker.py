"""Which kind of net: one of the shelf, or any of torchvision's and timm's by its name, and what is known of it."""

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from unlearn_core.domain.cards import DatasetCard
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import architectures, external
from unlearn_core.ui.shell.markdown import escape

OTHER = "another, by its name"
"""Stands among the shelf's ids for all that the libraries have."""
_OTHER_TITLE = "Another one, from torchvision or timm…"


class ArchitectureInfo(NamedTuple):
    """An architecture that fits the pictures: its name, its title, and how such a net is usually trained."""

    name: str
    title: str
    recipe: Recipe


def choose(column: DeltaGenerator, default: str, key_scope: str) -> str:
    """The shelf's architectures, and the way to all others; begins with `first`."""
    titles = {one.id: one.title for one in architectures.cards().values()} | {OTHER: _OTHER_TITLE}
    return select_by_title(
        column, "Architecture", titles, OTHER if external.is_external(default) else default, key_scope
    )


def select_by_title(column: DeltaGenerator, label: str, titles: dict[str, str], default: str, key_scope: str) -> str:
    """A choice among cards by their titles, which begins with `first` where that is one of them."""
    key = f"{key_scope}-{label.lower()}"
    # What was put into the session's state beforehand goes before; Streamlit frowns on a default beside it.
    if st.session_state.get(key) not in titles:
        st.session_state[key] = default if default in titles else next(iter(titles))
    return column.selectbox(label, list(titles), format_func=titles.__getitem__, key=key)


def architecture_name(chosen: str, default: str, key_scope: str) -> str | None:
    """The architecture's name: what was chosen, or what is looked up now; None while nothing is."""
    if chosen != OTHER:
        return chosen
    usual, _, name = default.partition(":") if external.is_external(default) else ("torchvision", "", "")
    left, right = st.columns([1, 2])
    source = left.segmented_control(
        "From", list(external.LIBRARIES), default=usual, required=True, key=f"{key_scope}-library", help=_where()
    )
    with st.spinner(f"Asking {source} for its nets…"):
        names = external.architectures(source)
    own = name.partition(":")[0]
    found = right.selectbox(
        "Name",
        names,
        index=names.index(own) if source == usual and own in names else None,
        placeholder=f"Type a part of a name: {len(names):,} are known",
        accept_new_options=True,
        key=f"{key_scope}-{source}-name",
    )
    return f"{source}:{found.strip().removeprefix(f'{source}:')}" if found else None


def describe_architecture(name: str | None, data: DatasetCard) -> ArchitectureInfo | None:
    """Says what is known of an architecture for these pictures; None where it says why there is none."""
    if name is None:
        st.caption("Choose one of its nets. What it is and costs stands here then; nothing is downloaded by that.")
        return None
    try:
        return _from_library(name, data) if external.is_external(name) else _built_in(name, data)
    except UnlearnError as problem:
        st.warning(escape(problem), icon=":material/block:")
        return None


def architecture_title(name: str) -> str:
    """What an architecture is called; raises UnknownName."""
    if not external.is_external(name):
        return architectures.card(name).title
    known = external.parse(name)
    return f"{known.architecture} ({known.library})"


def published_weights(name: str) -> list[tuple[str, bool]]:
    """The published weights of a library's net, and whether they lie on this machine; none for the shelf's."""
    if not external.is_external(name):
        return []
    from unlearn_core.models import model_summary

    return [(one.name, one.is_local) for one in model_summary.pretrained_weights(name)]


def requires_own_architecture(start: str) -> bool:
    """Whether these published weights ask for a net of their own making."""
    return external.is_external(start) and bool(external.torchvision_options(external.parse(start)))


def default_recipe(name: str, size: int) -> Recipe:
    """How such a net is usually trained. Raises UnknownName and NotSupported."""
    if not external.is_external(name):
        return architectures.card(name).recipe
    from unlearn_core.models.model_summary import summarize

    return summarize(name, size).recipe


def _built_in(name: str, data: DatasetCard) -> ArchitectureInfo | None:
    card = architectures.card(name)
    st.caption(f"{escape(card.summary)} {escape(data.summary)}")
    if data.size < card.smallest:
        st.warning(
            f"{escape(card.title)} takes pictures of {card.smallest} pixels or more, and these have "
            f"{data.size}. Choose another of the two.",
            icon=":material/block:",
        )
        return None
    return ArchitectureInfo(name, card.title, card.recipe)


def _from_library(name: str, data: DatasetCard) -> ArchitectureInfo:
    from unlearn_core.models.model_summary import summarize

    with st.spinner("Laying it out…"):
        found = summarize(name, data.size)
    st.caption(f"{escape(found.summary)} {_weight(found.weights)} {escape(data.summary)}")
    return ArchitectureInfo(found.id, found.title, found.recipe)


def _weight(count: int | None) -> str:
    """What a net of so many weights takes: four bytes each, four times that with slopes, momentum and the original."""
    if count is None:
        return "Its first run tells what it takes."
    disk = f"{count * 4 / 1e6:,.0f} MB" if count >= 250_000 else "less than 1 MB"
    return (
        f"It takes {disk} on the disk, as does each of its golds, and training it {max(0.1, count * 16 / 1e9):,.1f} GB "
        "of memory besides what its pictures take."
    )


def _where() -> str:
    return " · ".join(f"[{name}]({address})" for name, address in external.LIBRARIES.items())
