"""The ways on which servers tell each other of work: they lose, repeat, delay and reorder. The database decides."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from llm_incident_manager.domain.time import Instant
from llm_incident_manager.pipeline.buses import CarriedBus, DatabaseBus
from llm_incident_manager.ports.bus import Bus, CarrierAway, Depth, Parcel, Taken
from llm_incident_manager.ports.changes import OutboxRow
from llm_incident_manager.ports.hints import Heard
from llm_incident_manager.ports.stores import Store
from simulation.loop import LANE
from simulation.world import World


class Member(Protocol):
    """The server that is on the bus."""

    def disturb(self, what: str) -> None:
        """Notes what may make it repeat itself."""
        ...


class Wire:
    """What all servers share: who listens to hints, and the parcels of a carrier if the run has one."""

    def __init__(self, world: World, *, carried: bool) -> None:
        """`carried`: names of rows travel by a carrier, as with Redis."""
        self.world = world
        self.carried = carried
        self.listeners: dict[Whispers, Heard] = {}
        self.takers: dict[Crate, Callable[[str], None]] = {}
        self.parcels: defaultdict[str, list[Parcel]] = defaultdict(list)
        self._places = 0

    def bus(self, store: Store, hints: "Whispers", member: Member) -> "Unreliable":
        """A server's bus."""
        database = DatabaseBus(store, hints.tell)
        inner = CarriedBus(store, Crate(self), database) if self.carried else database
        return Unreliable(inner, self.world, member)

    def later(self, work: Callable[[], None]) -> None:
        """Does it soon: once as a rule, sometimes late, twice or never."""
        chance, context = self.world.chance, LANE.get().context
        if chance.happens("wake.lost"):
            return
        for _ in range(1 + chance.happens("wake.twice")):
            late = chance.between(0.1, 3) if chance.happens("wake.late") else chance.between(0, 0.01)
            self.world.loop.call_later(late, work, context=context)

    def put(self, row: OutboxRow) -> None:
        """A parcel for whoever comes first, at some place among the others."""
        self._places += 1
        waiting = self.parcels[row.topic]
        at = int(self.world.chance.between(0, len(waiting) + 1))
        waiting.insert(at, Parcel(row.topic, ("crate", str(self._places)), ((row.id, row.lane),)))

    def tell(self, names: Sequence[str], teller: "Whispers") -> None:
        """Everybody else hears of it."""
        for listener, heard in list(self.listeners.items()):
            if listener is not teller:
                for name in names:
                    heard(name)


class Whispers:
    """Implements ports.hints.Hints."""

    def __init__(self, wire: Wire) -> None:
        """On this wire."""
        self._wire = wire

    def tell(self, names: Iterable[str]) -> None:
        """Lets the others know, perhaps."""
        told = sorted(names)
        self._wire.later(lambda: self._wire.tell(told, self))

    async def run(self, heard: Heard) -> None:
        """Hears the others until cancelled."""
        self._wire.listeners[self] = heard
        try:
            await asyncio.Event().wait()
        finally:
            del self._wire.listeners[self]


class Crate:
    """Implements ports.bus.Carrier: one heap of parcels for all servers, which forgets what a dead one had received."""

    def __init__(self, wire: Wire) -> None:
        """Nothing was received yet."""
        self._wire = wire

    @property
    def usable(self) -> bool:
        """Whether it answered lately."""
        return not self._wire.world.chance.happens("carrier.away")

    def send(self, rows: Iterable[OutboxRow]) -> None:
        """Sends names of rows, perhaps."""
        for row in rows:
            self._wire.later(lambda row=row: self._arrive(row))  # type: ignore[misc]  # binds the row of this turn

    def _arrive(self, row: OutboxRow) -> None:
        self._wire.put(row)
        for wake in list(self._wire.takers.values()):
            wake(row.topic)

    async def receive(self, topic: str, most: int) -> Sequence[Parcel]:
        """What lies there."""
        await asyncio.sleep(self._wire.world.chance.latency("network.slow", 0.001))
        if self._wire.world.chance.happens("carrier.away"):
            raise CarrierAway
        waiting = self._wire.parcels[topic]
        taken, waiting[:] = waiting[:most], waiting[most:]
        return taken

    def done(self, parcels: Sequence[Parcel]) -> None:
        """Forgotten they are already."""

    async def depth(self, topic: str) -> Depth:
        """What lies there."""
        return Depth(len(self._wire.parcels[topic]), 0)

    async def run(self, wake: Callable[[str], None], lost: Callable[[str], None]) -> None:
        """Tells of what arrives. Now and then all is lost, as when Redis is flushed, and sometimes that is noticed."""
        self._wire.takers[self] = wake
        try:
            while True:
                await asyncio.sleep(2)
                if self._wire.world.chance.happens("carrier.flushed"):
                    self._flush(lost)
        finally:
            del self._wire.takers[self]

    def _flush(self, lost: Callable[[str], None]) -> None:
        self._wire.world.trace("what was carried is lost")
        for topic, parcels in self._wire.parcels.items():
            parcels.clear()
            if self._wire.world.chance.between(0, 1) < 0.5:
                lost(topic)


class Unreliable:
    """Implements ports.bus.Bus around the product's: tells of work late or never, and brings the rows of an old claim
    once more, with their old fence."""

    def __init__(self, inner: CarriedBus | DatabaseBus, world: World, member: Member) -> None:
        """`inner` claims."""
        self.inner = inner
        self._world = world
        self._member = member
        self._old: defaultdict[str, list[OutboxRow]] = defaultdict(list)

    @property
    def kind(self) -> str:
        """As the product's."""
        return self.inner.kind

    def publish(self, rows: Iterable[OutboxRow]) -> None:
        """Tells of rows, unless that is lost."""
        if not self._world.chance.happens("wake.lost"):
            self.inner.publish(rows)

    async def take(self, topic: str, owner: str, now: Instant, lease_until: Instant, limit: int) -> Taken:
        """Claims, or brings again what was claimed before."""
        if (old := self._old.pop(topic, None)) is not None:
            self._member.disturb(f"gets {len(old)} old rows of {topic} again")
            return Taken(old)
        taken = await self.inner.take(topic, owner, now, lease_until, limit)
        if taken.rows and self._world.chance.happens("work.twice"):
            self._world.loop.call_later(self._world.chance.between(0, 5), self._bring_again, topic, list(taken.rows))
        return taken

    def _bring_again(self, topic: str, rows: list[OutboxRow]) -> None:
        self._old[topic] += rows
        self.inner.wake(topic)

    def settle(self, topic: str, taken: Taken) -> None:
        """As the product's."""
        self.inner.settle(topic, taken)

    async def wait(self, topic: str, seconds: float) -> None:
        """As the product's."""
        await self.inner.wait(topic, seconds)

    def wake(self, topic: str) -> None:
        """As the product's."""
        self.inner.wake(topic)

    async def depth(self, topic: str) -> Depth | None:
        """As the product's."""
        return await self.inner.depth(topic)


IMPLEMENTS: type[Bus] = Unreliable
