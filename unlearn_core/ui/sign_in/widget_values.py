"""What somebody entered on a page, once the page comes back after something else was shown instead of it."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_SETTABLE = ("bool_value", "double_value", "double_array_value", "int_value", "string_value", "string_array_value")
"""What widgets hold that a script may set: no presses, no files."""


def restore() -> None:
    """Set the widgets that come back to what they were.

    The browser has forgotten it. The server has not, as long as the scripts meanwhile ended by `st.stop`.
    """
    context = get_script_run_ctx()
    if context is None:
        return
    state = context.session_state._state
    for widget, name in list(state._key_id_mapper.id_key_mapping.items()):
        known, value = state._new_widget_state.widget_metadata.get(widget), st.session_state.get(name)
        if known is not None and known.value_type in _SETTABLE and isinstance(value, str | int | float | list | tuple):
            st.session_state[name] = value
