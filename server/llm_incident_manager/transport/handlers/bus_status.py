"""AdminService: how far the work behind the commits is."""

from collections.abc import Callable
from typing import Any

from incidentmanager.v1 import admin_service_pb2

from llm_incident_manager.ports.bus import Bus
from llm_incident_manager.ports.changes import TOPICS
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.translate import times

admin = admin_service_pb2


class BusHandlers:
    """The methods of AdminService about the bus as a whole."""

    def __init__(self, store: Store, bus: Bus) -> None:
        """Asks both: the store has the work, the bus only brings it."""
        self._store = store
        self._bus = bus

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {"GetBusStatus": self.status}

    async def status(self, _: admin.GetBusStatusRequest, __: Call) -> admin.GetBusStatusResponse:
        """What waits, topic by topic."""
        dead = await self._store.dead_by_topic()
        topics = [await self._topic(topic, dead.get(topic, 0)) for topic in TOPICS]
        return admin.GetBusStatusResponse(backend=self._bus.kind, topics=topics)

    async def _topic(self, topic: str, dead: int) -> admin.BusTopic:
        waiting, oldest = await self._store.backlog(topic)
        depth = await self._bus.depth(topic)
        return admin.BusTopic(
            topic=topic,
            waiting=waiting,
            oldest_time=None if oldest is None else times.timestamp(oldest),
            dead=dead,
            carried=None if depth is None else depth.parcels,
            received=None if depth is None else depth.pending,
        )
