"""Tells the other processes of a deployment that there is news, so that they need not wait for their next look.

A hint says only where to look. It may come late, twice, or never: whoever waits for one looks by itself, too.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

FEED = "feed"
ACCESS = "access"
AGENTS = "agents"
SESSIONS = "sessions"
"""News of the change feed, of who is let in, of what Edge-Agents are to be told, and of whose sessions processes have.
News of work is told by its topic."""

Heard = Callable[[str], None]


class Hints(Protocol):
    """A way between processes."""

    def tell(self, names: Iterable[str]) -> None:
        """Lets the others know, soon, and several at once. Never waits and never fails."""
        ...

    async def run(self, heard: Heard) -> None:
        """Passes on what the others tell, until cancelled. What breaks is mended meanwhile."""
        ...


class Nobody:
    """There are no other processes. Implements Hints."""

    def tell(self, names: Iterable[str]) -> None:
        """Nobody hears it."""

    async def run(self, heard: Heard) -> None:
        """Ends at once."""
