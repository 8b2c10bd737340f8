"""The shelf of sources: each file has a docstring, `read(answers, place)` and SOURCE. None imports torch by itself."""

import os
from pathlib import Path

from unlearn_core.data.ingest.source import Source
from unlearn_core.plugins import cards, lookup

DATA_ROOT_VARIABLE = "UNLEARN_DATA_ROOT"
"""Names the one folder on the server from which data sets may be read."""


def sources() -> dict[str, Source]:
    """Every kind of source by its id: uploads first, then folders, then sets that have a name."""
    found = cards("data.sources", "SOURCE")
    order = {"upload": 0, "root": 1, "download": 2, "library": 3}
    return {one.id: one for one in sorted(found, key=lambda one: (order[one.needs], one.title))}


def source(name: str) -> Source:
    """One kind of source; raises UnknownName."""
    return lookup("source of pictures", sources(), name)


def data_root() -> Path | None:
    """The operator's root, where one is set."""
    said = os.environ.get(DATA_ROOT_VARIABLE, "").strip()
    return Path(said).expanduser().resolve() if said else None
