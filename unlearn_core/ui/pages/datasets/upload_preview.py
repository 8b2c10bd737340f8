"""What is in a chosen zip, before it is imported: its classes, and the questions that only a person can answer."""

from typing import Any

import streamlit as st

from unlearn_core.data.ingest.layout.name_encodings import ENCODINGS
from unlearn_core.data.ingest.layout.placement import SPLIT_HINT
from unlearn_core.data.ingest.preview import Preview, preview_zip
from unlearn_core.data.ingest.source import ENCODING, FOLDERS
from unlearn_core.domain.errors import InvalidDatasetError
from unlearn_core.settings import settings
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.ui.shell import formatting
from unlearn_core.ui.shell.markdown import escape

_LOOKED = "looked into"
_MOST_NAMES = 12
"""How many classes are named."""
_SPLITS = {"train": "training", "val": "validation", "test": "test"}


def show(upload: Any) -> dict[str, str] | None:
    """Show what an upload has, and return the options by which it is read; None if it cannot be imported."""
    options: dict[str, str] = {}
    found = _look(upload, options)
    if found.readings:
        options[ENCODING.name] = _encoding(found, upload.file_id)
        found = _look(upload, options)
    if found.question:
        st.warning(escape(f"{found.question} {SPLIT_HINT}"), icon=":material/help:")
        if st.checkbox("These folders are classes", key=f"classes-{upload.file_id}"):
            options[FOLDERS.name] = "classes"
            found = _look(upload, options)
    if found.question:
        return None
    if found.refused:
        st.error(escape(found.refused), icon=":material/error:")
        return None
    _summary(found)
    return options


def _encoding(found: Preview, key: str) -> str:
    """Ask in which encoding the names are: each is shown with the names as it reads them."""
    examples = {reading.encoding: reading.example for reading in found.readings}
    return st.selectbox(
        "Encoding of names",
        list(examples),
        format_func=lambda one: f"{examples[one]} · {ENCODINGS[one]}",
        key=f"encoding-{key}",
        help="An old program wrote the names in this zip, and not as UTF-8. Choose the line in which they are right.",
    )


def _summary(found: Preview) -> None:
    names = ", ".join(map(escape, found.classes[:_MOST_NAMES]))
    more = len(found.classes) - _MOST_NAMES
    counts = {_SPLITS[part]: found.parts[part] for part in _SPLITS if found.parts.get(part)}
    images = formatting.pluralize(sum(found.parts.values()), "image")
    which = f" ({', '.join(f'{count:,} {part}' for part, count in counts.items())})" if counts else ""
    st.markdown(
        f"**{len(found.classes):,} classes**, {images}{which}: {names}{f' and {more:,} more' if more > 0 else ''}."
    )
    if found.notes:
        st.caption(escape(" ".join(found.notes)))


def _look(upload: Any, options: dict[str, str]) -> Preview:
    """What the zip has, read with these options; each zip is looked into once."""
    seen: dict[Any, Preview] = st.session_state.setdefault(_LOOKED, {})
    key = (upload.file_id, *sorted(options.items()))
    if key not in seen:
        if not any(upload.file_id in one for one in seen):
            seen.clear()
        values = {option.name: option.default for option in (ENCODING, FOLDERS)} | options
        try:
            with st.spinner("Looking into the zip"):
                seen[key] = preview_zip(open_data_dir(), upload, values, settings())
        except InvalidDatasetError as problem:
            return Preview(refused=str(problem))
    return seen[key]
