"""The metrics page: what is counted as it happens, and what is asked of the database when somebody looks."""

from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.pipeline.presence import Presence
from llm_incident_manager.ports.bus import Bus
from llm_incident_manager.ports.changes import TOPICS
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import Store, StoreBroken
from llm_incident_manager.telemetry.metrics import Metrics, Page
from llm_incident_manager.transport.fresh import Fresh
from llm_incident_manager.transport.siblings import Siblings


class Scrape:
    """Makes the page."""

    def __init__(
        self,
        metrics: Metrics,
        store: Store,
        bus: Bus,
        clock: Clock,
        presence: Presence | None,
        siblings: Siblings | None,
    ) -> None:
        """Asks this store how much work waits, and this bus how much it carries; the presence which roles are attended,
        and the siblings what they have counted, where there are others."""
        self._metrics = metrics
        self._store = store
        self._bus = bus
        self._clock = clock
        self._presence = presence
        self._siblings = siblings
        self._looked = Fresh(self._look)

    async def page(self, accept: str) -> Page:
        """The page in the form the scraper accepts, with what the database and the bus say, or said a moment ago."""
        await self._looked.get()
        if self._siblings is None:
            return self._metrics.page(accept)
        told = {**await self._siblings.ask(), self._siblings.place.number: self._metrics.told()}
        return self._metrics.page(accept, dict(sorted(told.items())))

    async def _look(self) -> None:
        """A database that does not answer is counted, not fatal."""
        for topic in TOPICS:
            if (depth := await self._bus.depth(topic)) is not None:
                self._metrics.bus_carries(topic, *depth)
        try:
            await self._look_at_backlog()
            self._metrics.database_holds(await self._store.size())
            if self._presence is not None:
                await self._presence.count_roles()
        except (DomainError, StoreBroken):
            self._metrics.store_failed()

    async def _look_at_backlog(self) -> None:
        now, dead = self._clock.now(), await self._store.dead_by_topic()
        for topic in TOPICS:
            rows, oldest = await self._store.backlog(topic)
            self._metrics.outbox_waits(topic, rows, 0.0 if oldest is None else (now - oldest) / SECOND)
            self._metrics.outbox_dead(topic, dead.get(topic, 0))
        due, since = await self._store.overdue_timers(now)
        self._metrics.timers_wait(due, 0.0 if since is None else (now - since) / SECOND)
