"""The methods about many incidents at once: one verb for all that a filter matches, and figures."""

from typing import TypeAlias

from llm_incident_client import pb
from llm_incident_client.core import calls

Verb: TypeAlias = (
    pb.ApplyAcknowledge
    | pb.ApplyStartWork
    | pb.ApplyEscalate
    | pb.ApplyDeEscalate
    | pb.ApplyResolve
    | pb.ApplyClose
    | pb.ApplyReopen
    | pb.ApplyAssign
    | pb.ApplyAddNote
    | pb.ApplySnooze
)
"""What to do with each incident, for instance `pb.ApplyResolve(root_cause="deploy 42")`."""

_FIELDS = {
    field.message_type.full_name: field.name
    for field in pb.ApplyToIncidentsRequest.DESCRIPTOR.oneofs_by_name["verb"].fields
    if field.message_type is not None
}


class SetCalls(calls.MethodGroup):
    """Filters are those of `list_incidents`. All methods raise IncidentManagerError."""

    async def apply(
        self,
        filter: str,  # noqa: A002 - the contract's word
        verb: Verb,
        *,
        preview: bool = False,
        expected_count: int | None = None,
        limit: int = 0,
        actor: str = "",
        request_id: str = "",
    ) -> pb.ApplyToIncidentsResponse:
        """Applies a verb to every incident that matches, each by its own decision; with `preview` only tells.

        `expected_count` refuses the call (COUNT_CHANGED) when another number matches; without a `limit` more than
        10,000 are refused (TOO_MANY_MATCHES).
        """
        request = pb.ApplyToIncidentsRequest(
            filter=filter,
            request_id=request_id or calls.new_request_id(),
            actor=actor,
            preview=preview,
            expected_count=expected_count,
            limit=limit,
        )
        chosen = getattr(request, _FIELDS[verb.DESCRIPTOR.full_name])
        chosen.SetInParent()  # a verb without words is set all the same
        chosen.CopyFrom(verb)
        return await self._caller.unary(self._incidents.ApplyToIncidents, request)

    async def get_metrics(
        self,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",  # noqa: A002 - as above
        group_by: str = "",
    ) -> pb.GetIncidentMetricsResponse:
        """How many incidents there were and how long detecting, acknowledging and resolving them took."""
        request = pb.GetIncidentMetricsRequest(start=start, end=end, filter=filter, group_by=group_by)
        return await self._caller.unary(self._analytics.GetIncidentMetrics, request)

    async def get_trends(
        self,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",  # noqa: A002 - as above
        group_by: str = "",
        interval: pb.TrendInterval.ValueType = pb.TrendInterval.TREND_INTERVAL_DAY,
        time_zone: str = "",
    ) -> pb.GetIncidentTrendsResponse:
        """The same hour by hour, day by day, week by week or month by month of a time zone (UTC unless given)."""
        request = pb.GetIncidentTrendsRequest(
            start=start, end=end, filter=filter, group_by=group_by, interval=interval, time_zone=time_zone
        )
        return await self._caller.unary(self._analytics.GetIncidentTrends, request)

    async def get_sla_attainment(
        self,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",  # noqa: A002 - as above
        group_by: str = "",
    ) -> pb.GetSlaAttainmentResponse:
        """How many incidents were acknowledged and resolved within the time agreed for their severity."""
        request = pb.GetSlaAttainmentRequest(start=start, end=end, filter=filter, group_by=group_by)
        return await self._caller.unary(self._analytics.GetSlaAttainment, request)
