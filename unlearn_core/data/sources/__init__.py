"""The registry of data set sources: each file here has a docstring, `read(options, context)` and SOURCE.

None of them imports torch when it is loaded.
"""

import os
from pathlib import Path

from unlearn_core.data.ingest.source import Source
from unlearn_core.plugins import cards, lookup

DATA_ROOT_VARIABLE = "UNLEARN_DATA_ROOT"
"""The variable that sets the one folder on the server from which data sets may be read."""


def sources() -> dict[str, Source]:
    """All sources by id: uploads first, then folders, then well-known data sets."""
    found = cards("data.sources", "SOURCE")
    order = {"upload": 0, "root": 1, "download": 2, "library": 3}
    return {one.id: one for one in sorted(found, key=lambda one: (order[one.needs], one.title))}


def source(name: str) -> Source:
    """One source; raises NotFoundError."""
    return lookup("source of images", sources(), name)


def data_root() -> Path | None:
    """The folder that the operator has set, if any."""
    value = os.environ.get(DATA_ROOT_VARIABLE, "").strip()
    return Path(value).expanduser().resolve() if value else None
