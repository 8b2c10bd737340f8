"""The registry of data set sources: each file here has a docstring, `read(options, context)` and SOURCE.

None of them imports torch when it is loaded.
"""

from pathlib import Path

from unlearn_core.data.ingest.source import Source
from unlearn_core.plugins import cards, lookup
from unlearn_core.settings import settings


def sources() -> dict[str, Source]:
    """All sources by id: uploads first, then folders, then well-known data sets."""
    found = cards("data.sources", "SOURCE")
    order = {"upload": 0, "root": 1, "download": 2, "library": 3}
    return {one.id: one for one in sorted(found, key=lambda one: (order[one.needs], one.title))}


def source(name: str) -> Source:
    """One source; raises NotFoundError."""
    return lookup("source of images", sources(), name)


def data_root() -> Path | None:
    """The one folder on the server from which data sets may be read, if the operator has set it."""
    root = settings().data_root
    return root and root.expanduser().resolve()
