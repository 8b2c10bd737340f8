"""Lists of classes as text, as URLs and commands hold them: written so that they can be read again.

* `cat,dog`: names, with commas between them. A text that is the whole name of a class is that class, commas included.
* `"tench, Tinca tinca",dog`: a name in double quotes, in which a double quote is doubled, as in CSV.
* `#3`: a class by its number, which counts from 0. It is needed only where several classes have the same name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from unlearn_core.domain.errors import InvalidRequestError, NotFoundError

_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?:,|\Z)')
_NUMBER = re.compile(r"\s*#([0-9]{1,9})\s*(?:,|\Z)")
_EMPTY = re.compile(r"\s*,|\s+\Z")

MAX_KNOWN = 30
"""The most names that the sentence about an unknown class lists."""

_Numbers = Mapping[str, Sequence[int]]
"""The numbers of the classes, by name."""


def format_classes(numbers: Iterable[int], classes: Sequence[str]) -> str:
    """Return these classes of a data set as text that `parse_classes` reads back, whatever the names are."""
    chosen = list(numbers)
    text = ",".join(classes[number] for number in chosen)
    if text != text.strip() or not _means(text, chosen, classes):
        text = _marked(chosen, classes, _numbers_by_name(classes))
    return text


def parse_classes(text: str, classes: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of the classes that a text lists, in ascending order; empty for an empty text.

    Raises NotFoundError for an unknown class, and InvalidRequestError if the text can be read in several ways.
    """
    known = _numbers_by_name(classes)
    if text and text in known:
        return (_only(text, known),)
    marked = _parse_marked(text, known, len(classes))
    return tuple(sorted(_parse_names(text, known, classes) if marked is None else marked))


def quoted(name: str) -> str:
    """A name in double quotes, as a list of classes may hold it."""
    return '"' + name.replace('"', '""') + '"'


def class_number(name: str | int, classes: Sequence[str]) -> int:
    """Return the number of a class that is given by its exact name or number.

    Raises NotFoundError, or InvalidRequestError if several classes have this name.
    """
    known = _numbers_by_name(classes)
    if isinstance(name, str) and name in known:
        return _only(name, known)
    if isinstance(name, str) or not 0 <= name < len(classes):
        raise _unknown(name, classes)
    return int(name)


def _numbers_by_name(classes: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, name in enumerate(classes):
        found.setdefault(name, []).append(number)
    return found


def _means(text: str, numbers: Sequence[int], classes: Sequence[str]) -> bool:
    try:
        return parse_classes(text, classes) == tuple(sorted({*numbers}))
    except (InvalidRequestError, NotFoundError):
        return False


def _marked(numbers: Iterable[int], classes: Sequence[str], known: _Numbers) -> str:
    """Classes as text in which each one is in quotes or a number."""
    text = ",".join(_mark(number, classes, known) for number in numbers)
    while text in known:
        text += ","  # A class has this whole text as its name, and a comma at the end changes nothing else.
    return text


def _mark(number: int, classes: Sequence[str], known: _Numbers) -> str:
    """One class in quotes, or by its number if others have the same name."""
    if len(known[classes[number]]) == 1:
        return quoted(classes[number])
    digits = str(number)
    while f"#{digits}" in known:
        digits = f"0{digits}"
    return f"#{digits}"


def _only(name: str, known: _Numbers) -> int:
    numbers = known[name]
    if len(numbers) > 1:
        ways = " or ".join(f"'#{number}'" for number in numbers[:4])
        raise InvalidRequestError(f"{len(numbers)} classes are called {name!r}: write the number of one, {ways}.")
    return numbers[0]


def _parse_marked(text: str, known: _Numbers, count: int) -> set[int] | None:
    """The classes of a text in which each one is in quotes or a number; None for any other text."""
    found, at = set[int](), 0
    while at < len(text):
        if empty := _EMPTY.match(text, at):
            at = empty.end()
            continue
        marked, numbered = _QUOTED.match(text, at), _NUMBER.match(text, at)
        token = marked or numbered
        if token is None:
            return None
        name = _unquoted(marked) if marked else f"#{token[1]}"
        if name in known:
            found.add(_only(name, known))
        elif numbered and int(numbered[1]) < count:
            found.add(int(numbered[1]))
        else:
            return None
        at = token.end()
    return found


def _parse_names(text: str, known: _Numbers, classes: Sequence[str]) -> frozenset[int]:
    """The classes of a text whose names may contain commas. Raises as `parse_classes` does.

    `readings` has, for every place where a name can begin, what the text before it can mean.
    """
    end, most_commas = len(text) + 1, max(name.count(",") for name in classes)
    readings: dict[int, set[frozenset[int]]] = {0: {frozenset()}}
    begin = 0
    while begin < end:
        for following, chosen in _first_names(text, begin, known, most_commas) if begin in readings else ():
            so_far = readings.setdefault(following, set())
            so_far |= {before | chosen for before in readings[begin]}
            while len(so_far) > 2:  # Two are enough to know that there are several.
                so_far.pop()
        begin = _next_begin(text, begin)
    if end not in readings:
        raise _unknown(_unread(text, max(readings)), classes)
    if len(readings[end]) > 1:
        raise InvalidRequestError(
            f"{text[:80]!r} can mean different classes: write each name in double quotes, such as "
            f"{_marked(sorted(min(readings[end], key=sorted)), classes, known)[:200]!r}."
        )
    return next(iter(readings[end]))


def _first_names(text: str, begin: int, known: _Numbers, most_commas: int) -> Iterator[tuple[int, frozenset[int]]]:
    """What can stand first in the rest of a text: where the next name begins, and the class (none if it is empty)."""
    if marked := _QUOTED.match(text, begin):
        name = _unquoted(marked)
        if name in known:
            yield marked.end() if text[marked.end() - 1] == "," else len(text) + 1, frozenset({_only(name, known)})
            return
    following = begin
    for _ in range(most_commas + 1):
        following = _next_begin(text, following)
        exact = text[begin : following - 1]
        for name in {exact, exact.strip()} - {""}:
            if name in known:
                yield following, frozenset({_only(name, known)})
        if following > len(text):
            break
    following = _next_begin(text, begin)
    if not text[begin : following - 1].strip():
        yield following, frozenset()
    numbered = _NUMBER.match(text, begin)
    if numbered and f"#{numbered[1]}" not in known and int(numbered[1]) < sum(map(len, known.values())):
        yield following, frozenset({int(numbered[1])})


def _unquoted(marked: re.Match[str]) -> str:
    return marked[1].replace('""', '"')


def _next_begin(text: str, begin: int) -> int:
    """The place after the next comma; one more than the length of the text if there is none."""
    comma = text.find(",", begin)
    return (len(text) if comma < 0 else comma) + 1


def _unread(text: str, begin: int) -> str:
    marked = _QUOTED.match(text, begin)
    return _unquoted(marked) if marked else text[begin : _next_begin(text, begin) - 1].strip()


def _unknown(name: str | int, classes: Sequence[str]) -> NotFoundError:
    """The error about an unknown class, with all names, or of many those that are most alike."""
    shown = name[:80] if isinstance(name, str) else name
    if len(classes) <= MAX_KNOWN:
        return NotFoundError("class", shown, list(classes))
    close = get_close_matches(str(shown), classes, n=5, cutoff=0.5) or list(classes[:5])
    return NotFoundError("class", shown, [*close, f"and {len(classes) - len(close):,} more"])
