"""A real OpenID Connect provider as a process, and the app with sign-in on, which asks it who people are."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.app_server import START, Served, free_port

SECRET = "a secret of this test that nobody else has, 0123456789"

PEOPLE = {
    "ann-1": {"email": "ann@uni.example", "email_verified": True, "name": "Ann"},
    "ben-2": {"email": "ben@uni.example", "email_verified": True, "name": "Ben"},
    "eve-3": {"email": "eve@elsewhere.example", "email_verified": True, "name": "Eve"},
    "ada-4": {"email": "ada@lab.example", "email_verified": True, "name": "Ada", "groups": ["staff", "ml"]},
}
"""Who has an account there: the claims of each, by subject."""


@contextmanager
def provider() -> Iterator[str]:
    """The address of a provider that knows these people, as long as it runs."""
    port = free_port()
    known = [f"--user-claims={json.dumps({'sub': sub, **claims})}" for sub, claims in PEOPLE.items()]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), *known]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address, end = f"http://127.0.0.1:{port}", time.monotonic() + START
    try:
        while not _answers(f"{address}/.well-known/openid-configuration"):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("The provider did not come up.")
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


class ServedSignIn(Served):
    """The app for those of `uni.example`, administrated by the group `ml`."""

    def __init__(self, home: Path, issuer: str, *, worker: str = "auto") -> None:
        super().__init__(home, worker=worker)
        self.issuer = issuer
        home.mkdir(parents=True, exist_ok=True)
        secrets = home / "secrets.toml"
        secrets.write_text(
            f"""[auth]
redirect_uri = "http://127.0.0.1:{self.port}/oauth2callback"
cookie_secret = "{SECRET}"
client_id = "unlearn-lab"
client_secret = "not needed here"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
"""
        )
        self._env |= {
            "STREAMLIT_SECRETS_FILES": str(secrets),
            "UNLEARN_SHARING": "private",
            "UNLEARN_SIGN_IN": "required",
            "UNLEARN_SIGN_IN_ALLOWED": "@uni.example",
            "UNLEARN_SIGN_IN_ADMINS": "group:ml",
        }


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False
