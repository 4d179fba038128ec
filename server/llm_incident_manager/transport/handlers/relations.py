"""IncidentService: related incidents, links, notes alone, attachments."""

from collections.abc import Callable
from typing import Any

from incidentmanager.v1 import incident_attachments_pb2, incident_relations_pb2

from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.relations import Attachment
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import belongings, writes
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import incidents as translate
from llm_incident_manager.transport.translate import relations as translate_relations
from llm_incident_manager.usecases import sight

relations = incident_relations_pb2
attachments = incident_attachments_pb2


class RelationHandlers:
    """The methods of IncidentService about what belongs to an incident."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "ListRelatedIncidents": self.list_related,
            "LinkIncidents": self.link,
            "UnlinkIncidents": self.unlink,
            "ListNotes": self.list_notes,
            "AddAttachment": self.add_attachment,
            "ListAttachments": self.list_attachments,
            "RemoveAttachment": self.remove_attachment,
        }

    async def list_related(
        self, request: relations.ListRelatedIncidentsRequest, call: Call
    ) -> relations.ListRelatedIncidentsResponse:
        """A page of the incidents that one has to do with."""
        page = await belongings.page(self._on, "related", request, call)
        relation, other = page.after or (0, "")
        found = await sight.related(
            self._on.store, call.caller, page.incident, (int(relation or 0), str(other)), page.size + 1
        )
        token = page.token(found, lambda last: (int(last.relation), last.incident.id))
        as_of = self._on.as_of()
        shown = [translate_relations.related(each, as_of) for each in found[: page.size]]
        return relations.ListRelatedIncidentsResponse(related=shown, next_page_token=token)

    async def link(self, request: relations.LinkIncidentsRequest, call: Call) -> relations.LinkIncidentsResponse:
        """Links two incidents."""

        async def work(tx: Transaction, changes: Changes) -> relations.LinkIncidentsResponse:
            actor, refs = request.actor or call.caller.subject, (request.incident_id, request.linked_incident_id)
            linked = await self._on.linking.link(tx, changes, call.caller, refs, actor, request.reason)
            return relations.LinkIncidentsResponse(related=translate_relations.related(linked, self._on.as_of()))

        return await writes.write(self._on.units, call, request, relations.LinkIncidentsResponse, work)

    async def unlink(self, request: relations.UnlinkIncidentsRequest, call: Call) -> relations.UnlinkIncidentsResponse:
        """Takes a link away."""

        async def work(tx: Transaction, changes: Changes) -> relations.UnlinkIncidentsResponse:
            actor, refs = request.actor or call.caller.subject, (request.incident_id, request.linked_incident_id)
            incident = await self._on.linking.unlink(tx, changes, call.caller, refs, actor)
            return relations.UnlinkIncidentsResponse(incident=translate.incident(incident, self._on.as_of()))

        return await writes.write(self._on.units, call, request, relations.UnlinkIncidentsResponse, work)

    async def list_notes(self, request: attachments.ListNotesRequest, call: Call) -> attachments.ListNotesResponse:
        """A page of an incident's notes."""
        page = await belongings.page(self._on, "notes", request, call)
        after = str(page.after[0]) if page.after else ""
        found = await self._on.store.timeline(
            call.caller.tenant, page.incident, after, page.size + 1, TimelineKind.NOTE
        )
        token = page.token(found, lambda last: (last.id,))
        return attachments.ListNotesResponse(
            notes=[translate.entry(each) for each in found[: page.size]], next_page_token=token
        )

    async def add_attachment(
        self, request: attachments.AddAttachmentRequest, call: Call
    ) -> attachments.AddAttachmentResponse:
        """Attaches a link to material elsewhere."""
        actor, title = request.actor or call.caller.subject, request.title or request.url
        draft = Attachment(
            "", call.caller.tenant, IncidentId(""), request.url, title, request.media_type, actor, Instant(0)
        )

        async def work(tx: Transaction, changes: Changes) -> attachments.AddAttachmentResponse:
            added = await self._on.linking.attach(tx, changes, call.caller, request.incident_id, draft)
            return attachments.AddAttachmentResponse(attachment=translate_relations.attachment(added))

        return await writes.write(self._on.units, call, request, attachments.AddAttachmentResponse, work)

    async def list_attachments(
        self, request: attachments.ListAttachmentsRequest, call: Call
    ) -> attachments.ListAttachmentsResponse:
        """A page of an incident's attachments."""
        page = await belongings.page(self._on, "attachments", request, call)
        after = str(page.after[0]) if page.after else ""
        found = await self._on.store.attachments(call.caller.tenant, page.incident, after, page.size + 1)
        token = page.token(found, lambda last: (last.id,))
        shown = [translate_relations.attachment(each) for each in found[: page.size]]
        return attachments.ListAttachmentsResponse(attachments=shown, next_page_token=token)

    async def remove_attachment(
        self, request: attachments.RemoveAttachmentRequest, call: Call
    ) -> attachments.RemoveAttachmentResponse:
        """Removes an attachment."""

        async def work(tx: Transaction, changes: Changes) -> attachments.RemoveAttachmentResponse:
            removed = await self._on.linking.detach(
                tx,
                changes,
                call.caller,
                request.incident_id,
                request.attachment_id,
                request.actor or call.caller.subject,
            )
            return attachments.RemoveAttachmentResponse(attachment=translate_relations.attachment(removed))

        return await writes.write(self._on.units, call, request, attachments.RemoveAttachmentResponse, work)
