"""Replies that their callers have not taken. HTTP/2 lets a client keep any number of them waiting for as long as its
connections live, and gRPC takes only so many calls at once: so nobody may have all of these."""

from collections import Counter

from grpc.aio import ServicerContext

from llm_incident_manager.domain.errors import Overloaded
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.errors import StatusError

MOST = 1_000
"""Of one caller, over all its connections: as many calls as one connection may have open."""


class Untaken:
    """How many each caller has."""

    def __init__(self, most: int = MOST) -> None:
        """None yet."""
        self._most = most
        self._of: Counter[tuple[str, str, str]] = Counter()

    def hand_over(self, call: Call, context: "ServicerContext[bytes, bytes]") -> StatusError | None:
        """Counts a reply until the call is over; or says why it is withheld. What the call was for has been done: a
        refusal, unlike a reply, waits for nobody."""
        principal = call.principal
        if principal is None:
            return None
        who = (principal.tenant, principal.subject, principal.credential)
        if self._of[who] >= self._most:
            return errors.status_error(Overloaded("the line of replies you have not taken", self._most, 1.0, "replies"))
        self._of[who] += 1
        context.add_done_callback(lambda _: self._over(who))  # type: ignore[arg-type]  # the stub wants a method
        return None

    def _over(self, who: tuple[str, str, str]) -> None:
        self._of[who] -= 1
        if not self._of[who]:
            del self._of[who]
