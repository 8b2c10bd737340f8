"""Somebody who speaks Streamlit's protocol without a browser, and so can say what no page would."""

import hashlib
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value, generate_xsrf_token_string
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME, XSRF_COOKIE_NAME
from websockets import Subprotocol
from websockets.sync.client import connect

from tests.browser.access.identity_provider import SECRET
from tests.browser.app_server import Served
from unlearn_core.store.access.identity_key import IdentityKey

PATIENCE = 30.0
"""Seconds for an answer on a busy machine."""


class ForgedClient:
    """`with ForgedClient(app, cookies) as ben: ben.ask("run?id=5")`: a visit, or the continuation of another."""

    def __init__(self, served: Served, cookies: Mapping[str, str], *, visit: str = "", origin: bool = True) -> None:
        token = generate_xsrf_token_string()
        sent = {**cookies, XSRF_COOKIE_NAME: token}
        self.origin = served.address().rstrip("/")
        self.visit, self.buttons, self.fragments = "", {}, set()
        self._connection = connect(
            f"ws://{urlsplit(self.origin).netloc}/_stcore/stream",
            subprotocols=[Subprotocol(one) for one in ("streamlit", token, visit) if one],
            additional_headers={"Cookie": "; ".join(f"{name}={value}" for name, value in sent.items())},
            origin=self.origin if origin else None,  # pyright: ignore[reportArgumentType]
            max_size=None,
        )

    buttons: dict[str, str]
    """The ids of the buttons that this visit has seen, by the keys that the code gives them."""
    fragments: set[str]
    """The parts of pages that this visit has seen, which a browser asks for alone."""

    def ask(self, page: str, *, press: str = "", fragment: str = "") -> str:
        """Ask for a page, perhaps by the press of a button of any id, and return all that the answer says.

        A part of a page is asked for first: one that this visit does not have gets no answer.
        """
        if fragment:
            self._send(page, press, fragment)
        self._send(page, press, "")
        said: list[str] = []
        while True:
            answer = ForwardMsg.FromString(self._socket.recv(PATIENCE))  # pyright: ignore[reportArgumentType]
            said.append(self._take(answer))
            is_end = answer.WhichOneof("type") == "script_finished"
            if is_end and answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return "\n".join(said)

    def _send(self, page: str, press: str, fragment: str) -> None:
        message, (path, _, query) = BackMsg(), page.partition("?")
        rerun = message.rerun_script
        rerun.page_name, rerun.query_string, rerun.fragment_id = path, query, fragment
        rerun.context_info.url = f"{self.origin}/{page}"
        if press:
            pressed = rerun.widget_states.widgets.add()
            pressed.id, pressed.trigger_value = press, True
        self._socket.send(message.SerializeToString())

    def _take(self, answer: ForwardMsg) -> str:
        kind = answer.WhichOneof("type")
        if kind == "new_session":
            self.visit = answer.new_session.initialize.session_id
        elif kind == "auto_rerun":
            self.fragments.add(answer.auto_rerun.fragment_id)
        elif kind == "delta":
            element = answer.delta.new_element
            if element.WhichOneof("type") == "button":
                self.buttons[element.button.id.partition("-")[2].partition("-")[2]] = element.button.id
            return str(answer.delta)
        return ""

    def __enter__(self) -> Self:
        self._socket = self._connection.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.__exit__(kind, problem, trace)


def visitor_cookies(key: IdentityKey, owner: str) -> dict[str, str]:
    """The cookie of a visitor without an account."""
    return {key.cookie: key.sign(owner)}


def person_cookies(
    served: Served, key: IdentityKey, claims: Mapping[str, Any], *, browser: str, secret: str = SECRET
) -> dict[str, str]:
    """The cookies that are left in a browser in which somebody signs in with the provider."""
    text = json.dumps({**claims, "origin": served.address().rstrip("/"), "is_logged_in": True, "provider": "default"})
    signed, own = create_signed_value(secret, USER_COOKIE_NAME, text).decode(), key.for_sign_in()
    seal = own.seal(hashlib.sha256(text.encode()).hexdigest()[:32])
    return {USER_COOKIE_NAME: signed, f"{own.cookie}-seal": seal, own.cookie: own.sign(browser)}
