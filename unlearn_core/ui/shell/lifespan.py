"""What the web server does once per process.

It marks the data folder as in use, starts a worker, lets ended visits close their files, and imports torch early.
"""

import asyncio
import gc
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from unlearn_core.domain.errors import StoreError, UnlearnError
from unlearn_core.installation import IMPORT_DIR
from unlearn_core.settings import settings
from unlearn_core.store import maintenance
from unlearn_core.store.data_folder import is_writable, open_data_dir
from unlearn_core.store.files.log_file import logging_to, rotated_log_path
from unlearn_core.store.queue import processes
from unlearn_core.ui.server import own_files
from unlearn_core.ui.shell import cache

_logger = logging.getLogger(__name__)
_warm = threading.Event()

CHECK_INTERVAL = 2.0
"""Seconds between two checks for a worker, however many pages are open."""

RETRY = 60.0
"""Seconds that a worker may take to start, and until one that ended by itself is replaced."""

CLOSE_SECONDS = 0.5
"""Seconds between two looks whether the script of an ended visit has stopped."""


class _Watch:
    """The worker that this server started last."""

    def __init__(self) -> None:
        self.lock, self.next = threading.Lock(), 0.0
        self.worker: subprocess.Popen | None = None
        self.started = 0.0


_watch = _Watch()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Mark the data folder while the server runs, so that its worker does not stop, and start that worker."""
    if Runtime.exists():
        keep_ended_visits(Runtime.instance())
        own_files.record_readers(Runtime.instance().media_file_mgr)
    with ExitStack() as until_end:
        try:
            until_end.enter_context(logging_to(logging.StreamHandler()))
            until_end.callback(_mark().unlink, missing_ok=True)
            start_worker()
        except UnlearnError as problem:
            _logger.error(problem)  # Every page shows it too, so the server keeps running.
        yield


def _mark() -> Path:
    folder = open_data_dir()
    try:
        return processes.mark(folder)
    except OSError as problem:
        raise StoreError(
            f"The data folder {folder} cannot be written to ({problem.strerror}). Give this user write permission."
        ) from None


def ensure_worker() -> None:
    """Start a worker if none is running or starting. It is cheap: pages call it on every rerun."""
    if not _watch.lock.acquire(blocking=False):
        return  # Another page is checking.
    try:
        if time.monotonic() >= _watch.next:
            _watch.next = time.monotonic() + CHECK_INTERVAL
            if is_coming() and not _is_starting() and not cache.store().workers():
                start_worker()
    finally:
        _watch.lock.release()


def is_allowed() -> bool:
    """Whether this server may start workers; not during maintenance, or where one could not write its log."""
    folder = open_data_dir()
    return settings().worker != "none" and is_writable(folder) and not maintenance.is_on(folder)


def is_coming() -> bool:
    """Whether a worker is starting, or will be at the next check; not if the last one hangs or has failed."""
    if not is_allowed() or _watch.worker is None:
        return is_allowed()
    late = time.monotonic() >= _watch.started + RETRY
    code = _watch.worker.poll()
    return not late if code is None else late or code < 0


def _is_starting() -> bool:
    return _watch.worker is not None and _watch.worker.poll() is None


def start_worker() -> None:
    """Start a local worker, which checks itself whether it is needed; do nothing if `UNLEARN_WORKER` is none."""
    if not is_allowed():
        return
    path = [str(IMPORT_DIR), os.environ.get("PYTHONPATH")]  # The server may have been started in any folder.
    # With a pipe of ours, the worker would keep the process waiting that reads the server's output.
    with rotated_log_path(open_data_dir()).open("ab") as log:
        _watch.worker = subprocess.Popen(
            [sys.executable, "-m", "unlearn_core", "worker", "--device", "auto", "--from-app"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        _watch.started = time.monotonic()


class EndedVisits(MemorySessionStorage):
    """The visits that may come back, as Streamlit keeps them, but without their open files.

    Each holds three for the event loop of its script, and Streamlit keeps 128 ended visits: more files than some
    systems allow. Nothing of ours runs in that loop, so it is closed, and a visit that comes back gets a new one.
    """

    def save(self, session_info: SessionInfo) -> None:
        super().save(session_info)
        self._close_files(session_info.session)

    def get(self, session_id: str) -> SessionInfo | None:
        found = super().get(session_id)
        if found is not None and found.session._script_event_loop.is_closed():
            found.session._script_event_loop = asyncio.new_event_loop()
        return found

    def _close_files(self, visit: AppSession) -> None:
        if super().get(visit.id) is None:
            return  # It came back.
        if visit._scriptrunner is None:
            visit._script_event_loop.close()
        else:  # Its script has been told to stop, but still needs the loop.
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._close_files, visit)


def keep_ended_visits(runtime: Runtime) -> None:
    """Let this server keep its ended visits as `EndedVisits`; Streamlit has no setting for it."""
    sessions = runtime._session_mgr
    assert isinstance(sessions, WebsocketSessionManager)
    sessions._session_storage = EndedVisits(ttl_seconds=st.get_option("server.disconnectedSessionTTL"))


def warm_up() -> None:
    """Import torch in the background, once: after the first page has been sent, before a page that needs it."""
    if _warm.is_set() or settings().warmup == "none":
        return
    _warm.set()
    threading.Thread(target=_import, name="warm-up", daemon=True).start()


def _import() -> None:
    try:
        from unlearn_core import methods
        from unlearn_core.models import classifiers

        classifiers.cards()
        methods.methods()
        # Imported modules stay, so later collections can skip them: each would delay a click by 0.3 s.
        gc.collect()
        gc.freeze()
    except Exception:
        _logger.exception("The warm-up failed.")
