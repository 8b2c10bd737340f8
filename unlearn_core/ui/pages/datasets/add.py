"""Adding a data set: where it comes from, what that needs to know, and the run that prepares it."""

from typing import Any

import streamlit as st

from unlearn_core.data.ingest import upload_store
from unlearn_core.data.ingest.class_folders import LAYOUT_HINT
from unlearn_core.data.ingest.import_spec import IMAGE_SIZES, build_import_spec, title_from_filename
from unlearn_core.data.ingest.source import Option, Source
from unlearn_core.data.ingest.upload_limits import limits
from unlearn_core.data.sources import data_root, sources
from unlearn_core.domain.errors import InvalidDatasetError, UnlearnError
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.ui.pages.datasets import import_progress
from unlearn_core.ui.shell import cache, lifespan
from unlearn_core.ui.shell.markdown import escape

_ROUND = "uploads sent"
"""Counts the uploads of this session, so that the field for the next one is empty."""

FIT_LABELS = {"crop": "Cut the middle out", "pad": "Add black beside it"}


def show() -> None:
    """The form. What is chosen last adds to what is shown, so nothing jumps above it."""
    st.subheader("Bring other pictures", anchor=False)
    every = sources()
    with st.container(width=720):
        name = st.selectbox("From", list(every), format_func=lambda one: every[one].title, key="source")
        source = every[name]
        st.markdown(escape(source.summary))
        why_not = source.unavailable_reason(data_root())
        if why_not:
            st.info(escape(why_not), icon=":material/info:")
            return
        answers, upload = _source_options(source)
        title = st.text_input("Name", placeholder=_default_title(source, upload), max_chars=80, key=f"title-{name}")
        size, fit = _shape(source)
        st.caption(f"**Licence.** {escape(source.licence)}")
        ready = source.needs != "upload" or upload is not None
        if st.button("Add these pictures", type="primary", icon=":material/add:", key="add", disabled=not ready):
            _begin(source, answers, upload, title=title, size=size, fit=fit)
        if import_progress.is_waiting():
            st.caption(":shimmer[On its way.] How far it is stands at the top of this page.")


def _source_options(source: Source) -> tuple[dict[str, str | int], Any]:
    """What the source needs to know, and the file where it takes one."""
    if source.needs == "upload":
        return {}, _file()
    known = source.choices(data_root())
    return {
        option.name: _option_widget(option, known.get(option.name, option.choices), source.id)
        for option in source.options
    }, None


def _file() -> Any:
    most = limits()
    file = st.file_uploader(
        "A zip of class folders",
        type="zip",
        max_upload_size=min(most.upload_mb, st.get_option("server.maxUploadSize")),
        key=f"zip-{st.session_state.get(_ROUND, 0)}",
    )
    st.caption(
        f"{LAYOUT_HINT} PNG, JPEG, WebP, BMP or GIF, {most.per_class} pictures a class at the least, "
        f"{most.classes:,} classes at the most. They stay on this machine, and the zip is never unpacked."
    )
    return file


def _option_widget(option: Option, choices: tuple[str, ...], source: str) -> str | int:
    key = f"{source}-{option.name}"
    if option.high:
        return int(
            st.number_input(
                option.title, option.low, option.high, int(option.default), key=key, help=option.explain, width=240
            )
        )
    if choices and len(choices) <= 4 and option.choices:
        picked = st.segmented_control(
            option.title, choices, default=option.default, required=True, key=key, help=option.explain
        )
        return str(picked)
    if choices:
        return st.selectbox(option.title, choices, key=key, help=option.explain)
    return st.text_input(
        option.title, str(option.default), placeholder=option.placeholder, key=key, help=option.explain
    )


def _shape(source: Source) -> tuple[int, Any]:
    """How large the pictures become, and what of those that are not square."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.selectbox(
            "Pixels wide",
            IMAGE_SIZES,
            index=IMAGE_SIZES.index(source.size),
            key=f"size-{source.id}",
            width=160,
            help="All pictures are brought to this size once. Twice as wide takes four times as long to learn from.",
        )
        fit = source.fit
        if not source.natural:
            fit = st.segmented_control(
                "Pictures that are not square" if source.needs != "download" or source.fit == "crop" else "Frame",
                list(FIT_LABELS),
                format_func=FIT_LABELS.__getitem__,
                default=source.fit,
                required=True,
                key=f"fit-{source.id}",
            )
    return size, fit


def _default_title(source: Source, upload: Any) -> str:
    """What it is called if nobody says."""
    return title_from_filename(upload.name) if upload is not None else source.title


def _begin(source: Source, options: dict[str, str | int], upload: Any, *, title: str, size: int, fit: Any) -> None:
    """Queues the import, or says why not."""
    kept = None
    try:
        if upload is not None:
            upload.seek(0)  # It may have been read before, when something else was refused.
            kept = upload_store.save(open_data_dir(), upload, limits())
            options |= {"upload": kept}
            title = title.strip() or title_from_filename(upload.name)
        spec = build_import_spec(source, options, title=title, size=size, fit=fit)
        ordered = cache.store().submit_unique(spec, title=f"Prepare {spec.title}")
    except UnlearnError as problem:
        if kept is not None:
            upload_store.delete(open_data_dir(), kept)
        st.error(escape(problem), icon=":material/error:")
        return
    except OSError as problem:
        raise InvalidDatasetError(
            f"The upload could not be kept ({problem.strerror}). Make room on the disk."
        ) from None
    lifespan.ensure_worker()
    import_progress.watch_import(ordered.run, spec.dataset)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    st.rerun()
