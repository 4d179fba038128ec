"""Memory for what is on its way to subscribers. All of them share it: whoever sends much waits until others have sent,
and nobody is taken in for whom there is no room."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from sys import getsizeof
from typing import TypeAlias, TypeVar

from llm_incident_manager.domain.incident import Incident

T = TypeVar("T")
Hold: TypeAlias = Callable[[int], Awaitable[None]]
"""Has room for so many bytes from now on, in place of what was held before."""

KIB = 1024
OWN_BYTES = 64 * KIB
"""What each subscriber may hold at any time of changes that are read for it or being sent to it."""
TRANSPORT_BYTES = 64 * KIB
"""What the doors keep for each subscriber: a connection, and what its window takes and its system does not yet."""
COPIES = 3
"""While a change is being sent there is a message of it, its bytes, and gRPC's own copy of these."""
WAIT_SECONDS = 10.0
"""How long a subscriber waits for room; those that take nothing are cut off meanwhile."""
RECORD_BYTES = 3 * KIB
"""An incident without its texts."""
PAGE = 10
"""Changes that are read for one subscriber at once, if they are small."""
PAGE_BYTES = 32 * KIB


async def unbounded(_: int) -> None:
    """For a caller whose memory nobody counts."""


class Room:
    """So many bytes for all subscribers of the process."""

    def __init__(self, most: int, refuse: Callable[[], Exception], patience: float = WAIT_SECONDS) -> None:
        """`refuse` makes the error when there is none left, or none after `patience` seconds."""
        self._free = most
        self._refuse = refuse
        self._patience = patience
        self._given = asyncio.Event()

    def share(self) -> "Share":
        """A subscriber's part, which has to be closed. Raises the refusal."""
        size = OWN_BYTES + TRANSPORT_BYTES
        if size > self._free:
            raise self._refuse()
        self._free -= size
        return Share(self, size)

    async def take(self, size: int) -> None:
        """Waits for room. Raises the refusal when there is none in time."""
        try:
            async with asyncio.timeout(self._patience):
                while size > self._free:
                    await self._given.wait()
        except TimeoutError as late:
            raise self._refuse() from late
        self._free -= size

    def give(self, size: int) -> None:
        """So much is free again."""
        self._free += size
        self._given.set()
        self._given.clear()


class Share:
    """What one subscriber holds of the room."""

    def __init__(self, room: Room, size: int) -> None:
        """Holds so much until it is closed."""
        self._room = room
        self._size = size
        self._more = 0

    async def hold(self, size: int) -> None:
        """Holds so many bytes of changes in place of those before. Waits for room, and holds nothing meanwhile. Raises
        the refusal."""
        more, held = max(0, size - OWN_BYTES), self._more
        if held:
            self._more = 0
            self._room.give(held)
        if more:
            await self._room.take(more)
            self._more = more

    def close(self) -> None:
        """Nothing of the subscriber is left in memory."""
        size, self._size, self._more = self._size + self._more, 0, 0
        self._room.give(size)


def weight(incident: Incident) -> int:
    """How many bytes an incident takes, about."""
    ended = incident.resolution
    texts = (
        incident.description,
        *incident.labels.keys(),
        *incident.labels.values(),
        *incident.affected_services,
        *incident.assignees,
        *((ended.notes, ended.root_cause) if ended is not None else ()),
    )
    return RECORD_BYTES + sum(map(getsizeof, texts)) + sum(getsizeof(key.value) for key in incident.keys)


def first(weighed: Iterable[tuple[T, int]]) -> tuple[list[T], int]:
    """As many as may be read at once, at least one; and what they take in memory while they are sent one by one."""
    page, sizes, total = list[T](), list[int](), 0
    for each, size in weighed:
        total += size
        if page and (len(page) >= PAGE or total > PAGE_BYTES):
            break
        page.append(each)
        sizes.append(size)
    return page, room_for(sizes)


def room_for(weights: Sequence[int]) -> int:
    """What incidents of these weights take in memory while they are sent one by one."""
    return sum(weights) + COPIES * max(weights, default=0)
