"""Sanitise untrusted names: escape them in messages, and refuse unsafe ones for classes and files."""

import unicodedata

MAX_CLASS_LENGTH, MAX_NAME_LENGTH, MAX_QUOTE_LENGTH = 80, 255, 60

_ACTIVE = frozenset("<>[]`\\|")
"""Characters that could begin a tag, a link or an image where a class is shown: pages, charts, exported files."""


def quote(name: str) -> str:
    """A name in quotation marks: at most 60 characters, with invisible ones written as their code point."""
    text = escape_control(name)
    return f"“{text}”" if len(text) <= MAX_QUOTE_LENGTH else f"“{text[:MAX_QUOTE_LENGTH]}…”"


def escape_control(text: str) -> str:
    """Untrusted text on one line, with invisible characters written as their code point."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def class_name(name: str) -> str:
    """The name of a class from its folder, in one Unicode form."""
    return unicodedata.normalize("NFC", name).strip()


def class_name_error(name: str) -> str | None:
    """Why a name is not allowed for a class, as the end of a sentence; None if it is."""
    if not name or name in (".", ".."):
        return "has no name"
    if len(name) > MAX_CLASS_LENGTH:
        return f"has a name of {len(name):,} letters, and {MAX_CLASS_LENGTH} are allowed: rename the folder"
    if any(unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029" for letter in name):
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
    if max(map(len, parts)) > MAX_NAME_LENGTH:
        return f"has a name of {max(map(len, parts)):,} letters, and {MAX_NAME_LENGTH} are allowed"
    return None
