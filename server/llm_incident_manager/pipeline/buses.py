"""The bus in its two forms: the database alone, or a carrier for speed with the database behind it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable

from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.bus import Taken
from llm_incident_manager.ports.changes import OutboxRow
from llm_incident_manager.ports.stores import Store


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

    def publish(self, rows: Iterable[OutboxRow]) -> None:
        """Lets whoever takes the topics look."""
        topics = {row.topic for row in rows}
        for topic in topics:
            self._news.tell(topic)
        if elsewhere := topics - self._taken_here:
            self._tell(elsewhere)

    async def take(self, topic: str, owner: str, now: Instant, lease_until: Instant, limit: int) -> Taken:
        """Claims due rows."""
        self._taken_here.add(topic)
        self._news.looked(topic)
        return Taken(await self._store.claim_work(topic, owner, now, lease_until, limit))

    async def settle(self, taken: Taken) -> None:
        """What was handled has left the database with its effect."""

    async def wait(self, topic: str, seconds: float) -> None:
        """Until there is news, at most so long."""
        await self._news.wait(topic, seconds)

    def wake(self, topic: str) -> None:
        """There may be work."""
        self._news.tell(topic)
