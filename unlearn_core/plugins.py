"""Discovery of plug-ins: each module in a plug-in folder is one entry and needs no registration."""

import importlib
import importlib.util
import pkgutil
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from unlearn_core.domain.errors import NotFoundError, PluginError
from unlearn_core.settings import settings

ENTRY_POINT_GROUP = "unlearn_lab.plugins"
"""The group of entry points by which an installed distribution adds such a package: `anything = "mine"`."""
_added: list[str] = []


def plugin_packages() -> list[str]:
    """The names of the plug-in packages: of installed distributions, of the setting, and those added here."""
    return list(dict.fromkeys([*_installed_packages(), *settings().plugins, *_added]))


def package_folders() -> dict[str, list[Path]]:
    """The folders of each plug-in package; none of one that is missing."""
    found = {name: importlib.util.find_spec(name) if _exists(name) else None for name in plugin_packages()}
    return {
        name: [Path(folder) for folder in (spec.submodule_search_locations or () if spec else ())]
        for name, spec in found.items()
    }


def add_package(name: str) -> None:
    """Add a plug-in package in this process only, unless it is there already."""
    if name not in plugin_packages():
        _added.append(name)
        discover.cache_clear()


@cache
def _installed_packages() -> tuple[str, ...]:
    return tuple(sorted(point.value for point in metadata.entry_points(group=ENTRY_POINT_GROUP)))


@cache
def discover(folder: str) -> dict[str, Any]:
    """The modules of a plug-in folder such as "data.datasets", by file name, in alphabetical order.

    Subfolders hold code that the modules share and are not entries. Raises PluginError if a package is missing.
    """
    found = {}
    for root in ("unlearn_core", *(name for name in plugin_packages() if _has(name, folder))):
        package = importlib.import_module(f"{root}.{folder}")
        for entry in pkgutil.iter_modules(package.__path__):
            if not entry.ispkg:
                found[entry.name] = importlib.import_module(f"{package.__name__}.{entry.name}")
    return dict(sorted(found.items()))


def cards(folder: str, name: str) -> list[Any]:
    """The card, such as CHART, of every module of a plug-in folder. Raises PluginError if a module has none."""
    found = []
    for module in discover(folder).values():
        if not hasattr(module, name):
            raise PluginError(
                f"{module.__name__} is in a plug-in folder but does not define {name}. Define it, or move the file."
            )
        found.append(getattr(module, name))
    return found


def _has(root: str, folder: str) -> bool:
    """Whether a plug-in package has that folder. Raises PluginError if there is no such package."""
    if not _exists(root):
        raise PluginError(
            f"There is no plug-in package {root}. Install it, or correct UNLEARN_PLUGINS "
            f"(or the entry point {ENTRY_POINT_GROUP} that names it)."
        )
    return _exists(f"{root}.{folder}")


def _exists(name: str) -> bool:
    """Whether there is such a package; level by level, because a search for a child imports its parent."""
    names = name.split(".")
    return all(importlib.util.find_spec(".".join(names[: depth + 1])) for depth in range(len(names)))


def lookup(what: str, entries: dict[str, Any], name: str) -> Any:
    """One entry by its id. Raises NotFoundError, which lists the known ids."""
    if name not in entries:
        raise NotFoundError(what, name, list(entries))
    return entries[name]
