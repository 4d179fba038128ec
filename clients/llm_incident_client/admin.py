"""The methods of AdminService: work after the commit that was given up."""

from collections.abc import AsyncGenerator

from llm_incident_client import pb
from llm_incident_client.core import calls


class AdminCalls(calls.MethodGroup):
    """Work after the commit, and dead letters. All methods raise IncidentManagerError."""

    async def get_bus_status(self) -> pb.GetBusStatusResponse:
        """How much work waits, since when, and how much was given up, topic by topic."""
        return await self._caller.unary(self._admin.GetBusStatus, pb.GetBusStatusRequest())

    async def list_dead_letters(
        self, *, topic: str = "", incident_id: str = "", page_size: int = 0, page_token: str = ""
    ) -> pb.ListDeadLettersResponse:
        """One page of dead letters, oldest first."""
        request = pb.ListDeadLettersRequest(
            topic=topic, incident_id=incident_id, page_size=page_size, page_token=page_token
        )
        return await self._caller.unary(self._admin.ListDeadLetters, request)

    async def iter_dead_letters(
        self, *, topic: str = "", incident_id: str = "", page_size: int = 100
    ) -> AsyncGenerator[pb.DeadLetter, None]:
        """All dead letters, oldest first."""
        token = ""
        while True:
            reply = await self.list_dead_letters(
                topic=topic, incident_id=incident_id, page_size=page_size, page_token=token
            )
            for dead_letter in reply.dead_letters:
                yield dead_letter
            token = reply.next_page_token
            if not token:
                return

    async def get_dead_letter(self, dead_letter_id: str) -> pb.DeadLetter:
        """One dead letter."""
        request = pb.GetDeadLetterRequest(dead_letter_id=dead_letter_id)
        return (await self._caller.unary(self._admin.GetDeadLetter, request)).dead_letter

    async def replay_dead_letters(
        self,
        selection: pb.DeadLetterSelection,
        *,
        reason: str = "",
        preview: bool = False,
        expected_count: int | None = None,
        limit: int = 0,
        actor: str = "",
        request_id: str = "",
    ) -> pb.ReplayDeadLettersResponse:
        """Puts dead letters back to work; with `preview` only tells which.

        `expected_count` refuses the call (COUNT_CHANGED) when another number is selected; without a `limit` more than
        10,000 are refused (TOO_MANY_MATCHES).
        """
        request = pb.ReplayDeadLettersRequest(
            selection=selection,
            request_id=request_id or calls.new_request_id(),
            actor=actor,
            preview=preview,
            expected_count=expected_count,
            limit=limit,
            reason=reason,
        )
        return await self._caller.unary(self._admin.ReplayDeadLetters, request)

    async def drop_dead_letters(
        self,
        selection: pb.DeadLetterSelection,
        reason: str,
        *,
        preview: bool = False,
        expected_count: int | None = None,
        limit: int = 0,
        actor: str = "",
        request_id: str = "",
    ) -> pb.DropDeadLettersResponse:
        """Deletes dead letters, so that their work is never done; with `preview` only tells which. Limits as above."""
        request = pb.DropDeadLettersRequest(
            selection=selection,
            request_id=request_id or calls.new_request_id(),
            actor=actor,
            preview=preview,
            expected_count=expected_count,
            limit=limit,
            reason=reason,
        )
        return await self._caller.unary(self._admin.DropDeadLetters, request)
