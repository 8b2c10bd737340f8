"""Sign-in, as the server reads it: forged and old cookies, signing out, a second tab, and every route there is."""

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import HTTPConnection
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette import starlette_agent_routes, starlette_auth_routes, starlette_routes
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

import app as served
from tests.pages.server.signed_in import browser_cookie, claims_of, cookies_of, header, owner, sealed
from tests.pages.server.test_identity import PAGE, SOCKET, Answer, ask, change
from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.access.identity_key import identity_key
from unlearn_core.store.data_folder import data_dir_path
from unlearn_core.ui.server import identity, own_files, sign_in, sign_in_gate, visitor
from unlearn_core.ui.server.middleware import STREAMLIT_PATHS

ANN, BEN, EVE = claims_of("Ann"), claims_of("Ben"), claims_of("Eve", at="elsewhere.example")
HERE, THERE = "1" * 20, "2" * 20
"""Two browsers."""


@pytest.fixture(autouse=True)
def required(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server on which those of uni.example, and nobody else, may sign in."""
    monkeypatch.setenv("UNLEARN_SIGN_IN", "required")
    monkeypatch.setenv("UNLEARN_SIGN_IN_ALLOWED", "@uni.example")
    identity_key.cache_clear()
    yield
    sign_in._current.clear()
    sign_in._ended.clear()


def gate(path: str, cookies: dict[str, str] | str | None = None, /, *, method: str = "GET", **headers: str) -> Answer:
    """A request to the gate before a server that says yes to everything."""
    kind = partial(sign_in_gate.SignInMiddleware, own_paths=[route.path for route in served.routes])
    sent = {} if cookies is None else {"cookie": cookies if isinstance(cookies, str) else header(cookies)}
    scope = PAGE | {"path": path, "method": method, "query_string": b""}
    return ask(scope, kind, **(sent | {"accept": "*/*"} | headers))  # pyright: ignore[reportArgumentType]


def status(answer: Answer) -> int:
    return answer.sent[0]["status"]


OPEN = {"/auth/login", "/auth/logout", "/oauth2callback", "/sign-in", "/_stcore/health", "/_stcore/host-config"}
CLOSED = {
    "/gallery/{name}/{file}",
    "/playground-frames/{name}/{part}",
    "/change-visitor",
    "/_stcore/metrics",
    "/_stcore/script-health-check",
    "/media/{file_id:path}",
    "/_stcore/upload_file/{session_id}/{file_id}",
    "/component/{path:path}",
    "/_stcore/bidi-components/{path:path}",
    "/app/static/{path:path}",
    "/_stcore/agent",
}
"""The routes of this server, and of Streamlit."""


def routes() -> set[str]:
    own = {route.path for route in served.routes}
    modules = (starlette_routes, starlette_auth_routes, starlette_agent_routes)
    constants = ((name, value) for module in modules for name, value in vars(module).items())
    named = {f"/{value}" for name, value in constants if "ROUTE_" in name and isinstance(value, str)}
    return own | (named - {"/_stcore", "/component", "/media", "/static", "/app/static", "/_stcore/upload_file"})


def test_every_route_has_its_row() -> None:
    assert {route for route in routes() if not any(route.startswith(one) for one in OPEN | CLOSED)} == set()


STRANGERS: dict[str, Callable[[], Any]] = {
    "no cookies": lambda: None,
    "a visitor without an account": lambda: {(key := identity_key(data_dir_path())).cookie: key.sign("a" * 20)},
    "the operator without an account": lambda: {(key := identity_key(data_dir_path())).cookie: key.sign(OPERATOR.id)},
    "a browser": lambda: browser_cookie(HERE),
    "somebody who is not on the list": lambda: cookies_of(EVE),
    "a sign-in of yesterday": lambda: cookies_of(ANN, hours_ago=12.1),
    "a sign-in without its seal": lambda: {USER_COOKIE_NAME: cookies_of(ANN)[USER_COOKIE_NAME]},
    "the seal of another sign-in": lambda: cookies_of(ANN) | {USER_COOKIE_NAME: cookies_of(BEN)[USER_COOKIE_NAME]},
    "another secret": lambda: cookies_of(ANN) | {USER_COOKIE_NAME: _made("x" * 40, USER_COOKIE_NAME, ANN)},
    "another cookie's signature": lambda: cookies_of(ANN) | {USER_COOKIE_NAME: _made(get_cookie_secret(), "x", ANN)},
    "a changed cookie": lambda: cookies_of(ANN) | {USER_COOKIE_NAME: f"x{cookies_of(ANN)[USER_COOKIE_NAME]}"},
    "signed out": lambda: sealed_text(json.dumps({**ANN, "is_logged_in": False})),
    "no object": lambda: sealed_text('"ann"'),
    "no JSON": lambda: sealed_text("{"),
    "a part that is missing": lambda: sealed_text("chunks-2"),
    "noise": lambda: f"{USER_COOKIE_NAME}=\x80\xff; ;;=; {sign_in.key().cookie}-seal=\xe9",
    "very long": lambda: f"{USER_COOKIE_NAME}={'x' * 60_000}",
}
HEADERS = {
    "x_forwarded_email": "ann@uni.example",
    "x_forwarded_user": "ann@uni.example",
    "x_auth_request_email": "ann@uni.example",
    "remote_user": "ann@uni.example",
    "authorization": "Bearer ann",
    "host": "localhost",
}
"""What some servers believe."""


def _made(secret: str, name: str, claims: dict[str, Any]) -> str:
    return create_signed_value(secret, name, json.dumps(claims)).decode()


def sealed_text(text: str) -> dict[str, str]:
    """Any text, signed by the server's own secret."""
    cookies = {USER_COOKIE_NAME: create_signed_value(get_cookie_secret(), USER_COOKIE_NAME, text).decode()}
    seal = sign_in.key().seal("")
    return cookies | {f"{sign_in.key().cookie}-seal": seal}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_strangers_get_no_further_than_the_sign_in_page(stranger: str) -> None:
    cookies = STRANGERS[stranger]()
    for route in CLOSED:
        for method in ("GET", "PUT", "POST", "HEAD", "OPTIONS"):
            assert status(gate(route, cookies, method=method)) == 401, (route, method)
        assert status(gate(route, cookies, accept="text/html", **HEADERS)) == 401, "opened in a tab of its own"
        assert status(gate(f"/{route}", cookies)) == 401
    for path in (*OPEN, "/", "/history", "/run/5", "/static/js/index.js", "/favicon.png"):
        assert status(gate(path, cookies)) == 200, path
    sent = cookies if isinstance(cookies, str) else header(cookies or {})
    seen = HTTPConnection({"type": "http", "headers": [(b"cookie", sent.encode("latin-1"))]}).cookies
    assert visitor.reader_of(seen) is None and visitor.actor_of_visit(seen) is None


def test_whoever_signed_in_may() -> None:
    for route in CLOSED:
        assert status(gate(route, cookies_of(ANN))) == 200
    found = visitor.reader_of(cookies_of(ANN))
    assert found is not None and found.id == owner("Ann") and not found.is_operator


def test_an_administrator_is_the_operator_under_their_own_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_SIGN_IN_ADMINS", "ann@uni.example")
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    found = visitor.reader_of(cookies_of(ANN))
    assert found is not None and found.id == owner("Ann") and found.is_operator
    assert own_files.may_read("anything", cookies_of(ANN)) and not own_files.may_read("anything", cookies_of(BEN))


def test_long_claims_are_joined_but_not_those_of_two_sign_ins() -> None:
    def parts(claims: dict[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        sign = partial(create_signed_value, get_cookie_secret())
        set_cookie_with_chunks(
            lambda name, value: found.update({name: sign(name, value).decode()}),
            sign,
            USER_COOKIE_NAME,
            claims | {"groups": [secrets.token_hex(8) for _ in range(600)]},
            cookie_attr_size=0,
        )
        assert len(found) > 2
        return found

    anns, bens = parts(ANN), parts(BEN)
    assert visitor.reader_of(sealed(anns)) is not None
    for name in anns:
        mixed = sealed(anns) | {name: bens[name]}
        assert visitor.reader_of(mixed) is None or bens[name] == anns[name]


def test_who_signs_out_is_signed_out_in_every_tab_and_for_copies_of_the_cookie() -> None:
    cookies = cookies_of(ANN, browser=HERE)
    assert sign_in.of_visit(cookies, HERE).actor
    assert status(gate("/auth/logout", cookies)) == 200
    assert sign_in.of_visit(cookies, HERE).problem == "ended"
    assert sign_in.of_request(cookies).problem == "ended" and status(gate("/media/x.png", cookies)) == 401
    sign_in._ended.clear()
    sign_in._current.clear()
    assert sign_in.of_request(cookies).problem == "ended", "after a restart too"
    assert sign_in.of_request(cookies_of(ANN, nonce=1)).actor, "another sign-in of hers goes on"


def test_where_nothing_can_be_written_a_sign_out_holds_as_long_as_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = cookies_of(ANN)
    blocked = data_dir_path() / "a file"
    blocked.write_text("")
    monkeypatch.setattr(sign_in, "_folder", lambda: blocked / "ended")
    sign_in.end(cookies, None)
    assert sign_in.of_request(cookies).problem == "ended"


def test_old_sign_outs_are_forgotten() -> None:
    sign_in.end(cookies_of(ANN), None)
    (old,) = sign_in._folder().iterdir()
    long_ago = time.time() - 34 * 86_400  # Streamlit takes no cookie of then.
    os.utime(old, (long_ago, long_ago))
    sign_in._end("another")
    assert not old.exists() and (sign_in._folder() / "another").exists()


def test_an_open_tab_goes_on_once_the_same_person_signs_in_again_in_that_browser() -> None:
    tab = cookies_of(ANN, browser=HERE, hours_ago=13)
    assert sign_in.of_visit(tab, HERE).problem == "ended"
    gate("/", cookies_of(ANN, browser=THERE, nonce=1), accept="text/html")
    assert sign_in.of_visit(tab, HERE).problem == "ended", "in another browser"
    gate("/", cookies_of(BEN, browser=HERE, nonce=2), accept="text/html")
    assert sign_in.of_visit(tab, HERE).problem == "ended", "somebody else"
    new = cookies_of(ANN, browser=HERE, nonce=3)
    gate("/", new, accept="text/html")
    found = sign_in.of_visit(tab, HERE).actor
    assert found is not None and found.id == owner("Ann")
    assert sign_in.of_request(tab).problem == "ended", "its old cookie alone does nothing"
    gate("/auth/logout", new)
    assert sign_in.of_visit(tab, HERE).problem == "ended"


def test_who_signs_in_as_somebody_else_takes_over_no_open_tab() -> None:
    tab = cookies_of(ANN, browser=HERE)
    assert sign_in.of_visit(tab, HERE).actor
    gate("/", cookies_of(BEN, browser=HERE, nonce=1), accept="text/html")
    assert sign_in.of_visit(tab, HERE).problem == "ended"


def test_a_new_websocket_with_an_ended_sign_in_has_none() -> None:
    kind = partial(sign_in_gate.SignInMiddleware, own_paths=())
    for cookies, names in ((cookies_of(ANN, hours_ago=13), False), (cookies_of(ANN), True), (cookies_of(EVE), True)):
        answer = ask(SOCKET, kind, cookie=header(cookies))  # pyright: ignore[reportArgumentType]
        assert (USER_COOKIE_NAME in HTTPConnection(answer.seen).cookies) is names


def test_the_cookies_of_a_sign_in_are_sealed_and_only_sent_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    made = cookies_of(ANN)[USER_COOKIE_NAME]

    def callback(**headers: str) -> list[str]:
        async def app(scope, receive, send) -> None:
            given = [(b"set-cookie", f"{USER_COOKIE_NAME}={made}; HttpOnly; Path=/; SameSite=lax".encode())]
            await send({"type": "http.response.start", "status": 302, "headers": given})

        def kind(_: object) -> sign_in_gate.SignInMiddleware:
            return sign_in_gate.SignInMiddleware(app)

        answer = ask(PAGE | {"path": "/oauth2callback"}, kind, **headers)  # pyright: ignore[reportArgumentType]
        return [value.decode() for name, value in answer.sent[0]["headers"] if name == b"set-cookie"]

    for secure, headers in ((False, {}), (True, {"x_forwarded_proto": "https"})):
        user, seal = callback(**headers)
        assert ("; Secure" in user) is ("; Secure" in seal) is secure
        name, _, value = seal.partition(";")[0].partition("=")
        assert "HttpOnly" in seal and visitor.reader_of({USER_COOKIE_NAME: made, name: value})


@pytest.mark.parametrize(
    ("referer", "place"),
    [
        ("http://lab.example/run?id=5&tab=Images", "/run?id=5&tab=Images"),
        ("http://lab.example/", None),
        ("http://evil.example/run", None),
        ("http://lab.example//evil.example/run", None),
        ("http://lab.example/\\evil.example", None),
        ("http://lab.example/\x01", None),
        ("http://[", None),
        ("http://lab.example/" + "x" * 3_000, None),
        ("", None),
    ],
)
def test_whoever_signs_in_comes_back_to_their_page_and_nowhere_else(referer: str, place: str | None) -> None:
    answer = gate("/auth/login", None, host="lab.example", referer=referer)
    cookie = answer.cookies.get(sign_in_gate.RETURN_COOKIE)
    assert (None if cookie is None else cookie.value) == place
    for path in filter(None, (place, "//evil.example", "/\\evil.example", "https://evil.example", "x")):
        cookies = cookies_of(ANN) | {sign_in_gate.RETURN_COOKIE: path}
        back = gate("/", cookies, accept="text/html")
        assert (status(back) == 302) is (path == place), path
        if path == place:
            assert dict(back.sent[0]["headers"])[b"location"].decode() == place
            assert back.cookies[sign_in_gate.RETURN_COOKIE]["max-age"] == "0"
            assert status(gate("/", {sign_in_gate.RETURN_COOKIE: path}, accept="text/html")) == 200, "first sign in"


def test_nobody_becomes_somebody_by_a_code_or_by_coming_first() -> None:
    key = sign_in.key()
    answer = change(f"ticket={key.ticket(HERE, owner('Ann'))}", cookie=f"{key.cookie}={key.sign(HERE)}")
    assert answer.status_code == 403
    assert change(f"ticket={key.ticket(HERE, THERE)}", cookie=f"{key.cookie}={key.sign(HERE)}").status_code == 403
    first = ask(PAGE | {"client": ("127.0.0.1", 1)}, identity.IdentityMiddleware, host="localhost")
    assert visitor.browser_of(HTTPConnection(first.seen).cookies) != OPERATOR.id
    assert not (data_dir_path() / "identity" / "operator").exists()


def test_with_sign_in_off_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_SIGN_IN", "off")
    assert {status(gate(route, None)) for route in CLOSED} == {200}
    assert status(gate("/auth/login", None, host="lab.example", referer="http://lab.example/run")) == 200
    assert visitor.reader_of(cookies_of(ANN)) is None, "its cookies say nothing"


def test_every_path_of_streamlit_is_known() -> None:
    assert {route.split("/")[1] for route in routes()} <= STREAMLIT_PATHS | {
        route.path.split("/")[1] for route in served.routes
    }
