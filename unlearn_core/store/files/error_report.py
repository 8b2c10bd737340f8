"""Bug reports: what is recorded about an error that was not foreseen, in the folder `errors` of the data folder.

A report is one text to send to developers: what happened, versions, settings, traceback, and the end of the worker's
log. It has no images, and neither passwords nor the paths of a person's folders.
"""

import errno
import hashlib
import importlib.metadata
import os
import platform
import re
import shutil
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from unlearn_core.data.atomic_files import atomic_write
from unlearn_core.installation import IMPORT_DIR, VERSION
from unlearn_core.settings import PREFIX, Settings, limit_hint, settings, variable
from unlearn_core.store.files.log_file import LOG_FILE

FOLDER = "errors"
MAX_REPORTS = 100
"""The number of reports that are kept: the newest ones."""

MEMORY_ADVICE = "Reduce the batch size, or close other programs that use this memory; then start the run again."

_LOG_LINES, _LOG_BYTES, _MAX_REQUEST, _MAX_TRACEBACK, _MAX_MESSAGE = 40, 16_000, 4_000, 20_000, 200
_PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "streamlit",
    "numpy",
    "pandas",
    "plotly",
    "pydantic",
    "sqlalchemy",
    "optuna",
)
_NAMED = re.compile(r"\bError id ([0-9a-f]{8})\b")

_KINDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((ImportError,), "a part of the program could not be loaded"),
    ((PermissionError,), "a file or folder may not be used"),
    ((FileNotFoundError,), "a file is missing"),
    ((ConnectionError, TimeoutError), "a connection failed"),
    ((OSError,), "a file or device could not be used"),
    ((UnicodeError,), "a text could not be read or written"),
    ((AssertionError, AttributeError, LookupError, NameError, TypeError, ZeroDivisionError, NotImplementedError),
     "the program, or a plug-in, has a mistake"),
)  # fmt: skip

_SECRETS = (
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.IGNORECASE), r"\1<secret>@"),
    (re.compile(r"((?:token|password|passwd|secret|api_?key)[\"']?\s*[=:]\s*)[\"']?[^\s\"',}]+", re.IGNORECASE),
     r"\1<secret>"),
    (re.compile(r"\b(?:hf_|sk-|ghp_|github_pat_)[A-Za-z0-9_-]{10,}"), "<secret>"),
)  # fmt: skip
_MEMORY_WORDS = ("DefaultCPUAllocator: can't allocate memory", "std::bad_alloc")
_SECRET_VARIABLE = re.compile(r"TOKEN|PASSW|SECRET|KEY|CREDENTIAL|AUTH")
_PEOPLE = re.compile(r"(?:/home|/Users|[A-Za-z]:\\Users)[/\\][^/\\\s'\"]+")


class ErrorReport(NamedTuple):
    """A recorded error: its id, a sentence for people, the text of the report, and its file if it could be written."""

    id: str
    sentence: str
    text: str
    path: Path | None


def foreseen_reason(problem: BaseException, data_dir: Path) -> str | None:
    """Why something failed for want of memory or a disk that takes it, and what to do; None for other errors."""
    if _is_out_of_memory(problem):
        requested = re.search(r"allocate ([\d.]+ ?\w+)", str(problem))
        free = re.search(r"of which ([\d.]+ ?\w+) is free", str(problem))
        needed = (
            f" It needed {requested[1]} more" + (f", but {free[1]} were free." if free else ".") if requested else ""
        )
        allowed = settings().most_run_memory_mb
        limit = f" A run may use {allowed:,} MiB here. {limit_hint('most_run_memory_mb')}" if allowed else ""
        return f"The device ran out of memory.{needed} {MEMORY_ADVICE}{limit}"
    if isinstance(problem, OSError) and problem.errno == errno.EROFS:
        return f"{problem.filename or data_dir} is on a disk that is read-only. Make it writable, then try again."
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(data_dir).free / 1e6
        return f"The disk with {data_dir} is full ({free:,.0f} MB free). Free some space, then start the run again."
    return None


