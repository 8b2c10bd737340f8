"""The terms of docs/glossary.md on every page: underlined where they first occur, each with its definition.

One component in the frame finds them in what the browser shows, so that no text of a page knows of it. A click, a tap
or the resting pointer shows the definition at the term. The button "Terms on this page" lists them all, for the
keyboard and screen readers too. Tables are drawn as images: `column_help` explains their heads.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.components.v2 import component

from unlearn_core.installation import GLOSSARY
from unlearn_core.ui.guidance import levels

BUTTON = "Terms on this page"

_FRONTEND = Path(__file__).parent / "frontend"
_component = component(
    "glossary",
    html=(_FRONTEND / "glossary.html").read_text(),
    css=(_FRONTEND / "glossary.css").read_text(),
    js=(_FRONTEND / "glossary.js").read_text(),
)

_ENTRY = re.compile(r"^\* \*\*(?P<name>[^*]+)\*\*(?: \((?P<aside>[^)]*)\))?: (?P<definition>.*)$")
_MARKS = re.compile(r"[`*]")


class Term(NamedTuple):
    """An entry of the glossary. `aside` has symbols and names in code; `forms` are the words by which it is found."""

    name: str
    aside: str
    definition: str
    forms: tuple[str, ...]


@cache
def terms() -> tuple[Term, ...]:
    """All entries of docs/glossary.md, in their order."""
    return parse(GLOSSARY.read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Term, ...]:
    """The entries of a glossary: items such as "* **Forget set** (D_f): The training ...", on one line or several."""
    lines = re.sub(r"\n {2,}", " ", text).splitlines()
    return tuple(_term(found) for line in lines if (found := _ENTRY.match(line)))


def _term(found: re.Match[str]) -> Term:
    name, definition = found["name"], _MARKS.sub("", found["definition"])
    plain, _, acronym = name.partition(" (")
    is_verb = definition.startswith("To ")
    words = [*plain.lower().split(", "), *filter(None, [acronym.rstrip(")")])]
    return Term(name, _MARKS.sub("", found["aside"] or ""), definition, tuple(_forms(words, is_verb=is_verb)))


def _forms(words: Iterable[str], *, is_verb: bool) -> Iterator[str]:
    """Each word in singular and plural; of a verb also the other forms, if they are regular."""
    for word in words:
        yield word
        yield _other_number(word)
        if is_verb:
            stem = word.removesuffix("e")
            yield from (f"{stem}ed", f"{stem}ing")


def _other_number(word: str) -> str:
    """The plural of a singular, the singular of a plural."""
    if word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("ss", "ch", "x")) else f"{word}s"


@cache
def _pattern() -> re.Pattern[str]:
    forms = sorted((form for term in terms() for form in term.forms), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, forms))})(?![\w-])", re.IGNORECASE)


@cache
def _by_form() -> dict[str, Term]:
    return {form.lower(): term for term in reversed(terms()) for form in term.forms}


def terms_in(text: str) -> list[Term]:
    """The terms that occur in a text, each once; of "test images" only that, not "images"."""
    found = _pattern().findall(" ".join(text.split()))
    return list(dict.fromkeys(_by_form()[form.lower()] for form in found))


def definition(word: str) -> str:
    """The definition of a term in any of its forms; KeyError if the glossary has none."""
    return _by_form()[word.lower()].definition


def column_help(heads: Iterable[str]) -> dict[str, Any]:
    """The settings of the columns with terms in their heads: the definitions are shown there."""
    found = {head: terms_in(head) for head in heads}
    return {
        head: st.column_config.Column(help="  \n".join(f"**{term.name}**: {term.definition}" for term in own))
        for head, own in found.items()
        if own
    }


def show(*, has_button: bool = True) -> None:
    """Explain the terms of the page, here with the button that lists them; a presentation goes without it."""
    entries = [
        {
            "name": term.name,
            "aside": term.aside if levels.is_expert() else "",
            "definition": term.definition,
            "forms": list(term.forms),
        }
        for term in terms()
    ]
    data = {"terms": entries, "button": BUTTON if has_button else "", "underlined": not levels.is_expert()}
    _component(key="glossary", data=data, height="content", width="content")
