"""The form to add a data set: its source, the options of that source, and the run that imports it."""

from typing import Any

import streamlit as st

from unlearn_core.data.ingest import upload_store
from unlearn_core.data.ingest.import_spec import IMAGE_SIZES, build_import_spec, title_from_filename
from unlearn_core.data.ingest.layout.class_folders import LAYOUT_HINT
from unlearn_core.data.ingest.layout.file_kinds import READ_FORMATS
from unlearn_core.data.ingest.layout.name_encodings import ENCODINGS
from unlearn_core.data.ingest.source import Option, Source
from unlearn_core.data.sources import data_root, sources
from unlearn_core.domain.errors import InvalidDatasetError, UnlearnError
from unlearn_core.settings import settings
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.housekeeping import quota
from unlearn_core.ui.pages.datasets import import_progress, upload_preview
from unlearn_core.ui.server import middleware
from unlearn_core.ui.shell import cache, lifespan
from unlearn_core.ui.shell.markdown import escape

_ROUND = "uploads sent"
"""Counts the uploads of this session, so that the next upload gets an empty field."""

FIT_LABELS = {"crop": "Crop to the middle", "pad": "Add black borders"}


def show() -> None:
    """Show the form. Later choices only add below, so nothing above them moves."""
    st.header("Add a data set", anchor=False)
    every = sources()
    with st.container(width=720):
        name = st.selectbox("Source", list(every), format_func=lambda one: every[one].title, key="source")
        source = every[name]
        st.markdown(escape(source.summary))
        reason = source.unavailable_reason(data_root())
        if reason:
            st.info(escape(reason), icon=":material/info:")
            return
        options, upload = _source_options(source)
        read_by = upload_preview.show(upload) if upload is not None else None
        title = st.text_input("Name", placeholder=_default_title(source, upload), max_chars=80, key=f"title-{name}")
        size, fit = _shape(source)
        st.caption(f"**Licence.** {escape(source.licence)}")
        ready = source.needs != "upload" or (upload is not None and read_by is not None)
        if st.button("Add data set", type="primary", icon=":material/add:", key="add", disabled=not ready):
            _begin(source, options | (read_by or {}), upload, title=title, size=size, fit=fit)
        if import_progress.is_waiting():
            st.caption(":shimmer[Importing.] Progress is shown at the top of this page.")


def _source_options(source: Source) -> tuple[dict[str, str | int], Any]:
    """Show the options of the source; return their values, and the file if it needs one."""
    if source.needs == "upload":
        return {}, _file()
    choices = source.choices(data_root())
    return {
        option.name: _option_widget(option, choices.get(option.name, option.choices), source.id)
        for option in source.options
    }, None


def _file() -> Any:
    most = settings()
    file = st.file_uploader(
        "A zip file of class folders",
        type="zip",
        max_upload_size=min(most.most_upload_mb, st.get_option("server.maxUploadSize")),
        key=f"zip-{st.session_state.get(_ROUND, 0)}",
        help=middleware.UPLOADS_HELP,
    )
    st.caption(
        f"{LAYOUT_HINT} {READ_FORMATS}, at least {most.least_per_class} images per class, at most "
        f"{most.most_classes:,} classes. The images stay on this server, and the zip is never unpacked to disk."
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
        return st.selectbox(option.title, choices, format_func=_choice_label, key=key, help=option.explain)
    return st.text_input(
        option.title, str(option.default), placeholder=option.placeholder, key=key, help=option.explain
    )


def _choice_label(choice: str) -> str:
    return ENCODINGS.get(choice, choice)


def _shape(source: Source) -> tuple[int, Any]:
    """Show and return the size of the images, and how images that are not square become square."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.selectbox(
            "Width in pixels",
            IMAGE_SIZES,
            index=IMAGE_SIZES.index(source.size),
            key=f"size-{source.id}",
            width=160,
            help="All images are resized to this width once. Twice the width takes four times as long to train.",
        )
        fit = source.fit
        if not source.natural:
            fit = st.segmented_control(
                "Images that are not square" if source.needs != "download" or source.fit == "crop" else "Border",
                list(FIT_LABELS),
                format_func=FIT_LABELS.__getitem__,
                default=source.fit,
                required=True,
                key=f"fit-{source.id}",
            )
    return size, fit


def _default_title(source: Source, upload: Any) -> str:
    """The title if the person enters none."""
    return title_from_filename(upload.name) if upload is not None else source.title


def _begin(source: Source, options: dict[str, str | int], upload: Any, *, title: str, size: int, fit: Any) -> None:
    """Queue the import, or show why it is refused."""
    stored = None
    try:
        if upload is not None:
            quota.check_upload(cache.store(), upload.size)
            upload.seek(0)  # It was read before if something else was refused.
            stored = upload_store.save(open_data_dir(), upload, settings())
            options |= {"upload": stored}
            title = title.strip() or title_from_filename(upload.name)
        spec = build_import_spec(source, options, title=title, size=size, fit=fit)
        ordered = cache.store().submit_unique(spec, title=f"Prepare {spec.title}")
    except UnlearnError as problem:
        if stored is not None:
            upload_store.delete(open_data_dir(), stored)
        st.error(escape(problem), icon=":material/error:")
        return
    except OSError as problem:
        raise InvalidDatasetError(
            f"The upload could not be stored ({problem.strerror}). Free some disk space."
        ) from None
    lifespan.ensure_worker()
    import_progress.watch_import(ordered.run, spec.dataset)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    st.rerun()
