"""What all visitors share who watch the same: the first who needs it makes it, and the others wait for that."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class DrawnOnce(Generic[T]):
    """The newest values by key. Threads share it."""

    def __init__(self, most: int) -> None:
        self._lock, self._most = threading.Lock(), most
        self._kept: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of that key, made now if nobody has made it yet."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]
