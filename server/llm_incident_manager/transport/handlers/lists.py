"""Lists in pages: incidents and timelines."""

from collections.abc import AsyncIterator

from incidentmanager.v1 import incident_service_pb2, incident_verbs_pb2

from llm_incident_manager.domain import filters, search
from llm_incident_manager.domain.filters import Filter
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.ports.stores import Count, IncidentQuery
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import incidents as translate

TIMELINE_DEFAULT, TIMELINE_MOST = 100, 1_000
OPEN = filters.parse("state = (NEW OR ACKNOWLEDGED OR IN_PROGRESS OR ESCALATED)")
OLDEST_FIRST = filters.parse_order("id")


def parsed_filter(text: str) -> Filter | None:
    """The filter, or None for an empty one."""
    return filters.parse(text) if text.strip() else None


async def incidents(
    on: Services, request: incident_service_pb2.ListIncidentsRequest, tenant: TenantId
) -> incident_service_pb2.ListIncidentsResponse:
    """The page a ListIncidents request asks for."""
    span = paging.span_of(request.start, request.end)
    query = IncidentQuery(
        tenant,
        filter=parsed_filter(request.filter),
        search=search.parse(request.search) if request.search.strip() else None,
        order=filters.parse_order(request.order_by),
        created_from=span.created_from,
        created_before=span.created_before,
    )
    page = on.pages.read(query, page_size=request.page_size, page=request.page, page_token=request.page_token)
    found = await on.store.incidents(page.of(query))
    count = await on.store.count_up_to(query, paging.MOST_COUNTED)
    shown, where = on.pages.finish(query, page, found, count)
    now = on.clock.now()
    return incident_service_pb2.ListIncidentsResponse(
        incidents=[translate.incident(incident, now) for incident in shown],
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


async def timeline(
    on: Services, request: incident_verbs_pb2.ListTimelineRequest, tenant: TenantId
) -> incident_verbs_pb2.ListTimelineResponse:
    """The page a ListTimeline request asks for; its token is the id of the last entry."""
    size = paging.size_of(request.page_size, TIMELINE_DEFAULT, TIMELINE_MOST)
    incident = await on.store.incident(tenant, request.incident_id)
    scope = ("timeline", tenant, incident.id)
    after = str(on.pages.tokens.open(scope, request.page_token)[0]) if request.page_token else ""
    found = await on.store.timeline(tenant, incident.id, after, size + 1)
    return incident_verbs_pb2.ListTimelineResponse(
        entries=[translate.entry(entry) for entry in found[:size]],
        next_page_token=on.pages.tokens.seal(scope, (found[size - 1].id,)) if len(found) > size else "",
    )


async def open_incidents(on: Services, matching: Filter | None, tenant: TenantId) -> AsyncIterator[Incident]:
    """All open incidents that match, oldest first, read page by page."""
    wanted = OPEN if matching is None else filters.both(OPEN, matching)
    query = IncidentQuery(tenant, filter=wanted, order=OLDEST_FIRST)
    page = on.pages.read(query, page_size=paging.MAX_SIZE)
    while True:
        found = await on.store.incidents(page.of(query))
        shown, where = on.pages.finish(query, page, found, Count(len(found)))
        for incident in shown:
            yield incident
        if not where.has_next:
            return
        page = on.pages.read(query, page_size=paging.MAX_SIZE, page_token=where.next_page_token)
