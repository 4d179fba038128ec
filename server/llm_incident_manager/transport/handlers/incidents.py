"""IncidentService: reading and moving incidents."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from google.protobuf.message import Message
from incidentmanager.v1 import incident_pb2, incident_service_pb2, incident_verbs_pb2

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident, ResolutionMethod
from llm_incident_manager.domain.lifecycle import Verb
from llm_incident_manager.domain.timeline import ChangeKind
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport import resume
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import lists, writes
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import enums, times
from llm_incident_manager.transport.translate import incidents as translate
from llm_incident_manager.usecases import draft, sight
from llm_incident_manager.usecases.incidents import Ask, Target

service = incident_service_pb2
verbs = incident_verbs_pb2

_VERBS: dict[str, tuple[Verb, type[Message]]] = {
    "Acknowledge": (Verb.ACKNOWLEDGE, verbs.AcknowledgeResponse),
    "StartWork": (Verb.START_WORK, verbs.StartWorkResponse),
    "Escalate": (Verb.ESCALATE, verbs.EscalateResponse),
    "DeEscalate": (Verb.DE_ESCALATE, verbs.DeEscalateResponse),
    "Resolve": (Verb.RESOLVE, verbs.ResolveResponse),
    "Close": (Verb.CLOSE, verbs.CloseResponse),
    "Reopen": (Verb.REOPEN, verbs.ReopenResponse),
}
_LATER = ("AnalyzeCorrelations",)


class IncidentHandlers:
    """The methods of IncidentService."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        own: dict[str, Callable[..., Any]] = {
            "CreateIncident": self.create,
            "GetIncident": self.get,
            "UpdateIncident": self.update,
            "ListIncidents": self.list,
            "StreamIncidents": self.stream,
            "WatchIncidents": self.watch,
            "Assign": self.assign,
            "Snooze": self.snooze,
            "AddNote": self.add_note,
            "ListTimeline": self.list_timeline,
        }
        moves = {name: self._mover(verb, reply) for name, (verb, reply) in _VERBS.items()}
        return {**own, **moves, **dict.fromkeys(_LATER, _not_available)}

    async def get(self, request: service.GetIncidentRequest, call: Call) -> incident_pb2.Incident:
        """An incident by id or number."""
        return self._out(await sight.incident(self._on.store, call.caller, request.incident_id))

    async def list(self, request: service.ListIncidentsRequest, call: Call) -> service.ListIncidentsResponse:
        """A page of incidents."""
        return await lists.incidents(self._on, request, call.caller)

    async def list_timeline(self, request: verbs.ListTimelineRequest, call: Call) -> verbs.ListTimelineResponse:
        """A page of an incident's timeline."""
        return await lists.timeline(self._on, request, call.caller)

    async def create(self, request: service.CreateIncidentRequest, call: Call) -> service.CreateIncidentResponse:
        """Opens an incident by hand."""
        now = self._on.clock.now()
        await self._on.numbers.reserve(call.caller.tenant, now, 1)

        async def work(tx: Transaction, changes: Changes) -> service.CreateIncidentResponse:
            name, number = IncidentId(self._on.tools.ids.new(now)), self._on.numbers.take(call.caller.tenant, now)
            birth = draft.Birth(name, number, now, call.traceparent)
            drafted = draft.incident(translate.report(request), call.caller, birth, self._on.tools.judge.pack)
            opened = await self._on.incidents.open(tx, changes, drafted, call.caller.subject)
            return service.CreateIncidentResponse(incident_id=opened.id, status="created", incident=self._out(opened))

        done = await writes.done(self._on.units, call, request, service.CreateIncidentResponse, work)
        if not done.repeated:
            self._on.metrics.incidents_opened()
        return done.answer

    async def update(self, request: service.UpdateIncidentRequest, call: Call) -> incident_pb2.Incident:
        """Edits fields."""
        fields = _edits(request)
        target = Target(request.incident.id, request.incident.etag)

        async def work(tx: Transaction, changes: Changes) -> incident_pb2.Incident:
            actor = request.actor or call.caller.subject
            return self._out(await self._on.incidents.update(tx, changes, call.caller, target, actor, fields))

        return await writes.write(self._on.units, call, request, incident_pb2.Incident, work)

    async def assign(self, request: verbs.AssignRequest, call: Call) -> verbs.AssignResponse:
        """Replaces the people on an incident."""
        target = Target(request.incident_id, request.etag)

        async def work(tx: Transaction, changes: Changes) -> verbs.AssignResponse:
            actor, people = request.actor or call.caller.subject, request.assignees
            incident = await self._on.incidents.assign(tx, changes, call.caller, target, actor, people)
            return verbs.AssignResponse(incident=self._out(incident))

        return await writes.write(self._on.units, call, request, verbs.AssignResponse, work)

    async def snooze(self, request: verbs.SnoozeRequest, call: Call) -> verbs.SnoozeResponse:
        """Tells nobody of an incident for a while."""
        target, until = Target(request.incident_id, request.etag), times.instant(request.until)

        async def work(tx: Transaction, changes: Changes) -> verbs.SnoozeResponse:
            actor = request.actor or call.caller.subject
            incident = await self._on.snoozing.snooze(tx, changes, call.caller, target, actor, until)
            return verbs.SnoozeResponse(incident=self._out(incident))

        return await writes.write(self._on.units, call, request, verbs.SnoozeResponse, work)

    async def add_note(self, request: verbs.AddNoteRequest, call: Call) -> verbs.AddNoteResponse:
        """Adds a note."""

        async def work(tx: Transaction, changes: Changes) -> verbs.AddNoteResponse:
            actor = request.actor or call.caller.subject
            added = await self._on.incidents.add_note(
                tx, changes, call.caller, request.incident_id, actor, request.text
            )
            return verbs.AddNoteResponse(entry=translate.entry(added))

        return await writes.write(self._on.units, call, request, verbs.AddNoteResponse, work)

    async def stream(self, request: service.StreamIncidentsRequest, call: Call) -> AsyncIterator[incident_pb2.Incident]:
        """The open incidents that match, then each one again as it changes."""
        wanted = service.WatchIncidentsRequest(filter=request.filter, snapshot=True)
        async for change in self.watch(wanted, call):
            if change.HasField("incident"):
                yield change.incident

    async def watch(
        self, request: service.WatchIncidentsRequest, call: Call
    ) -> AsyncIterator[incident_pb2.IncidentChange]:
        """Changes in commit order, with heartbeats, until the server drains."""
        if request.resume_token and request.snapshot:
            text = "snapshot and resume_token exclude each other: leave snapshot out to continue"
            raise InvalidFields([Violation("snapshot", text, "exclusive")])
        matching = lists.parsed_filter(request.filter)
        feed, token = self._on.feed, request.resume_token
        start = await feed.resumed(resume.position(token)) if token else await feed.position()
        if request.snapshot:
            async for incident in lists.open_incidents(self._on, matching, call):
                yield translate.change(incident, ChangeKind.SNAPSHOT, resume.token(start), self._on.as_of())
        async for change in self._on.watching.follow(call.caller, start, matching, call.hold):
            call.resume_token = change.resume_token
            yield change

    def _mover(self, verb: Verb, reply: type[Message]) -> Callable[[Any, Call], Awaitable[Message]]:
        async def handle(request: Any, call: Call) -> Message:
            async def work(tx: Transaction, changes: Changes) -> Message:
                ask, target = _ask(verb, request, call), Target(request.incident_id, request.etag)
                incident = await self._on.incidents.move(tx, changes, call.caller, target, ask)
                return reply(incident=self._out(incident))

            done = await writes.done(self._on.units, call, request, reply, work)
            if verb is Verb.ESCALATE and not done.repeated:
                self._on.metrics.incident_escalated()
            return done.answer

        return handle

    def _out(self, incident: Incident) -> incident_pb2.Incident:
        return translate.incident(incident, self._on.as_of())


