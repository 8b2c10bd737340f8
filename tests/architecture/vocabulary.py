"""The words of docs/glossary.md: functions from a text, or a file's public names, to the words that are not ours.

`python -m tests.architecture.vocabulary` prints every offence as place, word and text, with tabs between them.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FROZEN = Path(__file__).with_name("frozen_names.txt")

_IT = r"(?: (?:it|them|this|these|both|two))?"
HARD = re.compile(
    r"\b(?:pictur(?:es?|ed|ing)|nets?|knobs?|strangers?|crowd(?:s|ed|ing)?|shel(?:f|ves)|nought|whoever|brought"
    rf"|(?:told|tells?|telling){_IT} apart|named rightly|tak(?:en?|es|ing){_IT} in|look(?:s|ed|ing)?{_IT} over)\b",
    re.IGNORECASE,
)
"""What no text that reaches a person says, and no public name."""
SOFT = re.compile(r"\b(?:kept|hands?|seats?|wish(?:es)?|asks|answers|calls|names|nobody)\b", re.IGNORECASE)
"""What no public name says either; in texts these have other meanings too."""

_PROPER = re.compile(r"(?:Res|Mobile|Efficient|Dense|Alex|Image|Reg|Google|MNAS|Shuffle|Squeeze)Net")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NOT_PROSE = re.compile(
    r"(?P<fence>```|~~~).*?(?P=fence)"  # a code block
    r"|(?P<tick>`+).+?(?P=tick)"  # a code span
    r"|<!--.*?-->|<(?P<raw>style|script)\b.*?</(?P=raw)>|</?[a-zA-Z][^<>]*>"  # HTML, but for its texts
    r"|(?<=\])\([^()\s]*\)"  # where a link leads
    r"|\b(?:https?|data):\S+",
    re.DOTALL,
)


class Shown(NamedTuple):
    """A text that reaches a person, or a public name, and where it comes from."""

    place: str
    text: str


class Offence(NamedTuple):
    """A word that is none of ours, in a text."""

    place: str
    word: str
    text: str

    def __str__(self) -> str:
        return "\t".join(self)


class Frozen(NamedTuple):
    """A name that must stay.

    `where` is the file or folder, relative to the root, in which a public name ("name", "Class.name") or a literal
    may be so. With "texts" it is left out wherever a text has it: an option of the command line, the title of a paper.
    """

    name: str
    where: str
    reason: str


@cache
def frozen() -> list[Frozen]:
    """The names that must stay, each with its reason."""
    return [Frozen(*line.split("\t")) for line in FROZEN.read_text().splitlines() if line and line[0] != "#"]


@cache
def prose(text: str) -> str:
    """A text as it is read, on one line: without code, tags, addresses, and what is frozen in texts."""
    names = "|".join(re.escape(one.name) for one in frozen() if one.where == "texts")
    bare = _NOT_PROSE.sub(" ", text)
    return " ".join((re.sub(rf"(?<![\w-])(?:{names})(?![\w-])", " ", bare) if names else bare).split())


@cache
def words_in_text(text: str) -> tuple[str, ...]:
    """The words of the hard list in a text, as they stand there."""
    return tuple(HARD.findall(prose(text)))


@cache
def words_in_name(name: str) -> tuple[str, ...]:
    """The words of both lists in a name in snake_case or CamelCase; of a member's, "Class.name", in its own part."""
    spaced = " ".join(_WORD.findall(_PROPER.sub("", name.rpartition(".")[2]))).lower()
    return (*HARD.findall(spaced), *SOFT.findall(spaced))


def text_offences(texts: Iterable[Shown]) -> list[Offence]:
    """Every word of the hard list in these texts; each text once, at the first place that has it."""
    first = {one.text: one for one in reversed(list(texts)) if words_in_text(one.text) and not is_frozen(one)}
    return [Offence(place, word, prose(text)) for place, text in first.values() for word in words_in_text(text)]


def name_offences(names: Iterable[Shown]) -> list[Offence]:
    """Every word of both lists in these names."""
    return [
        Offence(one.place, word, one.text) for one in names for word in words_in_name(one.text) if not is_frozen(one)
    ]


def is_frozen(shown: Shown) -> bool:
    """Whether exactly this must stay where it is."""
    return any(is_called(shown, one.name) and inside(shown.place, one.where) for one in frozen())


def is_called(shown: Shown, name: str) -> bool:
    """Whether this is the name of it, with its class or without."""
    return shown.text == name or shown.text.endswith(f".{name}")


