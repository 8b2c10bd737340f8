"""Shelves: a folder of modules in which every file is one entry, found by being there."""

import importlib
import importlib.util
import os
import pkgutil
from functools import cache
from typing import Any

from unlearn_core.domain.errors import UnknownName

PLUGINS = "UNLEARN_PLUGINS"
"""Packages with further entries, comma-separated; each mirrors this project's folders, e.g. `mine.methods`."""


def plugins() -> list[str]:
    """The names of the plug-in packages."""
    return [name.strip() for name in os.environ.get(PLUGINS, "").split(",") if name.strip()]


@cache
def modules(shelf: str) -> dict[str, Any]:
    """The modules of a shelf such as "catalog.datasets", by file name, in alphabetical order."""
    found = {}
    for root in ("unlearn_core", *plugins()):
        if root != "unlearn_core" and not _has(root, shelf):
            continue  # A plug-in need not have every shelf.
        package = importlib.import_module(f"{root}.{shelf}")
        for entry in pkgutil.iter_modules(package.__path__):
            found[entry.name] = importlib.import_module(f"{package.__name__}.{entry.name}")
    return dict(sorted(found.items()))


def _has(root: str, shelf: str) -> bool:
    """Whether a package has that shelf; asked level by level, since looking for a child imports its parent."""
    names = [root, *shelf.split(".")]
    return all(importlib.util.find_spec(".".join(names[: depth + 1])) for depth in range(1, len(names)))


def entry(what: str, entries: dict[str, Any], name: str) -> Any:
    """One entry by its id. Raises UnknownName, which lists what there is."""
    if name not in entries:
        raise UnknownName(what, name, list(entries))
    return entries[name]
