"""Reads for many incidents at once, and pages of them between cursors: what GraphQL asks beside the methods.

Each answers what a method would for one incident, under that method's permission: see `Dispatcher.reading`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from incidentmanager.v1 import (
    event_pb2,
    incident_attachments_pb2,
    incident_pb2,
    incident_relations_pb2,
    incident_service_pb2,
)

from llm_incident_manager.domain import filters, scope
from llm_incident_manager.domain.filters import Place
from llm_incident_manager.domain.ids import EventId, IncidentId, is_uuid
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports.stores import Count, IncidentQuery
from llm_incident_manager.transport.handlers import explain, lists
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.page_tokens import InvalidPageToken
from llm_incident_manager.transport.paging import MAX_COUNT, Pages
from llm_incident_manager.transport.translate import incidents as translate
from llm_incident_manager.transport.translate import relations as translate_relations
from llm_incident_manager.usecases.caller import Caller

ListIncidents = incident_service_pb2.ListIncidentsRequest
LONGEST_CURSOR = 64 * 1024
"""A cursor holds what its list is ordered by, which may be a description."""
_NARROWED_LOOK = 1_000
"""Related incidents that are looked at for a caller who does not see all of them."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a list: at most `limit` behind one cursor and before another, counted from the end when `backwards`."""

    limit: int
    after: str = ""
    before: str = ""
    backwards: bool = False
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """An incident and its cursor."""

    node: incident_pb2.Incident
    cursor: str


class Many:
    """The reads."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    async def edges(self, request: ListIncidents, wanted: Slice, caller: Caller) -> Sequence[Edge]:
        """Incidents of a slice in the order of the list. A cursor that is not of this list is ignored. Raises
        InvalidFilter, InvalidFields, DEADLINE_EXCEEDED."""
        query = lists.query_of(request, caller)
        bounded = replace(
            query,
            after=self._place(query, wanted.after),
            before=self._place(query, wanted.before),
            limit=wanted.limit,
            offset=wanted.offset,
            backwards=wanted.backwards,
        )
        found = await lists.in_time(self._on, bounded) if wanted.limit else ()
        as_of, sealed = self._on.as_of(), self._scope(query)
        edges = [
            Edge(
                translate.incident(incident, as_of),
                self._on.pages.tokens.seal(sealed, filters.place_of(incident, query.order)),
            )
            for incident in found
        ]
        return edges[::-1] if wanted.backwards else edges

    async def count(self, request: ListIncidents, caller: Caller) -> Count:
        """How many match, or at least how many."""
        found = await lists.count(self._on, lists.query_of(request, caller), 0)
        return Count(min(found.total, MAX_COUNT), found.at_least)

    def _place(self, query: IncidentQuery, cursor: str) -> Place | None:
        """Where a cursor stands."""
        if not cursor:
            return None
        try:
            place = self._on.pages.tokens.open(self._scope(query), cursor, LONGEST_CURSOR)
        except InvalidPageToken:
            return None
        return place

    @staticmethod
    def _scope(query: IncidentQuery) -> tuple[str, ...]:
        return ("cursor", *Pages.scope(query))

    async def incidents(self, ids: Sequence[str], caller: Caller) -> Mapping[str, incident_pb2.Incident]:
        """Incidents by id, of which those that the caller does not see are left out."""
        known = [IncidentId(id_) for id_ in sorted(set(ids)) if is_uuid(id_)]
        found = await self._on.store.incidents_by_id(caller.tenant, known) if known else ()
        as_of = self._on.as_of()
        return {each.id: translate.incident(each, as_of) for each in found if scope.covers(caller.condition, each)}

    async def timelines(
        self, ids: Sequence[str], limit: int, kind: TimelineKind | None, caller: Caller
    ) -> Mapping[str, Sequence[incident_pb2.TimelineEntry]]:
        """The first entries of each incident's timeline."""
        found = await self._on.store.timelines(caller.tenant, _ids(ids), limit, kind)
        return {id_: [translate.entry(entry) for entry in entries] for id_, entries in found.items()}

    async def related(
        self, ids: Sequence[str], limit: int, caller: Caller
    ) -> Mapping[str, Sequence[incident_relations_pb2.RelatedIncident]]:
        """The first incidents that each has to do with, of those that the caller sees."""
        look = _NARROWED_LOOK if caller.condition.narrows else limit
        found = await self._on.store.related_of_each(caller.tenant, _ids(ids), look)
        as_of = self._on.as_of()
        return {
            id_: [
                translate_relations.related(each, as_of)
                for each in related
                if scope.covers(caller.condition, each.incident)
            ][:limit]
            for id_, related in found.items()
        }

    async def attachments(
        self, ids: Sequence[str], limit: int, caller: Caller
    ) -> Mapping[str, Sequence[incident_attachments_pb2.Attachment]]:
        """The first attachments of each incident."""
        found = await self._on.store.attachments_of_each(caller.tenant, _ids(ids), limit)
        return {id_: [translate_relations.attachment(each) for each in several] for id_, several in found.items()}

    async def events(self, ids: Sequence[str], caller: Caller) -> Sequence[event_pb2.EventRecord]:
        """Events by id; those that the caller does not see are left out."""
        found = await self._on.store.events(caller.tenant, [EventId(id_.lower()) for id_ in dict.fromkeys(ids)])
        if caller.condition.narrows:
            found = [each for each in found if await explain.sees(self._on, caller, each)]
        return [explain.record(each, self._on.tools.codec) for each in found]


def _ids(ids: Sequence[str]) -> Sequence[IncidentId]:
    return [IncidentId(id_) for id_ in sorted(set(ids))]
