"""The cookie of a browser, as the server hands it out and reads it: first visits, forged ones, and files of others."""

import asyncio
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from unlearn_core.store.access.actor import OPERATOR
from unlearn_core.store.access.identity_key import IdentityKey, identity_key
from unlearn_core.store.data_folder import data_dir_path
from unlearn_core.ui.gallery import listings
from unlearn_core.ui.server import identity, own_files, visitor

ANN, BEN = "a" * 20, "b" * 20
AWAY, HERE = ("192.0.2.7", 1234), ("127.0.0.1", 1234)
PAGE = {"type": "http", "method": "GET", "path": "/history", "scheme": "http", "client": AWAY}
SOCKET = {"type": "websocket", "path": "/_stcore/stream", "scheme": "ws", "client": AWAY}


@pytest.fixture
def key(home: Path) -> IdentityKey:
    identity_key.cache_clear()
    return identity_key(data_dir_path())


class Answer:
    """What a middleware let through and sent back."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}
        self.sent: list[dict[str, Any]] = []

    @property
    def owner(self) -> str | None:
        """Who the rest of the server takes the browser for."""
        return visitor.browser_of(HTTPConnection(self.seen).cookies)

    @property
    def cookies(self) -> SimpleCookie:
        headers = [pair for message in self.sent for pair in message.get("headers", ())]
        found = [value.decode() for name, value in headers if name == b"set-cookie"]
        assert len(found) < 2
        return SimpleCookie("".join(found))


def ask(scope: dict[str, Any], kind: type = identity.IdentityMiddleware, /, **headers: str) -> Answer:
    """Send a request through a middleware to a server that says yes to everything."""
    answer = Answer()

    async def app(inner, receive, send) -> None:
        answer.seen = inner
        if inner["type"] == "websocket":
            await send({"type": "websocket.accept", "subprotocol": "streamlit"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async def send(message) -> None:
        answer.sent.append(message)

    raw = {"accept": "text/html", **{name.replace("_", "-"): text for name, text in headers.items()}}
    encoded = [(name.encode(), text.encode("latin-1")) for name, text in raw.items()]
    asyncio.run(kind(app)({**scope, "headers": encoded}, None, send))
    return answer


def cookie(key: IdentityKey, owner: str) -> str:
    return f"_streamlit_xsrf=1; {key.cookie}={key.sign(owner)}"


def test_a_first_visit_gets_a_cookie_that_scripts_cannot_read(key: IdentityKey) -> None:
    answer = ask(PAGE)
    (morsel,) = answer.cookies.values()
    assert (morsel.key, morsel["samesite"], morsel["path"]) == (key.cookie, "Lax", "/")
    assert morsel["httponly"] and not morsel["secure"] and int(morsel["max-age"]) == 365 * 86_400
    assert answer.owner == key.owner(morsel.value) not in (None, OPERATOR.id)
    assert ask(PAGE).owner != answer.owner


@pytest.mark.parametrize("scope", [PAGE | {"scheme": "https"}, SOCKET | {"scheme": "wss"}, PAGE])
def test_behind_tls_it_is_only_sent_over_tls(key: IdentityKey, scope: dict[str, Any]) -> None:
    headers = {} if scope["scheme"] in ("https", "wss") else {"x_forwarded_proto": "https"}
    (morsel,) = ask(scope, **headers).cookies.values()
    assert morsel["secure"]


def test_a_browser_is_known_again_and_its_year_begins_anew(key: IdentityKey) -> None:
    answer = ask(PAGE, cookie=cookie(key, ANN))
    assert answer.owner == ANN and key.owner(answer.cookies[key.cookie].value) == ANN
    answer = ask(SOCKET, cookie=cookie(key, ANN))
    assert answer.owner == ANN and not answer.cookies


def test_a_websocket_without_a_cookie_has_one_at_once(key: IdentityKey) -> None:
    answer = ask(SOCKET)
    assert answer.owner and answer.owner == key.owner(answer.cookies[key.cookie].value)
    assert answer.sent[0]["subprotocol"] == "streamlit"


@pytest.mark.parametrize("scope", [PAGE, SOCKET], ids=["page", "websocket"])
@pytest.mark.parametrize(
    "value",
    ["", "local", f"{ANN}.{'0' * 40}", "x" * 60_000, "\x80\xff;;;=", '"', "local." + "0" * 40, "a; b=c; d"],
    ids=range(8),
)
def test_a_hostile_cookie_gets_a_new_one(key: IdentityKey, scope: dict[str, Any], value: str) -> None:
    answer = ask(scope, cookie=f"{key.cookie}={value}")
    assert answer.owner not in (None, OPERATOR.id, ANN)
    assert answer.owner == key.owner(answer.cookies[key.cookie].value)


def test_of_two_cookies_the_new_one_counts(key: IdentityKey) -> None:
    answer = ask(SOCKET, cookie=f"{key.cookie}={key.sign(ANN)}; {key.cookie}=forged")
    assert answer.owner not in (None, ANN)


def test_what_a_page_loads_gets_no_cookie(key: IdentityKey) -> None:
    for scope in (PAGE | {"path": "/static/x.js", "headers": []}, PAGE | {"method": "PUT"}):
        assert not ask(scope, accept="*/*").cookies


def test_the_first_browser_on_this_machine_is_the_operators(key: IdentityKey) -> None:
    here = PAGE | {"client": HERE}
    assert ask(SOCKET | {"client": HERE}, host="localhost:8501").owner != OPERATOR.id, "only who opens a page"
    assert ask(here, host="localhost:8501").owner == OPERATOR.id
    assert ask(here, host="localhost:8501").owner != OPERATOR.id


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        (AWAY, {"host": "localhost:8501"}),
        (HERE, {"host": "lab.example"}),
        (HERE, {"host": "localhost.evil.example"}),
        (HERE, {}),
        (HERE, {"host": "localhost", "x_forwarded_for": "192.0.2.7"}),
        (HERE, {"host": "localhost", "x_real_ip": "192.0.2.7"}),
        (HERE, {"host": "localhost", "forwarded": "for=192.0.2.7"}),
        (("testclient", 1), {"host": "localhost"}),
        (None, {"host": "localhost"}),
    ],
)
def test_nobody_else_becomes_the_operator(key: IdentityKey, client: Any, headers: dict[str, str]) -> None:
    assert ask(PAGE | {"client": client}, **headers).owner != OPERATOR.id
    assert not (data_dir_path() / "identity" / "operator").exists(), "it is still to be had"


def change(query: str, **headers: str) -> Any:
    scope = PAGE | {"method": "POST", "path": "/change-visitor", "query_string": query.encode()}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    (route,) = identity.routes()
    assert route.methods == {"POST"}, "a link cannot do it"
    request = identity.Request({**scope, "headers": raw})
    return asyncio.run(identity._change_visitor(request))


def test_a_ticket_changes_the_browser_that_asked_and_no_other(key: IdentityKey) -> None:
    ticket = key.ticket(BEN, ANN)
    for headers in ({}, {"cookie": cookie(key, ANN)}, {"cookie": f"{key.cookie}=forged"}):
        answer = change(f"ticket={ticket}", **headers)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers
    assert change("", cookie=cookie(key, BEN)).status_code == 403
    answer = change(f"ticket={ticket}", cookie=cookie(key, BEN))
    assert answer.status_code == 204
    assert key.owner(SimpleCookie(answer.headers["set-cookie"])[key.cookie].value) == ANN


class Runtime:
    """A server with one visit, Ann's."""

    def __init__(self, key: IdentityKey) -> None:
        self.client = SimpleNamespace(client_context=SimpleNamespace(cookies={key.cookie: key.sign(ANN)}))

    def exists(self) -> bool:
        return True

    def instance(self) -> Any:
        return SimpleNamespace(get_client={"visit": self.client}.get)


