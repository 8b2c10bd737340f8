"""Texts and public names use the words of docs/glossary.md; and each kind of offence is shown to be caught.

The texts of pages are read wherever a test renders one: see tests/pages/conftest.py.
"""

import re
from functools import cache

import pytest

from tests.architecture import shown_texts
from tests.architecture.vocabulary import (
    Offence,
    Shown,
    figure_texts,
    frozen,
    inside,
    is_called,
    literals,
    name_offences,
    public_names,
    raised,
    streamlit_texts,
    text_offences,
    words_in_name,
    words_in_text,
)
from unlearn_core.ui.guidance.glossary import terms, terms_in


def none_of(found: list[Offence]) -> None:
    if found:
        pytest.fail(f"{len(found)} words that are not in the glossary:\n" + "\n".join(map(str, found)), pytrace=False)


@cache
def texts_of(source: str) -> list[Shown]:
    """The texts of one source, made once."""
    return list(shown_texts.SOURCES[source]())


@pytest.mark.parametrize("source", shown_texts.SOURCES)
def test_texts_use_the_words_of_the_glossary(source: str) -> None:
    texts = texts_of(source)
    assert len(texts) > 20
    none_of(text_offences(texts))


def test_public_names_use_the_words_of_the_glossary() -> None:
    names = list(shown_texts.every_name())
    assert len(names) > 1000
    none_of(name_offences(names))


def test_each_term_of_the_glossary_is_used() -> None:
    texts = {
        one.text
        for source in shown_texts.SOURCES
        for one in texts_of(source)
        if not one.place.startswith("docs/glossary.md")
    }
    used = {term.name for text in texts for term in terms_in(text)}
    assert {term.name for term in terms()} - used == set()


def test_frozen_names_are_still_there() -> None:
    known = [*shown_texts.every_name(), *shown_texts.every_literal()]
    written = shown_texts.everything_written()
    for name, where, reason in frozen():
        assert reason.strip(), f"{name} is frozen without a reason"
        if where == "texts":
            assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", written), f"nothing is called {name} any more"
        else:
            assert any(is_called(one, name) and inside(one.place, where) for one in known), f"no {name} in {where}"


@pytest.mark.parametrize(
    "text",
    [
        "Two pictures",
        "As pictured above",
        "The net's answer",
        "shadow\nnets",
        "Shadow-nets",
        "turn a KNOB",
        "strangers",
        "a crowd of models",
        "on the shelf",
        "Shelves",
        "an accuracy of nought",
        "Whoever runs this server",
        "brought here",
        "can be told apart",
        "tells them apart",
        "telling apart",
        "It was named rightly.",
        "Take it in",
        "taken\N{NO-BREAK SPACE}in",
        "Look it over",
        "<b>nets</b>",
        "[the nets](models.md)",
        "`a` and the net and `b`",
    ],
)
def test_a_word_that_is_not_ours_is_caught_in_a_text(text: str) -> None:
    assert words_in_text(text)
    assert text_offences([Shown("somewhere", text)])


@pytest.mark.parametrize(
    "text",
    [
        "ResNet-20 on ImageNet, over the internet, of this planet",
        "`nets` in a code span, ``net``",
        "before\n```sh\npython net.py\n```\nafter",
        "<style>.net { color: red }</style>",
        "[a paper](https://openreview.net/forum) at https://openreview.net/pdf",
        "see [the page](/pictures)",
        "takes place, tells a lie, looks at overfitting; kept at hand, nobody asks",
    ],
)
def test_other_words_pass_in_a_text(text: str) -> None:
    assert not words_in_text(text)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "net",
            "copy_of_net",
            "TrainedNet",
            "NETS",
            "knobs",
            "BadKnob",
            "pictures_in",
            "Shelf",
            "crowds",
            "told_apart",
        ),
        *(
            "taken_in",
            "look_over",
            "LookOver",
            "brought",
            "kept_per_class",
            "at_hand",
            "Seat",
            "WISH",
            "asks",
            "answers",
        ),
        *("calls", "class_names", "Nobody"),
    ],
)
def test_a_word_that_is_not_ours_is_caught_in_a_name(name: str) -> None:
    assert words_in_name(name)


@pytest.mark.parametrize(
    "name", ["ResNet", "resnet20", "MobileNetV2", "ImageNetCard", "name", "handle", "network", "call"]
)
def test_other_words_pass_in_a_name(name: str) -> None:
    assert not words_in_name(name)


NAMES = '''
from x import imported_net
MOST_NETS: int = 1
_private_net = 2
first_net, (second_net, *_) = 1, (2, 3)
class NetCard(Base):
    net_field: int
    """Its net."""
    NET_CHOICE = 1
    def __init__(self, net_argument):
        self.net_member = self._net = net_argument
    @property
    def net_property(self): ...
    def _own(self, inner_net): ...
class _Net:
    hidden_net = 1
async def load_net(net_first, /, net_second, *net_rest, net_only=1, _net=2, **net_more):
    local_net = 1
'''


def test_every_kind_of_public_name_is_found() -> None:
    found = {one.text for one in public_names(NAMES, "unlearn_core/models/nets.py")}
    assert {name for name in found if words_in_name(name)} == {
        *("nets", "MOST_NETS", "first_net", "second_net", "NetCard", "NetCard.net_field", "NetCard.NET_CHOICE"),
        *(
            "net_argument",
            "NetCard.net_member",
            "NetCard.net_property",
            "load_net",
            "net_first",
            "net_second",
            "net_rest",
            "net_only",
            "net_more",
        ),
    }
    assert {one.text for one in public_names("", "unlearn_core/nets/__init__.py")} == {"nets"}
    assert not list(public_names("", "unlearn_core/cli/_nets.py"))


TEXTS = '''
"""A docstring with a net."""
import streamlit as st
def f(x):
    """Another with a net."""
    st.button("one net", help=f"{x} nets", key="net key", on_click=lambda: st.toast("toasted net"))
    st.session_state.get("net")
    st.page_link(page("net"), label="net page")
    x["subscripted net"]
    if x:
        raise BadPictures(f"Take another {x}, "
                          "or two nets.") from None
    raise ValueError("net" if x else "nets of " + x)
    return UnknownName("net", x, []), Other("unmade net")
'''


def test_every_kind_of_literal_is_found() -> None:
    errors = {one.text for one in raised(TEXTS, "x.py", ["UnknownName"])}
    assert errors == {"Take another …, or two nets.", "net", "nets of "}
    shown = {one.text for one in streamlit_texts(TEXTS, "x.py")}
    assert shown == {"one net", "… nets", "toasted net", "net page"}
    spaced = {one.text for one in literals(TEXTS, "x.py", lambda text: " " in text.strip())}
    assert spaced >= {"one net", "toasted net", "unmade net", "Take another …, or two nets."}
    assert not any("docstring" in text or "subscripted" in text or "Another with" in text for text in spaced)


def test_texts_of_figures_are_found() -> None:
    figure = {
        "data": [{"name": "a net", "x": ["many nets", 1], "marker": {"symbol": "net"}, "hovertemplate": "%{y} nets"}],
        "layout": {"title": {"text": "Nets"}, "annotations": [{"text": "this net", "xref": "net"}]},
    }
    found = set(figure_texts(figure))
    assert found == {"a net", "many nets", "%{y} nets", "Nets", "this net"}
