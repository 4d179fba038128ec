"""The fields that doors.graphql adds to the contract."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ariadne import ObjectType, SubscriptionType
from graphql import GraphQLResolveInfo
from incidentmanager.v1 import incident_pb2, incident_service_pb2, ingest_service_pb2

import llm_incident_manager
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.ports.stores import Count
from llm_incident_manager.transport.graphql import connections
from llm_incident_manager.transport.graphql.connections import Part
from llm_incident_manager.transport.graphql.context import Context
from llm_incident_manager.transport.handlers.many import Edge, ListIncidents

MOST_EVENTS = 100
_ONLY: Mapping[str, frozenset[int]] = {
    "incidentCreated": frozenset({incident_pb2.CHANGE_KIND_OPENED}),
    "incidentStateChanged": frozenset({incident_pb2.CHANGE_KIND_STATE}),
    "incidentUpdated": frozenset(
        {
            incident_pb2.CHANGE_KIND_STATE,
            incident_pb2.CHANGE_KIND_SEVERITY,
            incident_pb2.CHANGE_KIND_RECURRED,
            incident_pb2.CHANGE_KIND_UPDATED,
            incident_pb2.CHANGE_KIND_NOTE,
        }
    ),
}
"""Which kinds of changes the narrower subscriptions tell."""


@dataclass(slots=True)
class Connection:
    """A page, and how to learn how many incidents there are in all."""

    part: Part
    context: Context
    request: ListIncidents
    counting: "asyncio.Task[Count] | None" = field(default=None, init=False)

    @property
    def edges(self) -> Sequence[Edge]:
        """Of this page."""
        return self.part.edges

    async def count(self) -> Count:
        """How many match, asked once for both fields that tell of it."""
        if self.counting is None:
            many = self.context.behind.many
            counted = self.context.read(
                "ListIncidents", self.request, lambda call: many.count(self.request, call.caller)
            )
            self.counting = asyncio.ensure_future(counted)
        return await self.counting


async def _incidents(_: object, info: GraphQLResolveInfo[Context], **given: Any) -> Connection:
    context = info.context
    asked, request = connections.window(given), connections.request(given)
    many = context.behind.many
    found = await context.read("ListIncidents", request, lambda call: many.edges(request, asked.wanted, call.caller))
    return Connection(connections.cut(asked, found), context, request)


async def _incident(_: object, info: GraphQLResolveInfo[Context], **given: Any) -> object:
    return await info.context.ask(
        "GetIncident", lambda: incident_service_pb2.GetIncidentRequest(incident_id=given["id"])
    )


async def _events(_: object, info: GraphQLResolveInfo[Context], ids: list[str]) -> object:
    if not 0 < len(ids) <= MOST_EVENTS:
        text = f"ids: {len(ids)} are asked for: give 1 to {MOST_EVENTS}"
        raise InvalidFields([Violation("ids", text, "repeated.max_items")])
    context = info.context
    asked = ingest_service_pb2.GetEventRequest(event_id=ids[0])
    return await context.read("GetEvent", asked, lambda call: context.behind.many.events(ids, call.caller))


async def _health(_: object, info: GraphQLResolveInfo[Context]) -> Mapping[str, object]:
    found = await info.context.behind.probes.ask()
    return {"ready": found.ready, "checks": dict(found.checks)}


async def _total(connection: Connection, _: GraphQLResolveInfo[Context]) -> int:
    return (await connection.count()).total


async def _at_least(connection: Connection, _: GraphQLResolveInfo[Context]) -> bool:
    return (await connection.count()).at_least


async def _timeline(of: Any, info: GraphQLResolveInfo[Context], first: int, kind: str | None = None) -> object:
    return await info.context.loaders.timeline(of.id, first, kind)


async def _related(of: Any, info: GraphQLResolveInfo[Context], first: int) -> object:
    return await info.context.loaders.related(of.id, first)


async def _attachments(of: Any, info: GraphQLResolveInfo[Context], first: int) -> object:
    return await info.context.loaders.attachments(of.id, first)


def _named(by: str) -> Callable[..., Any]:
    """The incident whose id a field holds."""

    async def resolve(of: Any, info: GraphQLResolveInfo[Context]) -> object:
        return await info.context.loaders.incident(getattr(of, by))

    return resolve


async def _changes(
    only: frozenset[int] | None, _: object, info: GraphQLResolveInfo[Context], **given: Any
) -> AsyncGenerator[Any, None]:
    """Changes as WatchIncidents streams them."""
    wanted = given.get("filter") or {}
    beyond = [name for name in ("start", "end", "search") if wanted.get(name)]
    if beyond:
        text = f"filter.{beyond[0]} is for lists: changes are filtered by what incidents are"
        raise InvalidFields([Violation(f"filter.{beyond[0]}", text, "exclusive")])
    request = incident_service_pb2.WatchIncidentsRequest(
        filter=connections.expression(wanted) if wanted else "",
        resume_token=given.get("resumeToken") or "",
        snapshot=bool(given.get("snapshot")),
    )
    async for change in info.context.follow("WatchIncidents", request):
        if only is None or not change.HasField("incident") or change.kind in only:
            yield change


def bindables() -> Sequence[ObjectType]:
    """The resolvers by type and field."""
    query, incident, subscription = ObjectType("Query"), ObjectType("Incident"), SubscriptionType()
    connection, event = ObjectType("IncidentConnection"), ObjectType("EventRecord")
    for name, resolver in (("incidents", _incidents), ("incident", _incident), ("events", _events)):
        query.set_field(name, resolver)
    query.set_field("health", _health)
    query.set_field("version", lambda *_: llm_incident_manager.__version__)
    connection.set_field("nodes", lambda page, _: [edge.node for edge in page.edges])
    connection.set_field("pageInfo", lambda page, _: page.part.page_info)
    connection.set_field("totalCount", _total)
    connection.set_field("totalCountIsLowerBound", _at_least)
    for name, of_incident in (("timeline", _timeline), ("related", _related), ("attachments", _attachments)):
        incident.set_field(name, of_incident)
    incident.set_field("previousIncident", _named("previous_incident_id"))
    incident.set_field("mergedIntoIncident", _named("merged_into"))
    event.set_field("incident", _named("incident_id"))
    for name in ("incidentChanged", *_ONLY):
        subscription.set_source(name, partial(_changes, _ONLY.get(name)))
        subscription.set_field(name, lambda change, _, **_given: change)
    return (query, connection, incident, event, subscription)
