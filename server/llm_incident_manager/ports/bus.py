"""Moves work after the commit quickly to whoever does it. The database is the record: what is claimed, by whom, in what
order, and when it is done stands there alone. A bus that loses, repeats or delays everything costs time, never work."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import OutboxRow


class Taken(NamedTuple):
    """Rows that were claimed for the caller, and what the bus needs to settle them."""

    rows: Sequence[OutboxRow]
    receipt: object = None


class Bus(Protocol):
    """How a process hands on work it has committed, and gets work to do. A topic has one taker a process."""

    def publish(self, rows: Iterable[OutboxRow]) -> None:
        """Tells of rows that were just committed. Never waits and never fails; the database has what it drops."""
        ...

    async def take(self, topic: str, owner: str, now: Instant, lease_until: Instant, limit: int) -> Taken:
        """Claims due rows of a topic: of each lane only the oldest unfinished one. Raises StoreUnavailable."""
        ...

    async def settle(self, taken: Taken) -> None:
        """The rows were handled, handed back or left to their leases: the bus need not carry them any more."""
        ...

    async def wait(self, topic: str, seconds: float) -> None:
        """Until there is news of a topic since the last `take`, at most so long."""
        ...

    def wake(self, topic: str) -> None:
        """There may be work of a topic, whoever has written it."""
        ...


class CarrierAway(Exception):
    """What carries work between processes does not answer in time, or lost its memory just now."""


class Parcel(NamedTuple):
    """Names of rows with their lanes, as they were sent together; `place` is where the carrier keeps them."""

    topic: str
    place: tuple[str, str]
    rows: tuple[tuple[str, str], ...]


class Depth(NamedTuple):
    """What a carrier holds of a topic: parcels in all, and those that were received and not done."""

    parcels: int
    pending: int


class Carrier(Protocol):
    """A fast way for names of rows from those who write to those who work, beside the database."""

    @property
    def usable(self) -> bool:
        """Whether it answered lately. Never waits."""
        ...

    def send(self, rows: Iterable[OutboxRow]) -> None:
        """Sends names of due rows. Never waits and never fails; drops what does not fit."""
        ...

    async def receive(self, topic: str, most: int) -> Sequence[Parcel]:
        """The next parcels of a topic for this process, of about so many rows, in order. Raises CarrierAway."""
        ...

    async def done(self, parcels: Sequence[Parcel]) -> None:
        """Forgets parcels that were received. Raises CarrierAway."""
        ...

    async def depth(self, topic: str) -> Depth:
        """What it holds of a topic. Raises CarrierAway."""
        ...

    async def run(self, wake: Callable[[str], None]) -> None:
        """Sends, and keeps up its claim to a share of the work, until cancelled; `wake` is told of topics with news."""
        ...
