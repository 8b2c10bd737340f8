"""Settings from a file: what somebody downloaded here or elsewhere becomes the lab's settings again."""

import streamlit as st

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.export.import_settings import MAX_UPLOAD_BYTES, read_spec
from unlearn_core.ui.shell import url_state
from unlearn_core.ui.shell.markdown import escape


def show() -> None:
    """A place to drop a spec or a whole download; settings that can be used lead to the method page."""
    with st.popover("From a file", icon=":material/upload_file:"):
        st.markdown("**Settings from a file** are set up in the lab; nothing is run yet.")
        file = st.file_uploader(
            "A spec.json, or the whole archive of a download",
            type=["json", "zip"],
            max_upload_size=MAX_UPLOAD_BYTES >> 20,
            key="incoming",
        )
        if file is None:
            return
        try:
            url_state.load_spec(read_spec(file.getvalue()))
        except UnlearnError as problem:
            st.error(escape(problem), icon=":material/block:")
            return
        url_state.open_page("method")
