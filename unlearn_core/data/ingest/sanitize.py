"""Sanitise untrusted names: escape them in messages, and refuse unsafe ones for classes and files."""

import unicodedata

MAX_CLASS_LENGTH, MAX_NAME_LENGTH, MAX_QUOTE_LENGTH, MAX_FOLDERS = 80, 255, 60, 33

_ACTIVE = frozenset("<>[]`\\|")
"""Characters that could begin a tag, a link or an image where a class is shown: pages, charts, exported files."""
_BREAKS = "\u2028\u2029"
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_VIRAMA = 9
"""The combining class of the sign that removes a vowel in Indic scripts."""
_CURSIVE = frozenset({"ARABIC", "SYRIAC", "MONGOLIAN", "MANDAIC", "NKO", "ADLAM"})
"""Scripts whose letters join, as the first word of their names."""


def quote(name: str) -> str:
    """A name in quotation marks: at most 60 characters, with invisible ones written as their code point."""
    text = escape_control(name[: MAX_QUOTE_LENGTH + 1])
    return f"“{text}”" if len(text) <= MAX_QUOTE_LENGTH else f"“{text[:MAX_QUOTE_LENGTH]}…”"


def escape_control(text: str) -> str:
    """Untrusted text on one line, with invisible characters written as their code point."""
    return "".join(
        letter if letter.isprintable() or _joins(text, place) else f"\\u{ord(letter):04x}"
        for place, letter in enumerate(text)
    )


def without_joiners(name: str) -> str:
    """A name without the characters that only say how its letters join: two names must not differ by them alone."""
    return name.replace(_ZWNJ, "").replace(_ZWJ, "")


def _joins(text: str, place: int) -> bool:
    """Whether the character there is a joiner that its neighbours need.

    A joiner or non-joiner after a virama, a non-joiner between two letters of one cursive script, and a joiner between
    two emojis (after the Unicode rules for identifiers, UAX 31, and for emojis, UTS 51).
    """
    if text[place] not in (_ZWNJ, _ZWJ) or not place:
        return False
    if unicodedata.combining(text[place - 1]) == _VIRAMA:
        return True
    before = next((one for one in reversed(text[:place]) if unicodedata.category(one) not in ("Mn", "Sk")), "")
    after = text[place + 1 : place + 2]
    if text[place] == _ZWJ:
        return all(one and unicodedata.category(one) == "So" for one in (before, after))
    scripts = {unicodedata.name(one, "").split(" ")[0] for one in (before, after) if one}
    return before.isalpha() and after.isalpha() and len(scripts) == 1 and scripts <= _CURSIVE


def class_name(name: str) -> str:
    """The name of a class from its folder, in one Unicode form."""
    return unicodedata.normalize("NFC", name).strip()


def class_name_error(name: str) -> str | None:
    """Why a name is not allowed for a class, as the end of a sentence; None if it is."""
    if not name or name in (".", ".."):
        return "has no name"
    if len(name) > MAX_CLASS_LENGTH:
        return f"has a name of {len(name):,} letters, and {MAX_CLASS_LENGTH} are allowed: rename the folder"
    unseen = (place for place, letter in enumerate(name) if unicodedata.category(letter)[0] == "C" or letter in _BREAKS)
    if not all(_joins(name, place) for place in unseen):
        return "has invisible characters in its name, which could make it look like another: rename the folder"
    found = sorted(_ACTIVE.intersection(name))
    return f"has {' '.join(found)} in its name, which could act as markup: rename the folder" if found else None


def path_error(name: str) -> str | None:
    """Why a path is not allowed in an archive, as the end of a sentence; None if it is."""
    parts = name.split("/")
    if "\0" in name:
        return "has a NUL character in its name, behind which another name can hide"
    if "\\" in name:
        return "has a backslash in its name, which separates folders on some systems only"
    if name.startswith("/"):
        return "has an absolute path"
    if len(name) > 1 and name[1] == ":" and name[0].isalpha():
        return "has a drive letter in its path"
    if ".." in parts or "." in parts[:-1]:
        return "has a path that leads out of its folder"
    if "" in parts[:-1]:
        return "has an empty folder name in its path"
    if len(parts) > MAX_FOLDERS:
        return f"lies in {len(parts) - 1:,} folders, and {MAX_FOLDERS - 1} are allowed"
    if max(map(len, parts)) > MAX_NAME_LENGTH:
        return f"has a name of {max(map(len, parts)):,} letters, and {MAX_NAME_LENGTH} are allowed"
    return None
