"""What runs in a process by its roles. Which steps are whose is in pipeline/assembly.py."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from llm_incident_manager.domain.roles import Role
from llm_incident_manager.pipeline import assembly
from llm_incident_manager.pipeline.batcher import Batcher
from llm_incident_manager.pipeline.indexer import Indexer
from llm_incident_manager.pipeline.meter import Meter
from llm_incident_manager.pipeline.outbox import Handler, Pump
from llm_incident_manager.pipeline.sweeper import Sweeper
from llm_incident_manager.pipeline.timers import Timers
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.bus import Bus
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.usecases.watch import Feed


class Worker(Protocol):
    """Something that works on its own until it is cancelled."""

    async def run(self) -> None:
        """Does so."""
        ...


class Follower(Protocol):
    """Something that looks at the change feed when it is told to."""

    def wake(self) -> None:
        """Something was committed."""
        ...


class News:
    """Tells those who work on it what was committed here: followers of the feed, and the bus."""

    def __init__(self, bus: Bus, accepted: Meter) -> None:
        """Nobody follows yet; `accepted` measures how many events this process takes in."""
        self.followers: list[Follower] = []
        self.bus = bus
        self.accepted = accepted

    def tell(self, changes: Changes) -> None:
        """Wakes whom the changes concern."""
        self.accepted.add(len(changes.events))
        if changes.feed:
            for follower in self.followers:
                follower.wake()
        self.bus.publish(changes.outbox)


def workers(
    roles: Collection[Role], tools: Tools, *, owner: str, batcher: Batcher, feed: Feed, news: News
) -> Mapping[str, Worker]:
    """The parts that work on their own in a process with these roles, by name; `news` will wake them.

    `owner` names this start of the process in leases.
    """
    found: dict[str, Worker] = {}
    if Role.API in roles:
        found |= {"batcher": batcher, "feed": feed}
        news.followers.append(feed)
    if Role.ROUTE in roles:
        found["timers"] = Timers(tools, owner)
    for handler in _after_commit(roles):
        found[f"pump-{handler.TOPIC}"] = Pump(
            handler, tools, owner, lambda: batcher.pressed, bus=news.bus, accepted=news.accepted.per_second
        )
    indexer = Indexer(tools.store, tools.clock, lambda: batcher.pressed)
    news.followers.append(indexer)
    return {**found, "indexer": indexer, "sweeper": Sweeper(tools.store, tools.clock, tools.kept, tools.metrics)}


def _after_commit(roles: Collection[Role]) -> Iterator[Handler]:
    for handler in (*assembly.AFTER_COMMIT, *assembly.EFFECTS):
        if any(handler in assembly.STEPS[role] for role in roles):
            yield handler
