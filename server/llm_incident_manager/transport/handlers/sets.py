"""Many incidents at once: one verb for all that a filter matches, and figures."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from incidentmanager.v1 import analytics_service_pb2, incident_apply_pb2

from llm_incident_manager.domain import figures
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.domain.incident import ResolutionMethod
from llm_incident_manager.domain.lifecycle import Verb
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import lists, writes
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import enums, times
from llm_incident_manager.transport.translate import relations as translate
from llm_incident_manager.usecases import sight
from llm_incident_manager.usecases.applying import Assigning, Change, Noting, SnoozeUntil, Wish
from llm_incident_manager.usecases.incidents import Ask

apply = incident_apply_pb2
analytics = analytics_service_pb2


class SetHandlers:
    """ApplyToIncidents and GetIncidentMetrics."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def incident_table(self) -> dict[str, Callable[..., Any]]:
        """Handlers of IncidentService by method name."""
        return {"ApplyToIncidents": self.apply}

    def analytics_table(self) -> dict[str, Callable[..., Any]]:
        """Handlers of AnalyticsService by method name."""
        return {"GetIncidentMetrics": self.metrics}

    async def apply(self, request: apply.ApplyToIncidentsRequest, call: Call) -> apply.ApplyToIncidentsResponse:
        """Applies one verb to every incident that matches."""
        matching = lists.parsed_filter(request.filter)
        if matching is None:
            text = "filter is empty, which would mean all incidents: say which, for instance state = NEW"
            raise InvalidFields([Violation("filter", text, "required")])
        expected = request.expected_count if request.HasField("expected_count") else None
        wish = Wish(matching, _change(request, request.actor or call.caller.subject), expected, request.limit)
        if request.preview:
            tally = await self._on.applying.preview(call.caller, wish)
        else:
            digest = writes.digest(call, request)
            tally = await self._on.applying.apply(call.caller, wish, request.request_id, digest)
        return translate.tally(tally, self._on.as_of(), preview=request.preview)

    async def metrics(
        self, request: analytics.GetIncidentMetricsRequest, call: Call
    ) -> analytics.GetIncidentMetricsResponse:
        """Counts and times over many incidents."""
        if request.group_by and request.group_by not in figures.GROUPS:
            names = ", ".join(figures.GROUPS)
            text = f"{request.group_by!r} is no field to group by: use one of {names}"
            raise InvalidFields([Violation("group_by", text, "in")])
        span = paging.span_of(request.start, request.end)
        query = replace(
            sight.query(call.caller, lists.parsed_filter(request.filter)),
            created_from=span.created_from,
            created_before=span.created_before,
        )
        return translate.table(await self._on.store.figures(query, request.group_by))


_VERBS = {
    "acknowledge": Verb.ACKNOWLEDGE,
    "start_work": Verb.START_WORK,
    "escalate": Verb.ESCALATE,
    "de_escalate": Verb.DE_ESCALATE,
    "resolve": Verb.RESOLVE,
    "close": Verb.CLOSE,
    "reopen": Verb.REOPEN,
}


def _change(request: apply.ApplyToIncidentsRequest, actor: str) -> Change:
    match request.WhichOneof("verb"):
        case "assign":
            return Assigning(actor, tuple(request.assign.assignees))
        case "add_note":
            return Noting(actor, request.add_note.text)
        case "snooze":
            return SnoozeUntil(actor, times.instant(request.snooze.until))
        case "resolve":
            given = request.resolve
            method = enums.METHOD_IN.get(given.method, ResolutionMethod.MANUAL)
            return Ask(
                Verb.RESOLVE, actor, force=given.force, method=method, notes=given.notes, root_cause=given.root_cause
            )
        case str(name):
            return Ask(_VERBS[name], actor, why=getattr(getattr(request, name), "reason", ""))
        case None:
            raise InvalidFields([Violation("verb", "say what to do with the incidents", "required")])
