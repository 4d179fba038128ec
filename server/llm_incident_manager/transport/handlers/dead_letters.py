"""AdminService: dead letters."""

from collections.abc import Callable
from typing import Any

from incidentmanager.v1 import admin_service_pb2

from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.ports.dead_letters import DeadQuery
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import writes
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import dead_letters as translate
from llm_incident_manager.usecases.dead_letters import Deed, Outcome, Wish

admin = admin_service_pb2
DEFAULT, MOST = 100, 1_000


class DeadLetterHandlers:
    """The methods of AdminService."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "ListDeadLetters": self.list_dead_letters,
            "GetDeadLetter": self.get,
            "ReplayDeadLetters": self.replay,
            "DropDeadLetters": self.drop,
        }

    async def list_dead_letters(
        self, request: admin.ListDeadLettersRequest, call: Call
    ) -> admin.ListDeadLettersResponse:
        """A page of dead letters."""
        tenant, tokens = call.caller.tenant, self._on.pages.tokens
        topic, incident = request.topic, await self._incident(request.incident_id, call)
        size = paging.size_of(request.page_size, DEFAULT, MOST)
        scope = ("dead letters", tenant, topic, incident or "")
        after = str(tokens.open(scope, request.page_token)[0]) if request.page_token else ""
        found = await self._on.store.dead_letters(DeadQuery(tenant, topic, incident, after, size + 1))
        token = tokens.seal(scope, (found[size - 1].id,)) if len(found) > size else ""
        shown = translate.dead_letters(found[:size])
        return admin.ListDeadLettersResponse(dead_letters=shown, next_page_token=token)

    async def get(self, request: admin.GetDeadLetterRequest, call: Call) -> admin.GetDeadLetterResponse:
        """One dead letter."""
        found = await self._on.dead_letters.one(call.caller, request.dead_letter_id)
        return admin.GetDeadLetterResponse(dead_letter=translate.dead_letter(found))

    async def replay(self, request: admin.ReplayDeadLettersRequest, call: Call) -> admin.ReplayDeadLettersResponse:
        """Puts dead letters back to work."""
        outcome = await self._done(request, call, Deed.REPLAY)
        return admin.ReplayDeadLettersResponse(
            matched=outcome.matched,
            replayed=outcome.done,
            gone=outcome.gone,
            sample=translate.dead_letters(outcome.sample),
            preview=request.preview,
        )

    async def drop(self, request: admin.DropDeadLettersRequest, call: Call) -> admin.DropDeadLettersResponse:
        """Deletes dead letters."""
        outcome = await self._done(request, call, Deed.DROP)
        return admin.DropDeadLettersResponse(
            matched=outcome.matched,
            dropped=outcome.done,
            gone=outcome.gone,
            sample=translate.dead_letters(outcome.sample),
            preview=request.preview,
        )

    async def _done(self, request: Any, call: Call, deed: Deed) -> Outcome:
        wish = await self._wish(request, call, deed)
        if request.preview:
            return await self._on.dead_letters.preview(call.caller, wish)
        return await self._on.dead_letters.do(call.caller, wish, request.request_id, writes.digest(call, request))

    async def _wish(self, request: Any, call: Call, deed: Deed) -> Wish:
        selection = request.selection
        return Wish(
            deed,
            tuple(selection.named.ids),
            selection.matching.topic,
            await self._incident(selection.matching.incident_id, call),
            request.actor or call.caller.subject,
            request.reason,
            request.expected_count if request.HasField("expected_count") else None,
            request.limit,
        )

    async def _incident(self, ref: str, call: Call) -> IncidentId | None:
        """The id of the incident that is named, if one is. Raises NotFound."""
        return (await self._on.store.incident(call.caller.tenant, ref)).id if ref else None
