"""When a worker carries out retention and measures what costs disk: hourly at rest, or after a day without a rest."""

import logging
import threading
import time

from unlearn_core.domain.errors import UnlearnError
from unlearn_core.store.housekeeping import disk_use, retention
from unlearn_core.store.queue.run_store import RunStore

FIRST_SECONDS, EVERY_SECONDS = 5.0, 3600.0
PATIENCE_SECONDS = 86_400.0
"""Seconds that a round waits for the worker to be at rest."""

_logger = logging.getLogger(__name__)


class HousekeepingRounds:
    """The rounds of one worker, each in a thread of its own: a round may delete thousands of files."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._next = time.monotonic() + FIRST_SECONDS
        self._thread: threading.Thread | None = None

    def tick(self, *, at_rest: bool) -> None:
        """Begin a round if it is time for one."""
        late = time.monotonic() - self._next
        if late < 0 or not (at_rest or late > PATIENCE_SECONDS) or (self._thread and self._thread.is_alive()):
            return
        self._next = time.monotonic() + EVERY_SECONDS
        self._thread = threading.Thread(target=self._round, name="housekeeping", daemon=True)
        self._thread.start()

    def _round(self) -> None:
        try:
            retention.carry_out(self._store)
            disk_use.measure(self._store)
        except (UnlearnError, OSError) as problem:  # such as a full disk: the next round tries again
            _logger.error(f"Housekeeping: {problem}")
