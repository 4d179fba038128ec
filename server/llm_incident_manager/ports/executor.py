"""Where blocking statements run: a thread of their own, or inline when time is virtual."""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Executor(Protocol):
    """Runs functions one after the other, in the order they were given."""

    async def run(self, function: Callable[[], T]) -> T:
        """Runs the function and returns its value or raises its exception. Cancelling the caller does not stop it."""
        ...

    def close(self) -> None:
        """Ends the thread after what was given so far; blocks until it has."""
        ...
