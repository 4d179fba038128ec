# Written by `make gen` from llm_incident_client/sets.py: edit that file.
"""The methods about many incidents at once: one verb for all that a filter matches, and figures."""

from llm_incident_client import pb
from llm_incident_client import sets as asynchronous
from llm_incident_client.sets import Verb
from llm_incident_client.sync.blocking import Blocking


class SetCalls(Blocking):
    """Filters are those of `list_incidents`. All methods raise IncidentManagerError."""

    def apply(
        self,
        filter: str,
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
        return self.portal.wait(
            self._as(asynchronous.SetCalls).apply(
                filter,
                verb,
                preview=preview,
                expected_count=expected_count,
                limit=limit,
                actor=actor,
                request_id=request_id,
            )
        )

    def get_metrics(
        self, *, start: str = "", end: str = "", filter: str = "", group_by: str = ""
    ) -> pb.GetIncidentMetricsResponse:
        """How many incidents there were and how long detecting, acknowledging and resolving them took."""
        return self.portal.wait(
            self._as(asynchronous.SetCalls).get_metrics(start=start, end=end, filter=filter, group_by=group_by)
        )

    def get_trends(
        self,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",
        group_by: str = "",
        interval: pb.TrendInterval.ValueType = pb.TrendInterval.TREND_INTERVAL_DAY,
        time_zone: str = "",
    ) -> pb.GetIncidentTrendsResponse:
        """The same hour by hour, day by day, week by week or month by month of a time zone (UTC unless given)."""
        return self.portal.wait(
            self._as(asynchronous.SetCalls).get_trends(
                start=start, end=end, filter=filter, group_by=group_by, interval=interval, time_zone=time_zone
            )
        )

    def get_sla_attainment(
        self, *, start: str = "", end: str = "", filter: str = "", group_by: str = ""
    ) -> pb.GetSlaAttainmentResponse:
        """How many incidents were acknowledged and resolved within the time agreed for their severity."""
        return self.portal.wait(
            self._as(asynchronous.SetCalls).get_sla_attainment(start=start, end=end, filter=filter, group_by=group_by)
        )
