"""Download a file within a run: interrupted downloads are resumed, and the checksum is verified."""

import hashlib
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

from unlearn_core.data.sandbox import ProgressCallback
from unlearn_core.domain.errors import InvalidDatasetError

_PIECE = 1 << 18
_PATIENCE = 30.0
_MEGABYTE = 1_000_000


class RemoteFile(NamedTuple):
    """A file of a data set: its URL, its path below a root, and its MD5 sum."""

    url: str
    path: str
    md5: str


def fetch(file: RemoteFile, root: Path, on_progress: ProgressCallback) -> Path:
    """The file below that root, downloaded if it is missing.

    A partial download is resumed. Raises InvalidDatasetError, with what to do instead, if the URL cannot be reached or
    its content is another one.
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
            f"{file.url} could not be downloaded ({reason}). Try again later: the download resumes. "
            f"On a machine without internet, put the file into {target.parent} instead."
        ) from None
    if _md5(begun, on_progress) != file.md5:
        begun.unlink()
        raise InvalidDatasetError(
            f"The file from {file.url} has a wrong checksum. Try again; if it "
            f"happens twice, put the right file into {target.parent}."
        )
    begun.replace(target)
    return target


def _download(url: str, begun: Path, on_progress: ProgressCallback) -> None:
    """Appends what is missing, or starts again if the server cannot resume."""
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
