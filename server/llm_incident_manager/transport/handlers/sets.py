"""Many incidents at once: one verb for all that a filter matches."""

from collections.abc import Callable
from typing import Any

from incidentmanager.v1 import incident_apply_pb2

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.domain.incident import ResolutionMethod
from llm_incident_manager.domain.lifecycle import Verb
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import lists, writes
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import enums, times
from llm_incident_manager.transport.translate import relations as translate
from llm_incident_manager.usecases.applying import Assigning, Change, Noting, SnoozeUntil, Wish
from llm_incident_manager.usecases.incidents import Ask

apply = incident_apply_pb2


class SetHandlers:
    """ApplyToIncidents."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {"ApplyToIncidents": self.apply}

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
