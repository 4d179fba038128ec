"""Lists in pages: incidents and timelines."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from incidentmanager.v1 import incident_service_pb2, incident_verbs_pb2

from llm_incident_manager.domain import filters, search
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.filters import Filter
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.ports.stores import Count, IncidentQuery
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import incidents as translate
from llm_incident_manager.usecases import sending, sight
from llm_incident_manager.usecases.caller import Caller

PAGE_SECONDS = 3.0
"""How long a page may take to find."""
COUNT_SECONDS = 1.0
"""How long counting may take on top of that."""
TIMELINE_DEFAULT, TIMELINE_MOST = 100, 1_000
SNAPSHOT_PAGE = 50
"""Incidents read at once for a watch's beginning: what a subscriber that does not read may hold."""
OPEN = filters.parse("state = (NEW OR ACKNOWLEDGED OR IN_PROGRESS OR ESCALATED)")
OLDEST_FIRST = filters.parse_order("id")


def parsed_filter(text: str) -> Filter | None:
    """The filter, or None for an empty one."""
    return filters.parse(text) if text.strip() else None


async def incidents(
    on: Services, request: incident_service_pb2.ListIncidentsRequest, caller: Caller
) -> incident_service_pb2.ListIncidentsResponse:
    """The page a ListIncidents request asks for."""
    query = query_of(request, caller)
    page = on.pages.read(query, page_size=request.page_size, page=request.page, page_token=request.page_token)
    found = await in_time(on, page.of(query))
    shown, where = on.pages.finish(query, page, found, await count(on, query, page.rank + len(found)))
    as_of = on.as_of()
    return incident_service_pb2.ListIncidentsResponse(
        incidents=[translate.incident(incident, as_of) for incident in shown],
        pagination=incident_service_pb2.Pagination(
            page=where.page,
            page_size=where.page_size,
            total_count=where.total_count,
            total_pages=where.total_pages,
            has_next=where.has_next,
            has_previous=where.has_previous,
            next_page_token=where.next_page_token,
            total_count_is_lower_bound=where.total_is_lower_bound,
        ),
    )


def query_of(request: incident_service_pb2.ListIncidentsRequest, caller: Caller) -> IncidentQuery:
    """What a request asks for, whatever page of it. Raises InvalidFilter, InvalidFields."""
    span = paging.span_of(request.start, request.end)
    return replace(
        sight.query(caller, parsed_filter(request.filter)),
        search=search.parse(request.search) if request.search.strip() else None,
        order=filters.parse_order(request.order_by),
        created_from=span.created_from,
        created_before=span.created_before,
    )


async def in_time(on: Services, query: IncidentQuery) -> Sequence[Incident]:
    """The rows of a page. A list that no index helps with ends here, not when the caller has lost patience."""
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            return await on.store.incidents(query)
    except TimeoutError:
        remedy = (
            "narrow it with start and end or by state, severity, source, kind, service or a label, put words into "
            "search instead of filter, or leave out order_by"
        )
        message = f"the list was not found within {PAGE_SECONDS:g} s: {remedy}"
        facts = {"deadline_ms": str(round(PAGE_SECONDS * 1_000))}
        raise DomainError(ErrorReason.DEADLINE_EXCEEDED, message, facts) from None


async def count(on: Services, query: IncidentQuery, seen: int) -> Count:
    """How many match, or at least how many have been seen: a page never fails for its count."""
    try:
        async with asyncio.timeout(COUNT_SECONDS):
            return await on.store.count_up_to(query, paging.MOST_COUNTED if query.search is None else paging.MOST_FOUND)
    except TimeoutError:
        return Count(seen, at_least=True)


async def timeline(
    on: Services, request: incident_verbs_pb2.ListTimelineRequest, caller: Caller
) -> incident_verbs_pb2.ListTimelineResponse:
    """The page a ListTimeline request asks for; its token is the id of the last entry."""
    size = paging.size_of(request.page_size, TIMELINE_DEFAULT, TIMELINE_MOST)
    incident = await sight.incident(on.store, caller, request.incident_id)
    scope = ("timeline", caller.tenant, incident.id)
    after = str(on.pages.tokens.open(scope, request.page_token)[0]) if request.page_token else ""
    found = await on.store.timeline(caller.tenant, incident.id, after, size + 1)
    return incident_verbs_pb2.ListTimelineResponse(
        entries=[translate.entry(entry) for entry in found[:size]],
        next_page_token=on.pages.tokens.seal(scope, (found[size - 1].id,)) if len(found) > size else "",
    )


async def open_incidents(on: Services, matching: Filter | None, call: Call) -> AsyncIterator[Incident]:
    """All open incidents that match, oldest first, read page by page as there is room for them. Raises Overloaded."""
    wanted = OPEN if matching is None else filters.both(OPEN, matching)
    query = replace(sight.query(call.caller, wanted), order=OLDEST_FIRST)
    page = on.pages.read(query, page_size=SNAPSHOT_PAGE)
    while True:
        async with on.feed.behind:
            found = await on.store.incidents(page.of(query))
            shown, where = on.pages.finish(query, page, found, Count(len(found)))
            await call.hold(sending.room_for([sending.weight(incident) for incident in shown]))
        for incident in shown:
            yield incident
        if not where.has_next:
            return
        page = on.pages.read(query, page_size=SNAPSHOT_PAGE, page_token=where.next_page_token)
