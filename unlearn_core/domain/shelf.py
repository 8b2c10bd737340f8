"""Shelves: a folder of modules in which every file is one entry, found by being there."""

import importlib
import os
import pkgutil
from functools import cache
from typing import Any

from unlearn_core.domain.errors import UnknownName

PLUGINS = "UNLEARN_PLUGINS"
"""Packages with further entries, comma-separated; each mirrors this project's folders, e.g. `mine.methods`."""


@cache
def modules(shelf: str) -> dict[str, Any]:
    """The modules of a shelf such as "catalog.datasets", by file name, in alphabetical order."""
    plugins = [name.strip() for name in os.environ.get(PLUGINS, "").split(",") if name.strip()]
    found = {}
    for root in ("unlearn_core", *plugins):
        try:
            package = importlib.import_module(f"{root}.{shelf}")
        except ModuleNotFoundError:
            if root == "unlearn_core" or root not in plugins:
                raise
            continue
        for entry in pkgutil.iter_modules(package.__path__):
            found[entry.name] = importlib.import_module(f"{package.__name__}.{entry.name}")
    return dict(sorted(found.items()))


def entry(what: str, entries: dict[str, Any], name: str) -> Any:
    """One entry by its id. Raises UnknownName, which lists what there is."""
    if name not in entries:
        raise UnknownName(what, name, list(entries))
    return entries[name]
