"""The texts that a page shows, read from the messages that it sends to the browser, and held to the glossary."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from google.protobuf.message import Message
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.testing.v1.element_tree import ElementTree, parse_tree_from_messages

from tests.architecture.vocabulary import Shown, figure_texts, text_offences

NOT_SHOWN = {
    *(
        "id",
        "key",
        "form_id",
        "element_id",
        "query_param_key",
        "query_string",
        "url",
        "link",
        "src",
        "link_path",
        "page",
    ),
    *(
        "page_script_hash",
        "icon",
        "type",
        "tag",
        "anchor",
        "divider",
        "language",
        "theme",
        "config",
        "data",
        "datasets",
    ),
    *("value", "raw_value", "raw_values", "default", "default_tab_label", "selection_state", "selection_default"),
    *("stack_trace", "css_content", "js_content", "component_name", "json", "mixed", "autocomplete", "validate_regex"),
    *("format", "shortcut", "column_order", "gap", "hash", "url_pathname", "script_path", "main_script_path"),
}
"""Fields of Streamlit's messages that hold no text for a person, or one that another field shows."""
MESSAGES = {"delta", "navigation", "page_config_changed"}


@pytest.fixture(autouse=True)
def glossary(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test that renders a text with a word that is not of the glossary."""
    shown = listen(monkeypatch)
    yield
    check(shown)


def listen(monkeypatch: pytest.MonkeyPatch) -> dict[str, None]:
    """The texts of all pages that are rendered from now on, each once; it grows with them."""
    shown: dict[str, None] = {}

    def read(messages: list[ForwardMsg]) -> ElementTree:
        shown.update(dict.fromkeys(texts(messages)))
        return parse_tree_from_messages(messages)

    monkeypatch.setattr("streamlit.testing.v1.local_script_runner.parse_tree_from_messages", read)
    return shown


def check(shown: Iterable[str]) -> None:
    """Fails where one of these texts has a word that is not of the glossary."""
    found = text_offences(Shown("page", text) for text in shown)
    if found:
        pytest.fail("words that are not of the glossary:\n" + "\n".join(map(str, found)), pytrace=False)


def texts(messages: Iterable[Message]) -> Iterator[str]:
    """The texts of all elements, blocks and pages in what a script sent."""
    for message in messages:
        kind = message.WhichOneof("type")
        if kind in MESSAGES:
            yield from _texts(getattr(message, kind))


def _texts(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        name = field.name
        if name in NOT_SHOWN:
            continue
        if name == "plotly_chart":
            yield from figure_texts(json.loads(value.spec))
        elif name == "arrow_data":
            yield from _table(bytes(getattr(value, "data", value)))
        elif name == "columns" and isinstance(value, str):
            yield from _columns(json.loads(value or "{}"))
        elif isinstance(value, str):
            yield value
        elif isinstance(value, Message):
            yield from _texts(value)
        elif field.is_repeated:
            for one in value:
                if isinstance(one, str):
                    yield one
                elif isinstance(one, Message):
                    yield from _texts(one)


def _table(data: bytes) -> Iterator[str]:
    """The column names of a table, and those of its cells that are text."""
    with pa.ipc.open_stream(data) as stream:
        table = stream.read_all()
    for column in table.schema:
        yield column.name
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            yield from (cell for cell in table[column.name].unique().to_pylist() if cell)


def _columns(settings: Any) -> Iterator[str]:
    """What a table's columns are called, and what the pointer shows at them."""
    for one in settings.values():
        yield from (one[name] for name in ("label", "help") if isinstance(one, dict) and one.get(name))