def record(problem: BaseException | str, data_dir: Path, *, task: str, request: str = "") -> ErrorReport:
    """Record an error that was not foreseen, or how a process died; an exception is recorded once.

    `task` says what was being done, and `request` the settings of it. It raises nothing: if the file cannot be written,
    the report has no path.
    """
    known = next((found for note in getattr(problem, "__notes__", ()) if (found := find(data_dir, note))), None)
    if known is not None:
        return known
    what = scrub(problem if isinstance(problem, str) else describe(problem, data_dir=data_dir), data_dir)
    trace = "" if isinstance(problem, str) else "".join(traceback.format_exception(problem))
    # An error that comes back, as on a page that updates itself, has one id and one file.
    number = hashlib.sha256(f"{task}\n{what}\n{trace}".encode("utf-8", "backslashreplace")).hexdigest()[:8]
    text = _text(data_dir, number=number, what=what, task=task, request=request, trace=trace)
    path = data_dir / FOLDER / f"{number}.txt"
    with suppress(OSError):
        if data_dir.is_dir():  # one that was removed stays removed
            atomic_write(path, text.encode())
            _remove_old(path.parent)
    if isinstance(problem, str):
        sentence = f"{what} Error id {number}."
    else:
        sentence = f"An unforeseen error ended this: {what}. Error id {number}."
        problem.add_note(sentence)
    return ErrorReport(number, sentence, text, path if path.exists() else None)


def find(data_dir: Path, sentence: str) -> ErrorReport | None:
    """The report that a sentence names by its error id; None if it names none, or if the report is gone."""
    named = _NAMED.search(sentence)
    if named is None:
        return None
    path = data_dir / FOLDER / f"{named[1]}.txt"
    try:
        return ErrorReport(named[1], sentence, path.read_text(encoding="utf-8", errors="replace"), path)
    except OSError:
        return None


def describe(problem: BaseException, *, with_message: bool = True, data_dir: Path | None = None) -> str:
    """An exception in plain words, with its own type and perhaps message in brackets.

    With `data_dir`, the message is first scrubbed.
    """
    message = ""
    with suppress(Exception):  # an exception of a plug-in may fail here too
        message = " ".join(str(problem).split()) if with_message else ""
        message = message if data_dir is None else scrub(message, data_dir)  # half a password would not be found
        message = message[:_MAX_MESSAGE]
    own = f"{type(problem).__name__}: {message}".rstrip(":. ")
    kind = next((words for types, words in _KINDS if isinstance(problem, types)), "a computation failed")
    return f"{kind} ({own})".encode("utf-8", "backslashreplace").decode()  # such as from odd file names


def scrub(text: str, data_dir: Path) -> str:
    """A text without passwords and without the folders of this machine and of its people."""
    for name, value in os.environ.items():
        if _SECRET_VARIABLE.search(name.upper()) and len(value) >= 6:
            text = text.replace(value, "<secret>")
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    places = {str(data_dir): "<data folder>", str(IMPORT_DIR): "<lab>", sys.prefix: "<python>"}
    with suppress(RuntimeError):  # there is no home
        places.setdefault(str(Path.home()), "~")
    for place in sorted(places, key=len, reverse=True):
        if len(place) > 1:
            text = re.sub(rf"{re.escape(place)}(?![\w-])", places[place], text)
    return _PEOPLE.sub("~", text)


def _text(data_dir: Path, *, number: str, what: str, task: str, request: str, trace: str) -> str:
    own = {name: value for name, value in sorted(os.environ.items()) if name.startswith(PREFIX)}
    hidden = {variable(name) for name, field in Settings.model_fields.items() if not field.repr}
    variables = [f"{name}={'(set)' if name in hidden else value}" for name, value in own.items()]
    sections = {
        "Versions": "\n".join(_versions()),
        "Settings of the lab": "\n".join(variables) or "none",
        "Settings of the request": request[:_MAX_REQUEST] + ("…" if len(request) > _MAX_REQUEST else ""),
        "Traceback": trace[-_MAX_TRACEBACK:],
        f"End of {LOG_FILE}": _end_of_log(data_dir),
    }
    head = f"# Unlearn Lab: bug report {number}\n\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, during: {task}\n\n{what}\n"
    body = "".join(f"\n## {title}\n\n{content.strip()}\n" for title, content in sections.items() if content.strip())
    return scrub(head + body, data_dir).encode("utf-8", "backslashreplace").decode()


def _versions() -> list[str]:
    found = [f"Unlearn Lab {VERSION}", f"Python {platform.python_version()} on {platform.platform()}"]
    for name in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return found


def _end_of_log(data_dir: Path) -> str:
    try:
        with (data_dir / LOG_FILE).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-_LOG_LINES:])
    except OSError:
        return ""


def _remove_old(folder: Path) -> None:
    reports = sorted(folder.glob("*.txt"), key=lambda path: path.stat().st_mtime)
    for path in reports[:-MAX_REPORTS]:
        path.unlink(missing_ok=True)


def _is_out_of_memory(problem: BaseException) -> bool:
    # torch's class is recognised by name, so that this module need not import torch.
    named = type(problem).__name__ == "OutOfMemoryError"
    return named or isinstance(problem, MemoryError) or any(words in str(problem) for words in _MEMORY_WORDS)
