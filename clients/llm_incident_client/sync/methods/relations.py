# Written by `make gen` from llm_incident_client/relations.py: edit that file.
"""The methods of IncidentService that say how incidents belong together, and what hangs on them."""

from llm_incident_client import pb
from llm_incident_client import relations as asynchronous
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.items import Items


class RelationCalls(Blocking):
    """Relations, links, notes and attachments. All methods raise IncidentManagerError."""

    def list_related(
        self, incident_id: str, *, page_size: int = 0, page_token: str = ""
    ) -> pb.ListRelatedIncidentsResponse:
        """One page of the incidents that one has to do with, grouped by relation."""
        return self.portal.wait(
            self._as(asynchronous.RelationCalls).list_related(incident_id, page_size=page_size, page_token=page_token)
        )

    def iter_related(self, incident_id: str, *, page_size: int = 100) -> Items[pb.RelatedIncident]:
        """All incidents that one has to do with, grouped by relation."""
        return Items(self, self._as(asynchronous.RelationCalls).iter_related(incident_id, page_size=page_size))

    def link(
        self, incident_id: str, linked_incident_id: str, *, reason: str = "", actor: str = "", request_id: str = ""
    ) -> pb.RelatedIncident:
        """Links two incidents, for both; returns the other one as it stands to the first."""
        return self.portal.wait(
            self._as(asynchronous.RelationCalls).link(
                incident_id, linked_incident_id, reason=reason, actor=actor, request_id=request_id
            )
        )

    def unlink(
        self, incident_id: str, linked_incident_id: str, *, actor: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Takes a link away, for both; returns the first incident."""
        return self.portal.wait(
            self._as(asynchronous.RelationCalls).unlink(
                incident_id, linked_incident_id, actor=actor, request_id=request_id
            )
        )

    def list_notes(self, incident_id: str, *, page_size: int = 0, page_token: str = "") -> pb.ListNotesResponse:
        """One page of an incident's notes, oldest first."""
        return self.portal.wait(
            self._as(asynchronous.RelationCalls).list_notes(incident_id, page_size=page_size, page_token=page_token)
        )

    def iter_notes(self, incident_id: str, *, page_size: int = 100) -> Items[pb.TimelineEntry]:
        """All notes of an incident, oldest first."""
        return Items(self, self._as(asynchronous.RelationCalls).iter_notes(incident_id, page_size=page_size))

    def add_attachment(
        self,
        incident_id: str,
        url: str,
        *,
        title: str = "",
        media_type: str = "",
        actor: str = "",
        request_id: str = "",
    ) -> pb.Attachment:
        """Attaches a link (http or https) to material elsewhere; nothing is fetched."""
        return self.portal.wait(
            self._as(asynchronous.RelationCalls).add_attachment(
                incident_id, url, title=title, media_type=media_type, actor=actor, request_id=request_id
            )
        )

    def list_attachments(
        self, incident_id: str, *, page_size: int = 0, page_token: str = ""
    ) -> pb.ListAttachmentsResponse:
        """One page of an incident's attachments, oldest first. An incident has at most 200."""
        return self.portal.wait(
            self._as(asynchronous.RelationCalls).list_attachments(
                incident_id, page_size=page_size, page_token=page_token
            )
        )

    def remove_attachment(
        self, incident_id: str, attachment_id: str, *, actor: str = "", request_id: str = ""
    ) -> pb.Attachment:
        """Removes an attachment; returns it as it was."""
        return self.portal.wait(
            self._as(asynchronous.RelationCalls).remove_attachment(
                incident_id, attachment_id, actor=actor, request_id=request_id
            )
        )
