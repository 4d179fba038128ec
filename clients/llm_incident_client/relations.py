"""The methods of IncidentService that say how incidents belong together, and what hangs on them."""

from collections.abc import AsyncGenerator

from llm_incident_client import pb
from llm_incident_client.core import calls


class RelationCalls(calls.MethodGroup):
    """Relations, links, notes and attachments. All methods raise IncidentManagerError."""

    async def list_related(
        self, incident_id: str, *, page_size: int = 0, page_token: str = ""
    ) -> pb.ListRelatedIncidentsResponse:
        """One page of the incidents that one has to do with, grouped by relation."""
        request = pb.ListRelatedIncidentsRequest(incident_id=incident_id, page_size=page_size, page_token=page_token)
        return await self._caller.unary(self._incidents.ListRelatedIncidents, request)

    async def iter_related(self, incident_id: str, *, page_size: int = 100) -> AsyncGenerator[pb.RelatedIncident, None]:
        """All incidents that one has to do with, grouped by relation."""
        token = ""
        while True:
            reply = await self.list_related(incident_id, page_size=page_size, page_token=token)
            for related in reply.related:
                yield related
            token = reply.next_page_token
            if not token:
                return

    async def link(
        self, incident_id: str, linked_incident_id: str, *, reason: str = "", actor: str = "", request_id: str = ""
    ) -> pb.RelatedIncident:
        """Links two incidents, for both; returns the other one as it stands to the first."""
        request = pb.LinkIncidentsRequest(
            incident_id=incident_id,
            request_id=request_id or calls.new_request_id(),
            actor=actor,
            linked_incident_id=linked_incident_id,
            reason=reason,
        )
        return (await self._caller.unary(self._incidents.LinkIncidents, request)).related

    async def unlink(
        self, incident_id: str, linked_incident_id: str, *, actor: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Takes a link away, for both; returns the first incident."""
        request = pb.UnlinkIncidentsRequest(
            incident_id=incident_id,
            request_id=request_id or calls.new_request_id(),
            actor=actor,
            linked_incident_id=linked_incident_id,
        )
        return (await self._caller.unary(self._incidents.UnlinkIncidents, request)).incident

    async def list_notes(self, incident_id: str, *, page_size: int = 0, page_token: str = "") -> pb.ListNotesResponse:
        """One page of an incident's notes, oldest first."""
        request = pb.ListNotesRequest(incident_id=incident_id, page_size=page_size, page_token=page_token)
        return await self._caller.unary(self._incidents.ListNotes, request)

    async def iter_notes(self, incident_id: str, *, page_size: int = 100) -> AsyncGenerator[pb.TimelineEntry, None]:
        """All notes of an incident, oldest first."""
        token = ""
        while True:
            reply = await self.list_notes(incident_id, page_size=page_size, page_token=token)
            for note in reply.notes:
                yield note
            token = reply.next_page_token
            if not token:
                return

    async def add_attachment(
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
        request = pb.AddAttachmentRequest(
            incident_id=incident_id,
            request_id=request_id or calls.new_request_id(),
            actor=actor,
            url=url,
            title=title,
            media_type=media_type,
        )
        return (await self._caller.unary(self._incidents.AddAttachment, request)).attachment

    async def list_attachments(
        self, incident_id: str, *, page_size: int = 0, page_token: str = ""
    ) -> pb.ListAttachmentsResponse:
        """One page of an incident's attachments, oldest first. An incident has at most 200."""
        request = pb.ListAttachmentsRequest(incident_id=incident_id, page_size=page_size, page_token=page_token)
        return await self._caller.unary(self._incidents.ListAttachments, request)

    async def remove_attachment(
        self, incident_id: str, attachment_id: str, *, actor: str = "", request_id: str = ""
    ) -> pb.Attachment:
        """Removes an attachment; returns it as it was."""
        request = pb.RemoveAttachmentRequest(
            incident_id=incident_id,
            request_id=request_id or calls.new_request_id(),
            actor=actor,
            attachment_id=attachment_id,
        )
        return (await self._caller.unary(self._incidents.RemoveAttachment, request)).attachment
