"""Cookies of people who have signed in, as Streamlit and our server set them."""

import json
import time
from collections.abc import Mapping
from typing import Any
from unittest import mock

from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from unlearn_core.store.access import people
from unlearn_core.store.access.identity_key import new_owner
from unlearn_core.ui.server import sign_in

ISSUER = "https://id.uni.example"


def claims_of(name: str, *, at: str = "uni.example", **more: Any) -> dict[str, Any]:
    """What the provider says of somebody."""
    address = {"email": f"{name.lower()}@{at}", "email_verified": True}
    return {"iss": ISSUER, "sub": f"{name}-1", "name": name, "is_logged_in": True, **address, **more}


def owner(name: str) -> str:
    """The owner of what this person makes."""
    found = people.owner_of_claims(claims_of(name))
    assert found is not None
    return found


def cookies_of(
    claims: Mapping[str, Any], *, hours_ago: float = 0, browser: str | None = None, nonce: object = 0
) -> dict[str, str]:
    """The cookies of a browser in which somebody signed in so many hours ago."""
    then = time.time() - hours_ago * 3600
    text = json.dumps({**claims, "nonce": nonce})
    with mock.patch("itsdangerous.timed.time.time", return_value=then):
        cookies = {USER_COOKIE_NAME: create_signed_value(get_cookie_secret(), USER_COOKIE_NAME, text).decode()}
    return sealed(cookies) | browser_cookie(browser or new_owner())


def sealed(cookies: Mapping[str, str]) -> dict[str, str]:
    """These cookies, with our own that shows that they are one sign-in."""
    seal = sign_in.seal_of(cookies)
    assert seal is not None
    return {**cookies, seal[0]: seal[1]}


def browser_cookie(browser: str) -> dict[str, str]:
    """The cookie that tells a browser apart from others."""
    key = sign_in.key()
    return {key.cookie: key.sign(browser)}


def header(cookies: Mapping[str, str]) -> str:
    """The header in which a browser sends these."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
