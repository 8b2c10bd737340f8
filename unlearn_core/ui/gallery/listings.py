"""The lists of images that galleries show, and their files: numbers, sprite sheets and texts, served by their hash.

A page registers a list with each run. The browser fetches only the files that are in sight, and keeps them. The name
of a list is a hash of its content with a secret of this process, so nobody can guess one.
"""

import hashlib
import hmac
import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.ui.gallery import sprite_sheets
from unlearn_core.ui.server import own_files
from unlearn_core.ui.server.urls import base_path
from unlearn_core.ui.shell import cache

MAX_LISTINGS = 256
"""The most lists that a server knows; those that no page registered for longest are forgotten first."""
MAX_CACHED = 128
"""The most sheets in memory, about 100 kB each."""
CACHE_CONTROL = "private, max-age=31536000, immutable"
"""Browsers keep the files; `private` keeps those of a visitor's own data out of shared caches."""


class Description(NamedTuple):
    """What is said of an image: lines below it, and a text for screen readers and the tooltip."""

    lines: tuple[str, ...]
    label: str


def describe(*lines: str, details: str) -> Description:
    """Return the texts of an image: its label begins with what is visible, as voice control needs it."""
    return Description(lines, f"{' '.join(filter(None, lines))}, {details}")


class Listing(NamedTuple):
    """Images of a data set in the order in which they are shown.

    `describe` gives the texts of some of the images (n,), and `version` all that these texts depend on.
    """

    dataset: str
    images: np.ndarray
    describe: Callable[[np.ndarray], list[Description]]
    version: str
    lines: int = 2
    """How many lines each image has below it."""


_SECRET = secrets.token_bytes(32)
_listings: OrderedDict[str, Listing] = OrderedDict()
_lock = threading.Lock()


def register(listing: Listing) -> str:
    """Make a list available, and return the URL of its files."""
    images = np.ascontiguousarray(listing.images, dtype="<u4")
    content = hashlib.sha256(images.tobytes())
    content.update(repr((listing.dataset, cache.dataset_fingerprint(listing.dataset), listing.version)).encode())
    name = hmac.new(_SECRET, content.digest(), "sha256").hexdigest()[:32]
    with _lock:
        _listings[name] = listing._replace(images=images)
        _listings.move_to_end(name)
        while len(_listings) > MAX_LISTINGS:
            _listings.popitem(last=False)
    own_files.record_reader(name)
    return f"{base_path()}/gallery/{name}"


def routes() -> list[Route]:
    """The routes of the files of all lists, below the path of the app."""
    return [Route(f"{base_path()}/gallery/{{name}}/{{file}}", _serve, methods=["GET"])]


def _serve(request: Request) -> Response:
    """Answer with a file of a list; Starlette calls this in a thread of its own."""
    with _lock:
        listing = _listings.get(request.path_params["name"])
    if listing is None or not own_files.may_read(request.path_params["name"], request.cookies):
        return PlainTextResponse("No page shows this list any more. Reload the page.", 404)
    try:
        found = _file(listing, request.path_params["name"], request.path_params["file"])
    except UnlearnError as problem:
        return PlainTextResponse(str(problem), 404)
    if found is None:
        return PlainTextResponse("This list has no such file.", 404)
    file, media_type = found
    return Response(file, media_type=media_type, headers={"cache-control": CACHE_CONTROL})


def _file(listing: Listing, name: str, file: str) -> tuple[bytes, str] | None:
    """A file of a list with its type: "images" has the numbers, "3.json" and "3.sheet" belong to the fourth sheet."""
    if file == "images":
        return listing.images.tobytes(), "application/octet-stream"
    number, _, kind = file.partition(".")
    sheets = -(-len(listing.images) // sprite_sheets.PER_SHEET)
    if not (number.isascii() and number.isdecimal() and len(number) < 10 and int(number) < sheets):
        return None
    start = int(number) * sprite_sheets.PER_SHEET
    rows = listing.images[start : start + sprite_sheets.PER_SHEET].astype(int)
    if kind == "json":
        return json.dumps(listing.describe(rows)).encode(), "application/json"
    return _sheet(name, int(number)) if kind == "sheet" else None


@lru_cache(maxsize=MAX_CACHED)
def _sheet(name: str, number: int) -> sprite_sheets.SpriteSheet | None:
    listing = _listings.get(name)
    if listing is None:
        return None
    start = number * sprite_sheets.PER_SHEET
    rows = listing.images[start : start + sprite_sheets.PER_SHEET].astype(int)
    return sprite_sheets.image_sheet(cache.image_dataset(listing.dataset), rows)
