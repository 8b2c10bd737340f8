"""A server on which people must sign in, and could not, does not start: it says what to write."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.secrets import AttrDict

from unlearn_core.domain.errors import SignInError
from unlearn_core.installation import ROOT
from unlearn_core.ui.server import sign_in_setup

COMPLETE = {
    "redirect_uri": "https://lab.uni.example/oauth2callback",
    "cookie_secret": "s" * 32,
    "client_id": "lab",
    "client_secret": "secret",
    "server_metadata_url": "https://id.uni.example/.well-known/openid-configuration",
}
HERE = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "server_metadata_url": "http://127.0.0.1:9400/.well-known/openid-configuration",
}


@pytest.fixture
def options(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Streamlit's options, which a test may change, on a server on which people must sign in."""
    monkeypatch.setenv("UNLEARN_SIGN_IN", "required")
    monkeypatch.setenv("UNLEARN_SIGN_IN_ALLOWED", "@uni.example")
    changed: dict[str, Any] = {"server.allowedHosts": ["localhost", "lab.uni.example"]}
    known = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: changed.get(name, known(name)))
    return changed


def check(monkeypatch: pytest.MonkeyPatch, section: dict[str, Any] | None) -> str:
    """What the server says with this section of the secrets; "" if it starts."""
    monkeypatch.setattr(sign_in_setup.secrets_singleton, "load_if_toml_exists", lambda: section is not None)
    monkeypatch.setattr(sign_in_setup, "get_secrets_auth_section", lambda: AttrDict(section or {}))
    try:
        sign_in_setup.check()
    except SignInError as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize("changes", [{}, HERE, {"redirect_uri": "http://localhost:{port}/oauth2callback"}])
def test_a_complete_section_starts(options: Any, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]) -> None:
    assert check(monkeypatch, COMPLETE | changes) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_id": None}, "Write client_id below [auth] in "),
        ({"client_id": " ", "client_secret": 7}, "Write client_id, client_secret below [auth] in "),
        ({"cookie_secret": "short"}, "cookie_secret has fewer than 32 characters: make one with python -c"),
        ({"redirect_uri": "http://lab.uni.example/oauth2callback"}, "redirect_uri must be the address of the lab with"),
        ({"redirect_uri": "https://lab.uni.example/"}, "https://lab.example/oauth2callback."),
        ({"redirect_uri": "https://lab.uni.example/lab/oauth2callback"}, "redirect_uri must be"),
        ({"redirect_uri": "oauth2callback"}, "redirect_uri must be"),
        ({"redirect_uri": "https://other.example/oauth2callback"}, "add it to server.allowedHosts"),
        ({"server_metadata_url": "http://id.uni.example/x"}, "server_metadata_url must begin with https://"),
    ],
)
def test_what_is_missing_is_named(
    options: Any, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    section = {name: value for name, value in (COMPLETE | changes).items() if value is not None}
    words = check(monkeypatch, section)
    assert words.startswith("UNLEARN_SIGN_IN is required, but people cannot sign in: ")
    assert said in words and words.endswith("docs/operations.md has a complete example.")


def test_without_any_secrets_all_fields_are_named(options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"Write {', '.join(sign_in_setup.FIELDS)} below [auth] in " in check(monkeypatch, None)


def test_a_path_of_the_app_is_part_of_its_address(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    options["server.baseUrlPath"] = "lab"
    assert "https://lab.example/lab/oauth2callback." in check(monkeypatch, COMPLETE)
    assert check(monkeypatch, COMPLETE | {"redirect_uri": "https://lab.uni.example/lab/oauth2callback"}) == ""


def test_settings_that_would_let_everybody_in_or_nobody(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    options["server.trustedUserHeaders"] = {"X-User": "email"}
    assert "A header could say who somebody is" in check(monkeypatch, COMPLETE)
    options["server.trustedUserHeaders"] = None
    options["server.enableXsrfProtection"] = False
    assert "unset server.enableXsrfProtection" in check(monkeypatch, COMPLETE)
    del options["server.enableXsrfProtection"]
    monkeypatch.setenv("UNLEARN_SIGN_IN_ADMINS", "*")
    assert "Everybody would be an administrator" in check(monkeypatch, COMPLETE)
    monkeypatch.setenv("UNLEARN_SIGN_IN_ADMINS", "")
    monkeypatch.setenv("UNLEARN_SIGN_IN_ALLOWED", " , ")
    assert "Nobody may: set UNLEARN_SIGN_IN_ALLOWED" in check(monkeypatch, COMPLETE)
    monkeypatch.setattr(sign_in_setup, "find_spec", lambda name: None)
    assert "pip install 'streamlit[auth]'" in check(monkeypatch, COMPLETE)
    monkeypatch.setenv("UNLEARN_SIGN_IN", "off")
    assert check(monkeypatch, None) == ""


@pytest.mark.slow
@pytest.mark.parametrize("text", [None, "[auth", '[auth]\nclient_id = "lab"\n'], ids=["none", "no TOML", "half"])
def test_the_server_ends_with_the_sentence_alone(home: Path, tmp_path: Path, text: str | None) -> None:
    secrets = tmp_path / "secrets.toml"
    if text is not None:
        secrets.write_text(text)
    command = [sys.executable, "-m", "unlearn_core", "serve", "--port", "0", "--", "--server.headless", "true"]
    own = {"UNLEARN_SIGN_IN": "required", "UNLEARN_SIGN_IN_ALLOWED": "*", "STREAMLIT_SECRETS_FILES": str(secrets)}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | own, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert re.search(rf"Write .*cookie_secret.* below \[auth\] in {secrets}\.", done.stderr)
    assert not (home / "identity").exists(), "nothing was begun"
