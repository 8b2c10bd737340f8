"""An image that somebody uploads to see what the models of a run make of it."""

import streamlit as st

from unlearn_core.data.ingest import own_image
from unlearn_core.data.ingest.layout.file_kinds import IMAGE_SUFFIXES, READ_FORMATS
from unlearn_core.domain.errors import UnlearnError
from unlearn_core.domain.report import Report
from unlearn_core.settings import settings
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.ui.server import middleware
from unlearn_core.ui.shell.markdown import escape

_SEEN = "own image"
"""The id of the file that was received last, and why it was refused, or ""."""


def show(report: Report) -> str | None:
    """Show the field for an image; return the name of one that has just been uploaded."""
    size = report.dataset.size
    with st.expander("Upload an image of your own", icon=":material/upload:", key="own-image"):
        file = st.file_uploader(
            "An image",
            type=sorted(IMAGE_SUFFIXES),
            max_upload_size=min(own_image.MOST_MB, st.get_option("server.maxUploadSize")),
            key="own-image-file",
            label_visibility="collapsed",
            help=middleware.UPLOADS_HELP,
        )
        st.caption(
            f"{READ_FORMATS}. The models see its middle, reduced to {size} × {size} pixels. Only these pixels are "
            "stored on this server. *Remove this image* deletes them; if not, the next upload after a day does."
        )
        if file is None:
            return None
        seen, refusal = st.session_state.get(_SEEN, ("", ""))
        name = None
        if seen != file.file_id:
            refusal = ""
            try:
                name = own_image.save(open_data_dir(), file, size=size, limits=settings())
            except UnlearnError as problem:
                refusal = str(problem)
            st.session_state[_SEEN] = file.file_id, refusal
        if refusal:
            st.error(escape(refusal), icon=":material/error:")
        return name


def remove(name: str) -> None:
    """Remove an uploaded image from this server."""
    own_image.delete(open_data_dir(), name)