def inside(place: str, where: str) -> bool:
    """Whether a place, with its line or without, is this file or lies below this folder."""
    return place == where or place.startswith((f"{where}/", f"{where}:"))


def public_names(source: str, place: str) -> Iterator[Shown]:
    """The name of a module and what it makes public: functions, classes, constants, members, fields, parameters."""
    path = PurePosixPath(place)
    own = path.parent.name if path.stem == "__init__" else path.stem
    if not own.startswith("_"):
        yield Shown(place, own)
    for node in ast.parse(source).body:
        yield from _public(node, place)


def _public(node: ast.stmt, place: str, owner: str = "") -> Iterator[Shown]:
    if isinstance(node, ast.If | ast.Try):
        for inner in node.body:
            yield from _public(inner, place, owner)
    for name in _defined(node):
        if not name.startswith("_"):
            yield Shown(f"{place}:{node.lineno}", owner + name)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not re.match(r"_(?!_)", node.name):
        yield from _parameters(node, place)
    if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
        for inner in node.body:
            yield from _public(inner, place, f"{node.name}.")
        stored = [one for one in ast.walk(node) if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)]
        own = [one for one in stored if ast.unparse(one.value) == "self" and not one.attr.startswith("_")]
        yield from (Shown(f"{place}:{one.lineno}", f"{node.name}.{one.attr}") for one in own)


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, place: str) -> Iterator[Shown]:
    args = node.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
    yield from (Shown(f"{place}:{one.lineno}", one.arg) for one in every if not one.arg.startswith("_"))


def literals(source: str, place: str, wanted: Callable[[str], bool]) -> Iterator[Shown]:
    """The literals of a file that `wanted` takes, docstrings and subscripts left out; what is filled in becomes "…"."""
    tree = ast.parse(source)
    for node in _without_docstrings(tree):
        text = _text(node)
        if text is not None and wanted(text):
            yield Shown(f"{place}:{node.lineno}", text)  # type: ignore[attr-defined]


def raised(source: str, place: str, errors: Iterable[str]) -> Iterator[Shown]:
    """The string parts of what is raised, and of what makes one of these errors."""
    known = set(errors)
    for node in ast.walk(ast.parse(source)):
        made = isinstance(node, ast.Call) and _called(node).rpartition(".")[2] in known
        if made or isinstance(node, ast.Raise):
            for part in _without_docstrings(node):
                if (text := _text(part)) is not None:
                    yield Shown(f"{place}:{part.lineno}", text)  # type: ignore[attr-defined]


SHOWN_ARGUMENTS = {
    "label",
    "help",
    "body",
    "placeholder",
    "caption",
    "captions",
    "title",
    "text",
    "options",
    "value",
    "alt",
}


def streamlit_texts(source: str, place: str) -> Iterator[Shown]:
    """Every literal that a call of `st` shows."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and re.match(r"st\.(?!query_params|session_state|cache)", _called(node)):
            pages = _called(node) in ("st.page_link", "st.switch_page")  # Their first argument is a page's address.
            shown = [*([] if pages else node.args), *(one.value for one in node.keywords if one.arg in SHOWN_ARGUMENTS)]
            for part in (part for one in shown for part in _without_docstrings(one)):
                if (text := _text(part)) is not None:
                    yield Shown(f"{place}:{part.lineno}", text)  # type: ignore[attr-defined]


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.values)
    return None


def _without_docstrings(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it but docstrings and subscripts; of an f-string the whole, and what is filled in."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.Constant) and isinstance(node, ast.JoinedStr | ast.Subscript):
            continue
        yield from _without_docstrings(child)


FIGURE_TEXTS = {"text", "title", "name", "hovertemplate", "texttemplate", "hovertext", "ticktext", "label", "labels"}
FIGURE_TEXTS |= {"x", "y", "customdata", "ticksuffix", "tickprefix"}


def figure_texts(tree: Any, *, shown: bool = False) -> Iterator[str]:
    """The texts in a plotly figure, as a dictionary: what is drawn, and what the pointer shows."""
    if isinstance(tree, str):
        if shown:
            yield tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key not in ("template", "bdata"):
                yield from figure_texts(value, shown=key in FIGURE_TEXTS)
    elif isinstance(tree, list | tuple) or getattr(getattr(tree, "dtype", None), "kind", "") in ("O", "U"):
        for value in tree:
            if not isinstance(value, int | float):
                yield from figure_texts(value, shown=shown)


if __name__ == "__main__":
    from tests.architecture import shown_texts

    for offence in (*text_offences(shown_texts.every_text()), *name_offences(shown_texts.every_name())):
        print(offence)
