"""Load settings from a downloaded file into the lab."""

import streamlit as st

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.export.import_settings import MAX_UPLOAD_BYTES, read_spec
from unlearn_core.ui.shell import url_state
from unlearn_core.ui.shell.markdown import escape


def show() -> None:
    """Show an upload for a spec or a whole archive; valid settings open the page Method."""
    with st.popover("From a file", icon=":material/upload_file:"):
        st.markdown("**Load settings from a file** into the lab. This starts no run.")
        file = st.file_uploader(
            "A spec.json, or a downloaded archive",
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
