"""The methods of IncidentService that move an incident or add to it. A request_id makes each safe to repeat."""

from collections.abc import Iterable
from datetime import datetime

from llm_incident_client import pb
from llm_incident_client.core import calls, times


class VerbCalls(calls.MethodGroup):
    """Verbs return the incident as it is afterwards. An `etag` refuses the call if somebody was faster (StaleEtag).

    An empty `actor` stands for the caller. All methods raise IncidentManagerError, IllegalTransition among them.
    """

    async def acknowledge(
        self, incident_id: str, *, actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Takes a NEW incident."""
        name = request_id or calls.new_request_id()
        request = pb.AcknowledgeRequest(incident_id=incident_id, request_id=name, etag=etag, actor=actor)
        return (await self._caller.unary(self._incidents.Acknowledge, request)).incident

    async def start_work(
        self, incident_id: str, *, actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Moves an incident to IN_PROGRESS."""
        name = request_id or calls.new_request_id()
        request = pb.StartWorkRequest(incident_id=incident_id, request_id=name, etag=etag, actor=actor)
        return (await self._caller.unary(self._incidents.StartWork, request)).incident

    async def escalate(
        self, incident_id: str, *, reason: str = "", actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Involves a higher tier."""
        name = request_id or calls.new_request_id()
        request = pb.EscalateRequest(incident_id=incident_id, request_id=name, etag=etag, actor=actor, reason=reason)
        return (await self._caller.unary(self._incidents.Escalate, request)).incident

    async def de_escalate(
        self, incident_id: str, *, reason: str = "", actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Gives an ESCALATED incident back to its responders."""
        name = request_id or calls.new_request_id()
        request = pb.DeEscalateRequest(incident_id=incident_id, request_id=name, etag=etag, actor=actor, reason=reason)
        return (await self._caller.unary(self._incidents.DeEscalate, request)).incident

    async def resolve(
        self,
        incident_id: str,
        *,
        resolved_by: str = "",
        method: pb.ResolutionMethod.ValueType = pb.ResolutionMethod.RESOLUTION_METHOD_UNSPECIFIED,
        notes: str = "",
        root_cause: str = "",
        force: bool = False,
        etag: str = "",
        request_id: str = "",
    ) -> pb.Incident:
        """Ends an incident. A NEW one, which nobody has taken, only with `force`."""
        request = pb.ResolveRequest(
            incident_id=incident_id,
            request_id=request_id or calls.new_request_id(),
            etag=etag,
            resolved_by=resolved_by,
            method=method,
            notes=notes,
            root_cause=root_cause,
            force=force,
        )
        return (await self._caller.unary(self._incidents.Resolve, request)).incident

    async def close(self, incident_id: str, *, actor: str = "", etag: str = "", request_id: str = "") -> pb.Incident:
        """Files a RESOLVED incident. (`aclose` closes the client.)"""
        name = request_id or calls.new_request_id()
        request = pb.CloseRequest(incident_id=incident_id, request_id=name, etag=etag, actor=actor)
        return (await self._caller.unary(self._incidents.Close, request)).incident

    async def reopen(
        self, incident_id: str, *, reason: str = "", actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Brings a RESOLVED or CLOSED incident back to IN_PROGRESS."""
        name = request_id or calls.new_request_id()
        request = pb.ReopenRequest(incident_id=incident_id, request_id=name, etag=etag, actor=actor, reason=reason)
        return (await self._caller.unary(self._incidents.Reopen, request)).incident

    async def assign(
        self, incident_id: str, assignees: Iterable[str], *, actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Replaces the people on an incident."""
        name = request_id or calls.new_request_id()
        request = pb.AssignRequest(
            incident_id=incident_id, request_id=name, etag=etag, actor=actor, assignees=assignees
        )
        return (await self._caller.unary(self._incidents.Assign, request)).incident

    async def snooze(
        self, incident_id: str, until: datetime, *, actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Tells nobody of an open incident until then (an aware datetime), unless it gets worse."""
        name = request_id or calls.new_request_id()
        request = pb.SnoozeRequest(
            incident_id=incident_id, request_id=name, etag=etag, actor=actor, until=times.timestamp(until)
        )
        return (await self._caller.unary(self._incidents.Snooze, request)).incident

    async def merge(
        self,
        incident_id: str,
        source_incident_ids: Iterable[str],
        *,
        actor: str = "",
        etag: str = "",
        request_id: str = "",
    ) -> pb.Incident:
        """Merges other open incidents into this open one, which it returns."""
        request = pb.MergeRequest(
            incident_id=incident_id,
            request_id=request_id or calls.new_request_id(),
            etag=etag,
            actor=actor,
            source_incident_ids=source_incident_ids,
        )
        return (await self._caller.unary(self._incidents.Merge, request)).incident

    async def unmerge(
        self, incident_id: str, *, reason: str = "", actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.UnmergeResponse:
        """Takes an incident out again that was merged into another one; returns both."""
        name = request_id or calls.new_request_id()
        request = pb.UnmergeRequest(incident_id=incident_id, request_id=name, etag=etag, actor=actor, reason=reason)
        return await self._caller.unary(self._incidents.Unmerge, request)

    async def split(
        self,
        incident_id: str,
        event_ids: Iterable[str],
        *,
        title: str = "",
        reason: str = "",
        actor: str = "",
        etag: str = "",
        request_id: str = "",
    ) -> pb.SplitResponse:
        """Takes events out of an open incident into a new one; returns both, and where later events will land."""
        request = pb.SplitRequest(
            incident_id=incident_id,
            request_id=request_id or calls.new_request_id(),
            etag=etag,
            actor=actor,
            event_ids=event_ids,
            title=title,
            reason=reason,
        )
        return await self._caller.unary(self._incidents.Split, request)

    async def add_note(self, incident_id: str, text: str, *, actor: str = "", request_id: str = "") -> pb.TimelineEntry:
        """Adds a note, in any state."""
        name = request_id or calls.new_request_id()
        request = pb.AddNoteRequest(incident_id=incident_id, request_id=name, actor=actor, text=text)
        return (await self._caller.unary(self._incidents.AddNote, request)).entry
