"""Names that others chose, made harmless where they are said, and refused where they would have to be kept."""

import unicodedata

MAX_CLASS_LENGTH, MAX_NAME_LENGTH, MAX_QUOTE_LENGTH = 80, 255, 60

_ACTIVE = frozenset("<>[]`\\|")
"""What could begin a tag, a link or a picture wherever a class is named: on pages, in charts, in exported files."""


def quote(name: str) -> str:
    """A name as a sentence may hold it: at most 60 characters, and what one does not see written as its number."""
    text = escape_control(name)
    return f"“{text}”" if len(text) <= MAX_QUOTE_LENGTH else f"“{text[:MAX_QUOTE_LENGTH]}…”"


def escape_control(text: str) -> str:
    """Words of others on one line, with what one does not see written as its number."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def class_name(name: str) -> str:
    """A folder's name as a class is called, in one Unicode form."""
    return unicodedata.normalize("NFC", name).strip()


def class_name_error(name: str) -> str | None:
    """Why a class cannot be called so, as the end of a sentence; None where it can."""
    if not name or name in (".", ".."):
        return "has no name"
    if len(name) > MAX_CLASS_LENGTH:
        return f"has a name of {len(name):,} letters, and {MAX_CLASS_LENGTH} are allowed: rename the folder"
    if any(unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029" for letter in name):
        return "has invisible characters in its name, which could make it read as another: rename the folder"
    found = sorted(_ACTIVE.intersection(name))
    return f"has {' '.join(found)} in its name, which could act as markup: rename the folder" if found else None


def path_error(name: str) -> str | None:
    """Why an archive's member may not be called so, as the end of a sentence; None where it may."""
    parts = name.split("/")
    if "\0" in name:
        return "has a NUL character in its name, behind which another name can hide"
    if "\\" in name:
        return "has a backslash in its name, which is a folder on some systems and a letter on others"
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
