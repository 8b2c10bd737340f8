"""Names that others chose, made harmless where they are said, and refused where they would have to be kept."""

import unicodedata

LONGEST_CLASS, LONGEST_NAME, LONGEST_SAID = 80, 255, 60

_ACTIVE = frozenset("<>[]`\\|")
"""What could begin a tag, a link or a picture wherever a class is named: on pages, in charts, in exported files."""


def said(name: str) -> str:
    """A name as a sentence may hold it: at most 60 characters, and what one does not see written as its number."""
    text = plain(name)
    return f"“{text}”" if len(text) <= LONGEST_SAID else f"“{text[:LONGEST_SAID]}…”"


def plain(text: str) -> str:
    """Words of others on one line, with what one does not see written as its number."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def class_name(name: str) -> str:
    """A folder's name as a class is called, in one Unicode form."""
    return unicodedata.normalize("NFC", name).strip()


def why_no_class(name: str) -> str | None:
    """Why a class cannot be called so, as the end of a sentence; None where it can."""
    if not name or name in (".", ".."):
        return "has no name"
    if len(name) > LONGEST_CLASS:
        return f"has a name of {len(name):,} letters, and {LONGEST_CLASS} are allowed: rename the folder"
    if any(unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029" for letter in name):
        return "has invisible characters in its name, which could make it read as another: rename the folder"
    found = sorted(_ACTIVE.intersection(name))
    return f"has {' '.join(found)} in its name, which could act as markup: rename the folder" if found else None


def why_no_path(name: str) -> str | None:
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
    if max(map(len, parts)) > LONGEST_NAME:
        return f"has a name of {max(map(len, parts)):,} letters, and {LONGEST_NAME} are allowed"
    return None
