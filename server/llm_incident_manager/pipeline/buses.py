"""The bus in its two forms: the database alone, or a carrier for speed with the database behind it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.pipeline.hand import Hand
from llm_incident_manager.ports.bus import Carrier, CarrierAway, Depth, Taken
from llm_incident_manager.ports.changes import OutboxRow
from llm_incident_manager.ports.stores import Store

SWEEP = SECOND
"""Microseconds between two looks for what was not brought."""
BROUGHT_WITHIN = 2 * SECOND
"""What was written longer ago should have been brought."""


class News:
    """Whether something was heard of a topic since it was last looked at."""

    def __init__(self) -> None:
        """Nothing was."""
        self._heard: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def tell(self, topic: str) -> None:
        """There is news."""
        self._heard[topic].set()

    def looked(self, topic: str) -> None:
        """Whoever looks now sees all that was told before."""
        self._heard[topic].clear()

    async def wait(self, topic: str, seconds: float) -> None:
        """Until there is news, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._heard[topic].wait()
        except TimeoutError:
            return


class DatabaseBus:
    """Work is claimed where it is kept. This process's own is taken at once; `tell` lets others know of the rest."""

    def __init__(self, store: Store, tell: Callable[[Iterable[str]], None] = lambda _: None) -> None:
        """`tell` is given topics with new work that nobody here takes."""
        self._store = store
        self._tell = tell
        self._news = News()
        self._taken_here: set[str] = set()

    @property
    def kind(self) -> str:
        """The back end's name."""
        return "database"

    def publish(self, rows: Iterable[OutboxRow]) -> None:
        """Lets whoever takes the topics look."""
        topics = {row.topic for row in rows}
        for topic in topics:
            self._news.tell(topic)
        if elsewhere := topics - self._taken_here:
            self._tell(elsewhere)

    async def take(self, topic: str, owner: str, now: Instant, lease_until: Instant, limit: int) -> Taken:
        """Claims due rows."""
        self.look(topic)
        return Taken(await self._store.claim_work(topic, owner, now, lease_until, limit))

    def look(self, topic: str) -> None:
        """Whoever takes the topic looks now: all news so far is old."""
        self._taken_here.add(topic)
        self._news.looked(topic)

    def settle(self, topic: str, taken: Taken) -> None:
        """What was handled has left the database with its effect."""

    async def wait(self, topic: str, seconds: float) -> None:
        """Until there is news, at most so long."""
        await self._news.wait(topic, seconds)

    def wake(self, topic: str) -> None:
        """There may be work."""
        self._news.tell(topic)

    async def depth(self, topic: str) -> None:
        """Nothing is carried."""


class CarriedBus:
    """Names of rows travel by a carrier, and are claimed in the database, which decides. While the carrier is away this
    is a DatabaseBus; what the carrier has lost or left out is found in the database by its age."""

    def __init__(self, store: Store, carrier: Carrier, database: DatabaseBus) -> None:
        """`database` is for this process alone, on the same store."""
        self._store = store
        self._carrier = carrier
        self._database = database
        self._hands: defaultdict[str, Hand] = defaultdict(Hand)
        self._swept: dict[str, Instant] = {}
        self._lost: set[str] = set()

    @property
    def kind(self) -> str:
        """The back end's name."""
        return "redis"

    def publish(self, rows: Iterable[OutboxRow]) -> None:
        """Sends names of the rows, or while that is no use lets whoever takes the topics look."""
        if self._carrier.usable:
            self._carrier.send(rows)
        else:
            self._database.publish(rows)

    async def take(self, topic: str, owner: str, now: Instant, lease_until: Instant, limit: int) -> Taken:
        """Claims what was received, and every second what nobody has brought."""
        if not self._carrier.usable:
            return await self._database.take(topic, owner, now, lease_until, limit)
        self._database.look(topic)
        hand = self._hands[topic]
        if len(hand) < limit:  # first of all: what is received later may not be due yet by the time that was given
            try:
                hand.add(await self._carrier.receive(topic, limit - len(hand)))
            except CarrierAway:
                return await self._database.take(topic, owner, now, lease_until, limit)
        if rows := await self._sweep(topic, owner, now, lease_until, limit):
            return Taken(rows)
        return await self._claim(hand, topic, owner, (now, lease_until), limit)

    async def _sweep(
        self, topic: str, owner: str, now: Instant, lease_until: Instant, limit: int
    ) -> Sequence[OutboxRow]:
        """What nobody has brought, once it is time to look. What was found is followed by another look at once: behind
        it in its lanes may be more."""
        if topic in self._lost:
            self._lost.discard(topic)
            self._swept.pop(topic, None)
            made = now
        elif 0 <= now - self._swept.get(topic, Instant(0)) < SWEEP:
            return ()
        else:
            made = Instant(now - BROUGHT_WITHIN)
        rows = await self._store.claim_work(topic, owner, now, lease_until, limit, made)
        if not rows:
            self._swept[topic] = now
        return rows

    async def _claim(self, hand: Hand, topic: str, owner: str, lease: tuple[Instant, Instant], limit: int) -> Taken:
        while ids := hand.pick(limit):
            try:
                rows = await self._store.claim_rows(topic, owner, *lease, ids)
            except BaseException:
                self._carrier.done(hand.finish(ids))  # the database brings them once it answers
                raise
            claimed = [row.id for row in rows]
            self._carrier.done(hand.finish(set(ids).difference(claimed)))
            if rows:
                return Taken(rows, claimed)
        return Taken(())

    def settle(self, topic: str, taken: Taken) -> None:
        """Parcels whose rows are all handled are forgotten."""
        self._carrier.done(self._hands[topic].finish({row.id for row in taken.rows}))

    async def run(self) -> None:
        """Keeps the carrier going until cancelled."""
        await self._carrier.run(self._database.wake, self._missing)

    def _missing(self, topic: str) -> None:
        self._lost.add(topic)
        self._database.wake(topic)

    async def wait(self, topic: str, seconds: float) -> None:
        """Until there is news, at most so long; not at all while rows wait in the hand."""
        if not self._hands[topic]:
            await self._database.wait(topic, seconds)

    def wake(self, topic: str) -> None:
        """There may be work."""
        self._database.wake(topic)

    async def depth(self, topic: str) -> Depth | None:
        """What the carrier holds, if it answers."""
        try:
            return await self._carrier.depth(topic)
        except CarrierAway:
            return None
