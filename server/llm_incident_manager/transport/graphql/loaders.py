"""What many objects of an answer ask for alike, gathered and read at once: the number of statements does not grow with
the number of incidents. Nothing is remembered: a field that comes after a change shows it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiodataloader import DataLoader
from google.protobuf.message import Message
from incidentmanager.v1 import (
    incident_attachments_pb2,
    incident_relations_pb2,
    incident_service_pb2,
    incident_verbs_pb2,
)

from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.transport.call import Call

if TYPE_CHECKING:
    from llm_incident_manager.transport.graphql.context import Context

AT_ONCE = 500
"""Keys of one read."""
MOST = 100
"""Entries of each incident."""
Read = Callable[[Sequence[str], Call], Awaitable[Mapping[str, Any]]]


class Loaders:
    """The loaders of one operation, one for each way to ask."""

    def __init__(self, context: "Context") -> None:
        """Reads for this operation."""
        self._context = context
        self._made: dict[tuple[object, ...], DataLoader[str, Any]] = {}

    async def timeline(self, incident_id: str, first: int, kind: str | None) -> Sequence[Message]:
        """The first entries of an incident's timeline."""
        many, wanted = self._context.behind.many, TimelineKind(kind) if kind else None
        size = min(first, MOST)
        loader = self._loader(
            ("timeline", first, kind),
            "ListTimeline",
            lambda id_: incident_verbs_pb2.ListTimelineRequest(incident_id=id_, page_size=first),
            lambda ids, call: many.timelines(ids, size, wanted, call.caller),
        )
        return await loader.load(incident_id) or ()

    async def related(self, incident_id: str, first: int) -> Sequence[Message]:
        """The first incidents that an incident has to do with."""
        many, size = self._context.behind.many, min(first, MOST)
        loader = self._loader(
            ("related", first),
            "ListRelatedIncidents",
            lambda id_: incident_relations_pb2.ListRelatedIncidentsRequest(incident_id=id_, page_size=first),
            lambda ids, call: many.related(ids, size, call.caller),
        )
        return await loader.load(incident_id) or ()

    async def attachments(self, incident_id: str, first: int) -> Sequence[Message]:
        """The first attachments of an incident."""
        many, size = self._context.behind.many, min(first, MOST)
        loader = self._loader(
            ("attachments", first),
            "ListAttachments",
            lambda id_: incident_attachments_pb2.ListAttachmentsRequest(incident_id=id_, page_size=first),
            lambda ids, call: many.attachments(ids, size, call.caller),
        )
        return await loader.load(incident_id) or ()

    async def incident(self, incident_id: str) -> Message | None:
        """An incident that another object names; None where the caller does not see it, or names none."""
        if not incident_id:
            return None
        many = self._context.behind.many
        loader = self._loader(
            ("incident",),
            "GetIncident",
            lambda id_: incident_service_pb2.GetIncidentRequest(incident_id=id_),
            lambda ids, call: many.incidents(ids, call.caller),
        )
        found: Message | None = await loader.load(incident_id)
        return found

    def _loader(
        self, key: tuple[object, ...], method: str, request: Callable[[str], Message], read: Read
    ) -> "DataLoader[str, Any]":
        """`request` is what the method would be asked for one of the keys."""
        if key not in self._made:

            async def batch(keys: list[str]) -> list[Any]:
                ask = request(keys[0])
                found = await self._context.read(method, ask, lambda call: read(keys, call))
                return [found.get(each) for each in keys]

            self._made[key] = DataLoader(batch, max_batch_size=AT_ONCE, cache=False)
        return self._made[key]
