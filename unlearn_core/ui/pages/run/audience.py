"""How often the live view of each visitor is updated: the more watch runs on this server, the less often."""

import threading
import time
import uuid

import streamlit as st

SHORTEST, LONGEST = 0.5, 2.0
"""Seconds between two updates, for a single visitor and for many."""

UPDATES_PER_SECOND = 15
"""Updates of all visitors together, between the two: these cost about a fifth of a core."""

GONE = 3 * LONGEST
"""Seconds after which a visitor who asks for no update has left."""

TOLERANCE = 1.5
"""A visitor whose interval is wrong by less than this factor keeps it: to change it redraws the page."""

CHANGE_SECONDS = 0.1
"""Least seconds between two such changes, so that the visitors of a class that arrives are not all redrawn at once."""


class Audience:
    """The visitors who watch runs in progress. Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}
        self._changed = 0.0

    def interval(self, visitor: str) -> float:
        """Note that this visitor watches now, and return the seconds until the next update should come."""
        now = time.monotonic()
        with self._lock:
            self._seen[visitor] = now
            self._seen = {name: seen for name, seen in self._seen.items() if now - seen < GONE}
            return min(max(len(self._seen) / UPDATES_PER_SECOND, SHORTEST), LONGEST)

    def should_change(self, current: float, visitor: str) -> bool:
        """Note that this visitor watches now, and return whether to give a new interval instead of the current one."""
        wanted = self.interval(visitor)
        if 1 / TOLERANCE < wanted / current < TOLERANCE:
            return False
        now = time.monotonic()
        with self._lock:
            if now - self._changed < CHANGE_SECONDS:
                return False
            self._changed = now
            return True


AUDIENCE = Audience()
"""That of this server."""


def visitor() -> str:
    """The name of this visit."""
    return st.session_state.setdefault("visitor", uuid.uuid4().hex)
