# Written by `make gen` from llm_incident_client/verbs.py: edit that file.
"""The methods of IncidentService that move an incident or add to it. A request_id makes each safe to repeat."""

from collections.abc import Iterable
from datetime import datetime

from llm_incident_client import pb
from llm_incident_client import verbs as asynchronous
from llm_incident_client.sync.blocking import Blocking


class VerbCalls(Blocking):
    """Verbs return the incident as it is afterwards. An `etag` refuses the call if somebody was faster (StaleEtag).

    An empty `actor` stands for the caller. All methods raise IncidentManagerError, IllegalTransition among them.
    """

    def acknowledge(self, incident_id: str, *, actor: str = "", etag: str = "", request_id: str = "") -> pb.Incident:
        """Takes a NEW incident."""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).acknowledge(incident_id, actor=actor, etag=etag, request_id=request_id)
        )

    def start_work(self, incident_id: str, *, actor: str = "", etag: str = "", request_id: str = "") -> pb.Incident:
        """Moves an incident to IN_PROGRESS."""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).start_work(incident_id, actor=actor, etag=etag, request_id=request_id)
        )

    def escalate(
        self, incident_id: str, *, reason: str = "", actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Involves a higher tier."""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).escalate(
                incident_id, reason=reason, actor=actor, etag=etag, request_id=request_id
            )
        )

    def de_escalate(
        self, incident_id: str, *, reason: str = "", actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Gives an ESCALATED incident back to its responders."""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).de_escalate(
                incident_id, reason=reason, actor=actor, etag=etag, request_id=request_id
            )
        )

    def resolve(
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
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).resolve(
                incident_id,
                resolved_by=resolved_by,
                method=method,
                notes=notes,
                root_cause=root_cause,
                force=force,
                etag=etag,
                request_id=request_id,
            )
        )

    def close(self, incident_id: str, *, actor: str = "", etag: str = "", request_id: str = "") -> pb.Incident:
        """Files a RESOLVED incident. (`shutdown` ends the client.)"""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).close(incident_id, actor=actor, etag=etag, request_id=request_id)
        )

    def reopen(
        self, incident_id: str, *, reason: str = "", actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Brings a RESOLVED or CLOSED incident back to IN_PROGRESS."""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).reopen(
                incident_id, reason=reason, actor=actor, etag=etag, request_id=request_id
            )
        )

    def assign(
        self, incident_id: str, assignees: Iterable[str], *, actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Replaces the people on an incident."""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).assign(
                incident_id, list(assignees), actor=actor, etag=etag, request_id=request_id
            )
        )

    def snooze(
        self, incident_id: str, until: datetime, *, actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Tells nobody of an open incident until then (an aware datetime), unless it gets worse."""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).snooze(incident_id, until, actor=actor, etag=etag, request_id=request_id)
        )

    def merge(
        self,
        incident_id: str,
        source_incident_ids: Iterable[str],
        *,
        actor: str = "",
        etag: str = "",
        request_id: str = "",
    ) -> pb.Incident:
        """Merges other open incidents into this open one, which it returns."""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).merge(
                incident_id, list(source_incident_ids), actor=actor, etag=etag, request_id=request_id
            )
        )

    def unmerge(
        self, incident_id: str, *, reason: str = "", actor: str = "", etag: str = "", request_id: str = ""
    ) -> pb.UnmergeResponse:
        """Takes an incident out again that was merged into another one; returns both."""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).unmerge(
                incident_id, reason=reason, actor=actor, etag=etag, request_id=request_id
            )
        )

    def split(
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
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).split(
                incident_id, list(event_ids), title=title, reason=reason, actor=actor, etag=etag, request_id=request_id
            )
        )

    def add_note(self, incident_id: str, text: str, *, actor: str = "", request_id: str = "") -> pb.TimelineEntry:
        """Adds a note, in any state."""
        return self.portal.wait(
            self._as(asynchronous.VerbCalls).add_note(incident_id, text, actor=actor, request_id=request_id)
        )
