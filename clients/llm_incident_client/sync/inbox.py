"""Work handed from any thread to the event loop's, in order and bounded, with one wake-up for many items."""

import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from llm_incident_client.core import tickets


class Item(NamedTuple):
    """Something to do in the loop's thread, and who is told if it fails or never happens."""

    work: Callable[[], Awaitable[None]]
    waiting: tickets.Waiting


class Inbox:
    """A queue between threads. Whoever puts waits while it is full; whoever takes is woken, and takes all."""

    def __init__(self, wake: Callable[[], None], most: int) -> None:
        """`wake` is called when something is put into an inbox that was empty; `most` bounds what it holds."""
        self._wake = wake
        self._most = most
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._error: BaseException | None = None

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._items)

    def put(self, item: Item, timeout: float | None = None) -> bool:
        """Adds an item; False when there was no room for so many seconds. Raises what `refuse` was given."""
        with self._changed:
            if not self._changed.wait_for(self._is_ready, timeout):
                return False
            if self._error is not None:
                raise self._error
            self._items.append(item)
            first = len(self._items) == 1
        if first:
            self._wake()
        return True

    def take(self) -> list[Item]:
        """All that waits, oldest first."""
        with self._changed:
            items = list(self._items)
            self._items.clear()
            self._changed.notify_all()
        return items

    def refuse(self, error: BaseException) -> None:
        """From now on whoever puts gets this error, also those who wait for room. What is in it can still be taken."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def _is_ready(self) -> bool:
        return self._error is not None or len(self._items) < self._most