def fetch(path: str, key: IdentityKey, owner: str | None, *, method: str = "GET") -> int:
    headers = {} if owner is None else {"cookie": cookie(key, owner)}
    return ask(PAGE | {"path": path, "method": method}, own_files.OwnFilesMiddleware, **headers).sent[0]["status"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_upload_belongs_to_a_visit_of_the_same_visitor(
    key: IdentityKey, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(own_files, "Runtime", Runtime(key))
    path = "/_stcore/upload_file/visit/file"
    assert [fetch(path, key, who, method=method) for who in (ANN, BEN, None)] == [200, 404, 404]
    assert fetch("/_stcore/upload_file/gone/file", key, BEN, method=method) == 200, "Streamlit refuses it itself"


def test_media_files_are_for_those_whose_page_shows_them(key: IdentityKey, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = (ANN, BEN, None, OPERATOR.id)
    assert [fetch("/media/0123.png", key, who) for who in everybody] == [200] * 4, "sharing is open"
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    monkeypatch.setattr(own_files, "Runtime", Runtime(key))
    manager = SimpleNamespace(
        add=lambda *_: "/media/0123.png",
        execute_deferred=lambda _: "/media/4567.csv",
        _deferred_callables={"asked": {"session_id": "visit"}},
    )
    own_files.record_readers(manager)  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(own_files.visitor, "actor", lambda: SimpleNamespace(id=ANN))
    manager.add(b"", "image/png", "0")
    manager.execute_deferred("asked")
    for path in ("/media/0123.png", "/media/4567.csv"):
        assert [fetch(path, key, who) for who in everybody] == [200, 404, 404, 200], path
    assert fetch("/media/unknown.png", key, ANN) == 404
    assert fetch("/static/media/font.woff2", key, None) == 200, "the frame of every page needs it"
    monkeypatch.setattr(own_files, "base_path", lambda: "/base")
    assert [fetch("/base/media/0123.png", key, who) for who in everybody] == [200, 404, 404, 200]


def test_galleries_are_for_those_whose_page_shows_them(key: IdentityKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_SHARING", "private")
    monkeypatch.setattr(own_files.visitor, "actor", lambda: SimpleNamespace(id=ANN))
    url = listings.register(listings.Listing("shapes", listings.np.arange(3), lambda rows: [], "test"))
    name = url.rpartition("/")[2]

    def status(owner: str) -> int:
        headers = [(b"cookie", cookie(key, owner).encode())]
        scope = PAGE | {"headers": headers, "path_params": {"name": name, "file": "images"}}
        return listings._serve(listings.Request(scope)).status_code

    assert [status(who) for who in (ANN, BEN, OPERATOR.id)] == [200, 404, 200]
