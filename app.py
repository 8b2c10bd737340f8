"""Unlearn Lab in the browser: `streamlit run app.py`.

This file says what the server is; what a visitor sees begins in `unlearn_core/ui/router.py`.
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from unlearn_core.ui import address, frame, process

app = st.App(
    Path(__file__).parent / "unlearn_core" / "ui" / "router.py",
    lifespan=process.lifespan,
    middleware=[Middleware(address.OnePart)],
    on_script_error=frame.apologise,
)
