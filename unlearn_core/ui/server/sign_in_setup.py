"""Whether everything is there that people need to sign in: a server that lacks something does not start."""

import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from streamlit.auth_util import get_redirect_uri, get_secrets_auth_section
from streamlit.errors import StreamlitAuthError
from streamlit.runtime.secrets import AttrDict, secrets_singleton

from unlearn_core.domain.errors import SignInError, UnlearnError
from unlearn_core.settings import is_sign_in_required, settings, variable
from unlearn_core.store.access.people import EVERYBODY
from unlearn_core.ui.server.urls import base_path

FIELDS = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
LEAST_SECRET = 32
"""The fewest characters of the secret with which Streamlit signs who somebody is."""
CALLBACK = "/oauth2callback"


def check_or_exit() -> None:
    """End the server with a sentence, before it serves anything, if people must sign in and could not."""
    try:
        check()
    except UnlearnError as problem:
        sys.exit(str(problem))


def check() -> None:
    """Raise SignInError, with all that is missing, if people must sign in and could not, or not safely."""
    if not is_sign_in_required():
        return
    missing = [*_libraries(), *_lists(), *_secrets(), *_server()]
    if missing:
        what = f"{variable('sign_in')} is required, but people cannot sign in"
        raise SignInError(f"{what}: {' '.join(missing)} docs/operations.md has a complete example.")


def _libraries() -> Iterator[str]:
    if find_spec("authlib") is None or find_spec("httpx") is None:
        yield "A library is missing: pip install 'streamlit[auth]'."


def _lists() -> Iterator[str]:
    if not settings().sign_in_allowed and not settings().sign_in_admins:
        yield f"Nobody may: set {variable('sign_in_allowed')} to addresses, domains or groups."
    if EVERYBODY in settings().sign_in_admins:
        yield f"Everybody would be an administrator: name people or groups in {variable('sign_in_admins')}."


def _server() -> Iterator[str]:
    if st.get_option("server.trustedUserHeaders"):
        yield "A header could say who somebody is: unset server.trustedUserHeaders."
    if not st.get_option("server.enableXsrfProtection"):
        yield "Streamlit takes no sign-in without its own protection: unset server.enableXsrfProtection."


def _secrets() -> Iterator[str]:
    files = st.get_option("secrets.files")
    section = get_secrets_auth_section() if secrets_singleton.load_if_toml_exists() else AttrDict({})
    absent = [name for name in FIELDS if not isinstance(section.get(name), str) or not section[name].strip()]
    if absent:
        yield f"Write {', '.join(absent)} below [auth] in {' or '.join(files)}."
        return
    if len(section["cookie_secret"]) < LEAST_SECRET:
        made = "python -c 'import secrets; print(secrets.token_hex(32))'"
        yield f"cookie_secret has fewer than {LEAST_SECRET} characters: make one with {made}."
    yield from _redirect(section)
    if not _is_safe(section["server_metadata_url"]):
        yield "server_metadata_url must begin with https:// (http:// only on this machine)."


def _redirect(section: Mapping[str, Any]) -> Iterator[str]:
    try:
        url = get_redirect_uri(AttrDict(section)) or ""
    except StreamlitAuthError:
        url = ""
    found, allowed = urlsplit(url), st.get_option("server.allowedHosts")
    if not _is_safe(url) or found.path != base_path() + CALLBACK:
        yield f"redirect_uri must be the address of the lab with {CALLBACK}: https://lab.example{base_path()}{CALLBACK}."
    elif allowed and found.hostname not in allowed and "*" not in allowed:
        yield f"Streamlit does not answer under {found.hostname}: add it to server.allowedHosts."


def _is_safe(url: str) -> bool:
    """Whether nobody between two machines can read what is sent to this address."""
    found = urlsplit(url)
    is_here = found.hostname in ("localhost", "127.0.0.1", "::1")
    return bool(found.hostname) and (found.scheme == "https" or (found.scheme == "http" and is_here))
