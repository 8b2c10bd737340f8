"""A file from the internet: resumed where it was broken off, checked when it is whole, and only ever in a run."""

import hashlib
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

from unlearn_core.data.ingest.decode_batch import ProgressCallback
from unlearn_core.domain.errors import InvalidDatasetError

_PIECE = 1 << 18
_PATIENCE = 30.0
_MEGABYTE = 1_000_000


class RemoteFile(NamedTuple):
    """A file that a data set is made of: where it is had, where it belongs below a root, and its MD5 sum."""

    url: str
    path: str
    md5: str


def fetch(file: RemoteFile, root: Path, on_progress: ProgressCallback) -> Path:
    """The file below that root, downloaded where it is not there yet.

    What a former call has left is gone on with. Raises BadPictures, with what to do instead, where the address cannot
    be reached or sends something else.
    """
    target = root / file.path
    if target.is_file() and _md5(target, on_progress) == file.md5:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    begun = target.with_name(f"{target.name}.part")
    try:
        _download(file.url, begun, on_progress)
    except (urllib.error.URLError, HTTPException, OSError) as problem:
        reason = getattr(problem, "reason", None) or problem
        raise InvalidDatasetError(
            f"{file.url} was to be downloaded, and that did not work ({reason}). Try again later: it goes on from "
            f"there. On a machine without internet, put the file into {target.parent} instead."
        ) from None
    if _md5(begun, on_progress) != file.md5:
        begun.unlink()
        raise InvalidDatasetError(
            f"What {file.url} sent is not the file that it should be: its checksum is another. Try again; if it "
            f"happens twice, put the right file into {target.parent}."
        )
    begun.replace(target)
    return target


def _download(url: str, begun: Path, on_progress: ProgressCallback) -> None:
    """Adds to the file what is missing; from the beginning where the server cannot go on."""
    have = begun.stat().st_size if begun.exists() else 0
    asked = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(asked, timeout=_PATIENCE)
    except urllib.error.HTTPError as problem:
        if problem.code == 416:  # There is no more to send.
            return
        raise
    with answer:
        goes_on = answer.status == 206
        have = have if goes_on else 0
        whole = have + int(answer.headers.get("Content-Length") or 0)
        with begun.open("ab" if goes_on else "wb") as file:
            while piece := answer.read(_PIECE):
                file.write(piece)
                have += len(piece)
                on_progress("download", have // _MEGABYTE, max(whole, have) // _MEGABYTE)
    if have < whole:
        raise OSError("the connection ended early")


def _md5(file: Path, on_progress: ProgressCallback) -> str:
    digest, size, done = hashlib.md5(usedforsecurity=False), file.stat().st_size, 0
    with file.open("rb") as opened:
        while piece := opened.read(4 * _PIECE):
            digest.update(piece)
            done += len(piece)
            on_progress("check", done // _MEGABYTE, size // _MEGABYTE)
    return digest.hexdigest()
