# Written by `make gen` from llm_incident_client/admin.py: edit that file.
"""The methods of AdminService: work after the commit that was given up."""

from llm_incident_client import admin as asynchronous
from llm_incident_client import pb
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.items import Items


class AdminCalls(Blocking):
    """Work after the commit, and dead letters. All methods raise IncidentManagerError."""

    def get_bus_status(self) -> pb.GetBusStatusResponse:
        """How much work waits, since when, and how much was given up, topic by topic."""
        return self.portal.wait(self._as(asynchronous.AdminCalls).get_bus_status())

    def list_dead_letters(
        self, *, topic: str = "", incident_id: str = "", page_size: int = 0, page_token: str = ""
    ) -> pb.ListDeadLettersResponse:
        """One page of dead letters, oldest first."""
        return self.portal.wait(
            self._as(asynchronous.AdminCalls).list_dead_letters(
                topic=topic, incident_id=incident_id, page_size=page_size, page_token=page_token
            )
        )

    def iter_dead_letters(
        self, *, topic: str = "", incident_id: str = "", page_size: int = 100
    ) -> Items[pb.DeadLetter]:
        """All dead letters, oldest first."""
        return Items(
            self,
            self._as(asynchronous.AdminCalls).iter_dead_letters(
                topic=topic, incident_id=incident_id, page_size=page_size
            ),
        )

    def get_dead_letter(self, dead_letter_id: str) -> pb.DeadLetter:
        """One dead letter."""
        return self.portal.wait(self._as(asynchronous.AdminCalls).get_dead_letter(dead_letter_id))

    def replay_dead_letters(
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
        return self.portal.wait(
            self._as(asynchronous.AdminCalls).replay_dead_letters(
                selection,
                reason=reason,
                preview=preview,
                expected_count=expected_count,
                limit=limit,
                actor=actor,
                request_id=request_id,
            )
        )

    def drop_dead_letters(
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
        return self.portal.wait(
            self._as(asynchronous.AdminCalls).drop_dead_letters(
                selection,
                reason,
                preview=preview,
                expected_count=expected_count,
                limit=limit,
                actor=actor,
                request_id=request_id,
            )
        )
