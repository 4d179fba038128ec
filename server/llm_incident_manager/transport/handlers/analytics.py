"""AnalyticsService: figures over many incidents."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from incidentmanager.v1 import analytics_service_pb2

from llm_incident_manager.domain import calendar, figures, moments, time
from llm_incident_manager.domain.calendar import Interval
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.domain.time import DAY, Instant
from llm_incident_manager.ports.stores import IncidentQuery
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import lists
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.paging import Span
from llm_incident_manager.transport.translate import figures as translate
from llm_incident_manager.usecases import sight

pb = analytics_service_pb2

INTERVALS: Mapping[int, Interval] = {
    pb.TREND_INTERVAL_UNSPECIFIED: Interval.DAY,
    pb.TREND_INTERVAL_HOUR: Interval.HOUR,
    pb.TREND_INTERVAL_DAY: Interval.DAY,
    pb.TREND_INTERVAL_WEEK: Interval.WEEK,
    pb.TREND_INTERVAL_MONTH: Interval.MONTH,
}
USUAL = {Interval.HOUR: DAY, Interval.DAY: 30 * DAY, Interval.WEEK: 84 * DAY, Interval.MONTH: 365 * DAY}
"""How far a trend goes back that is told no start."""
_DATE_LENGTH = len("2026-11-21")


class AnalyticsHandlers:
    """The methods of AnalyticsService."""

    def __init__(self, services: Services) -> None:
        """Asks the database."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "GetIncidentMetrics": self.metrics,
            "GetIncidentTrends": self.trends,
            "GetSlaAttainment": self.attainment,
        }

    async def metrics(self, request: pb.GetIncidentMetricsRequest, call: Call) -> pb.GetIncidentMetricsResponse:
        """Counts and times."""
        query = _query(request, call, paging.span_of(request.start, request.end))
        return translate.table(await self._on.store.figures(query, request.group_by))

    async def trends(self, request: pb.GetIncidentTrendsRequest, call: Call) -> pb.GetIncidentTrendsResponse:
        """The same step by step."""
        zone, interval = _zone(request.time_zone), INTERVALS[request.interval]
        span = _in_zone(request, zone)
        end = span.created_before or Instant(self._on.clock.now() + 1)
        start = span.created_from if span.created_from is not None else Instant(max(0, end - USUAL[interval]))
        try:
            boundaries = calendar.steps(start, end, interval, zone)
        except ValueError as error:
            raise InvalidFields([Violation("interval", f"interval: {error}", "interval.steps")]) from None
        query = _query(request, call, Span(start, end))
        return translate.trend(await self._on.store.trend(query, request.group_by, boundaries))

    async def attainment(self, request: pb.GetSlaAttainmentRequest, call: Call) -> pb.GetSlaAttainmentResponse:
        """How often promises were kept."""
        query = _query(request, call, paging.span_of(request.start, request.end))
        as_of = self._on.as_of()
        return translate.attainment(await self._on.store.attainment(query, request.group_by, as_of.targets, as_of.now))


def _query(request: Any, call: Call, span: Span) -> IncidentQuery:
    if request.group_by and request.group_by not in figures.GROUPS:
        names = ", ".join(figures.GROUPS)
        text = f"{request.group_by!r} is no field to group by: use one of {names}"
        raise InvalidFields([Violation("group_by", text, "in")])
    return replace(
        sight.query(call.caller, lists.parsed_filter(request.filter)),
        created_from=span.created_from,
        created_before=span.created_before,
    )


def _zone(name: str) -> tzinfo:
    if name in ("", "UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown, no name at all, or the name of a folder
        remedy = 'give a name of the IANA time zone database such as "Europe/Berlin", or leave it out for UTC'
        text = f"time_zone: {name!r} is not known here: {remedy}"
        raise InvalidFields([Violation("time_zone", text, "time_zone")]) from None


def _in_zone(request: pb.GetIncidentTrendsRequest, zone: tzinfo) -> Span:
    """The span of start and end, of which dates are days of the zone."""
    span = paging.span_of(request.start, request.end)
    start, end = span
    if start is not None and len(request.start) == _DATE_LENGTH:
        start = calendar.midnight(time.to_datetime(moments.parse(request.start).first).date(), zone)
    if end is not None and len(request.end) == _DATE_LENGTH:
        end = calendar.midnight(time.to_datetime(moments.parse(request.end).after).date(), zone)
    return Span(start, end)
