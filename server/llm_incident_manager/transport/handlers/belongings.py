"""Pages of what belongs to one incident."""

from collections.abc import Callable, Sequence
from typing import Any

from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers.lists import TIMELINE_DEFAULT, TIMELINE_MOST
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.usecases import sight

Place = tuple[str | int | float | None, ...]


async def page(on: Services, what: str, request: Any, call: Call) -> "Page":
    """The page of a list called `what` that a request asks for. Raises NotFound, INVALID_PAGE_TOKEN."""
    size = paging.size_of(request.page_size, TIMELINE_DEFAULT, TIMELINE_MOST)
    incident = await sight.incident(on.store, call.caller, request.incident_id)
    return Page(on, (what, call.caller.tenant, incident.id), incident.id, size, request.page_token)


class Page:
    """Where a list of an incident's belongings goes on."""

    def __init__(self, on: Services, scope: tuple[str, ...], incident: IncidentId, size: int, page_token: str) -> None:
        """`scope` says which list of what a token is for."""
        self._tokens = on.pages.tokens
        self._scope = scope
        self.incident = incident
        self.size = size
        self.after: Place = self._tokens.open(scope, page_token) if page_token else ()

    def token(self, found: Sequence[Any], place: Callable[[Any], Place]) -> str:
        """The token behind the last one shown; empty when nothing comes after it."""
        return self._tokens.seal(self._scope, place(found[self.size - 1])) if len(found) > self.size else ""