def _ask(verb: Verb, request: Any, call: Call) -> Ask:
    if verb is not Verb.RESOLVE:
        return Ask(verb, request.actor or call.caller.subject, why=getattr(request, "reason", ""))
    return Ask(
        verb,
        request.resolved_by or call.caller.subject,
        force=request.force,
        method=enums.METHOD_IN.get(request.method, ResolutionMethod.MANUAL),
        notes=request.notes,
        root_cause=request.root_cause,
    )


def _edits(request: service.UpdateIncidentRequest) -> dict[str, object]:
    given = request.incident
    paths = list(request.update_mask.paths) or [f.name for f, _ in given.ListFields() if f.name not in ("id", "etag")]
    bad = [path for path in paths if path not in translate.EDITABLE]
    if bad:
        names = ", ".join(sorted(translate.EDITABLE))
        raise InvalidFields(
            [
                Violation("update_mask", f"{path!r} cannot be edited; fields that can: {names}", "editable")
                for path in bad
            ]
        )
    edits = {path: translate.EDITABLE[path](given) for path in paths}
    unset = [name for name, value in edits.items() if value is None or (name == "title" and not value)]
    if unset:
        raise InvalidFields(
            [
                Violation(f"incident.{name}", f"{name} is named in update_mask and empty: give a value", "required")
                for name in unset
            ]
        )
    return edits


async def _not_available(_: Message, call: Call) -> Message:
    text = f"{call.method.name} is part of the contract and not available in this release"
    raise DomainError(ErrorReason.NOT_AVAILABLE, text, {"method": call.method.full_name})
