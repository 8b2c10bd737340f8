"""Find files of published weights on this machine, or download them, or say where to put them."""

import hashlib
import os
import re
import shutil
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from unlearn_core.domain.errors import CorruptAssetError, FileUnavailableError

TIMEOUT = 30.0
"""Seconds without a response after which a download fails."""
_HASH = re.compile(r"-([a-f0-9]{8,})\.")
"""The beginning of a file's sha256 in its name, as torchvision and timm write it."""


def cache_dir() -> Path:
    """The folder of torch for downloaded weights, and for files put there by hand: below TORCH_HOME."""
    caches = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{caches}/torch")).expanduser() / "hub" / "checkpoints"


def from_url(url: str, *, title: str, megabytes: float) -> Path:
    """The file that torchvision or timm publishes at a URL, verified by the checksum in its name.

    `title` says whose weights these are, for the error. Raises FileUnavailableError if it can neither be found nor
    downloaded, and CorruptAssetError if the file is damaged.
    """
    name = Path(urlsplit(url).path).name
    path, beginning = cache_dir() / name, _HASH.search(name)
    expected = beginning.group(1) if beginning else ""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _download(url, path, expected)
        except (OSError, HTTPException) as problem:
            raise _unavailable(title, megabytes, problem, url=url, path=path) from None
    elif not _sha256(path).startswith(expected):
        raise CorruptAssetError(
            f"{path} is damaged: its checksum differs from the one in its name. Remove it and get {url} again."
        )
    return path


def from_hub(repository: str, file: str, *, title: str, megabytes: float, manual_path: Path) -> Path:
    """A file of a Hugging Face repository: put there by hand, in that library's cache, or downloaded into it.

    Raises FileUnavailableError if it can neither be found nor downloaded.
    """
    if manual_path.exists():
        return manual_path
    import huggingface_hub as hub

    cached = hub.try_to_load_from_cache(repository, file)
    if isinstance(cached, str):
        return Path(cached)
    address = f"https://huggingface.co/{repository}/resolve/main/{file}"
    try:
        return Path(hub.hf_hub_download(repository, file))
    except (OSError, ValueError, RuntimeError, hub.errors.EntryNotFoundError, hub.errors.HTTPError) as problem:
        cache = f" A copy in that library's cache, {hub.constants.HF_HUB_CACHE} (HF_HOME), works as well."
        raise _unavailable(title, megabytes, problem, url=address, path=manual_path, more=cache) from None


def _download(url: str, path: Path, expected: str) -> None:
    """Downloads a file atomically. Raises OSError or HTTPException."""
    with tempfile.TemporaryDirectory(dir=path.parent) as aside:
        begun = Path(aside) / path.name
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response, begun.open("wb") as file:
            shutil.copyfileobj(response, file)
        if not _sha256(begun).startswith(expected):
            raise OSError("its checksum differs from the one in the file's name")
        begun.replace(path)


def _unavailable(
    title: str, megabytes: float, problem: Exception, *, url: str, path: Path, more: str = ""
) -> FileUnavailableError:
    size = f"about {megabytes:,.0f} MB" if megabytes >= 1 else "less than 1 MB"
    reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]
    return FileUnavailableError(
        f"The weights of {title} are not on this machine and could not be downloaded ({reason}). Get {url} ({size}) "
        f"elsewhere and put it here as {path}; TORCH_HOME moves that folder.{more}"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
