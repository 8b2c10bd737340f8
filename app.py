"""Unlearn Lab in the browser: `streamlit run app.py`.

This file defines the server; what a visitor sees begins in `unlearn_core/ui/shell/router.py`.
"""

import streamlit as st
from starlette.middleware import Middleware

from unlearn_core.ui.gallery import listings
from unlearn_core.ui.pages.playground import frames_route
from unlearn_core.ui.server import identity, messages, middleware, own_files, sign_in_gate, sign_in_setup
from unlearn_core.ui.shell import lifespan, navigation, router

sign_in_setup.check_or_exit()
routes = [*listings.routes(), *frames_route.routes(), *identity.routes(), *sign_in_gate.routes()]

app = st.App(
    router.__file__,
    lifespan=lifespan.lifespan,
    routes=routes,
    middleware=[
        Middleware(messages.MessageMiddleware),
        Middleware(identity.IdentityMiddleware),
        Middleware(sign_in_gate.SignInMiddleware, own_paths=[route.path for route in routes]),
        Middleware(own_files.OwnFilesMiddleware),
        Middleware(middleware.RedirectMiddleware),
        Middleware(middleware.UploadLimitMiddleware),
        Middleware(middleware.ImageCacheMiddleware),
    ],
    on_script_error=navigation.on_unhandled,
)
