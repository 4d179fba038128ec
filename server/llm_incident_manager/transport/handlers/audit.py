"""AuditService: reads and proves the audit trail of the caller's tenant."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from incidentmanager.v1 import audit_service_pb2

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.audit import AuditPlace, AuditQuery
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.page_tokens import PageTokens
from llm_incident_manager.transport.translate import audit as translate
from llm_incident_manager.transport.translate import times
from llm_incident_manager.usecases.auditing import Auditing

pb = audit_service_pb2
DEFAULT, MOST = 100, 1_000
PAGE_SECONDS = 3.0
"""How long a page may take to find."""


class AuditHandlers:
    """The methods of AuditService."""

    def __init__(self, auditing: Auditing, tokens: PageTokens) -> None:
        """Asks this use case."""
        self._auditing = auditing
        self._tokens = tokens

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "ListAuditRecords": self.list_records,
            "ListAuditCheckpoints": self.list_checkpoints,
            "VerifyAudit": self.verify,
            "ExportAudit": self.export,
        }

    async def list_records(self, request: pb.ListAuditRecordsRequest, call: Call) -> pb.ListAuditRecordsResponse:
        """A page of records, newest first."""
        since, before = _moment(request, "start_time"), _moment(request, "end_time")
        filters = (request.actor, request.action, request.resource)
        scope = ("audit", call.caller.tenant, *filters, str(since), str(before))
        size = paging.size_of(request.page_size, DEFAULT, MOST)
        after = _place(self._tokens, scope, request.page_token)
        found = await self._page(AuditQuery(call.caller.tenant, *filters, since, before, after, size + 1))
        shown, token = found[:size], ""
        if len(found) > size:
            token = self._tokens.seal(scope, (shown[-1].at, shown[-1].writer, shown[-1].sequence))
        return pb.ListAuditRecordsResponse(records=translate.records(shown), next_page_token=token)

    async def list_checkpoints(
        self, request: pb.ListAuditCheckpointsRequest, call: Call
    ) -> pb.ListAuditCheckpointsResponse:
        """A page of checkpoints, newest first."""
        scope = ("audit checkpoints", call.caller.tenant)
        size = paging.size_of(request.page_size, DEFAULT, MOST)
        before = int(self._tokens.open(scope, request.page_token)[0] or 0) if request.page_token else 0
        found = await self._auditing.checkpoints(call.caller, before, size + 1)
        token = self._tokens.seal(scope, (found[size - 1].number,)) if len(found) > size else ""
        shown = [translate.checkpoint(checkpoint) for checkpoint in found[:size]]
        return pb.ListAuditCheckpointsResponse(checkpoints=shown, next_page_token=token)

    async def verify(self, _: pb.VerifyAuditRequest, call: Call) -> pb.VerifyAuditResponse:
        """Looks through the whole trail."""
        return translate.report(await self._auditing.verify(call.caller))

    async def export(self, request: pb.ExportAuditRequest, call: Call) -> AsyncIterator[pb.ExportAuditResponse]:
        """The whole trail as lines."""
        async for chunk in self._auditing.export(call.caller, _moment(request, "start_time")):
            yield pb.ExportAuditResponse(chunk=chunk)

    async def _page(self, query: AuditQuery) -> Any:
        """The records of a page. One that hardly anything matches ends here, not when the caller has lost patience."""
        try:
            async with asyncio.timeout(PAGE_SECONDS):
                return await self._auditing.page(query)
        except TimeoutError:
            message = f"the list was not found within {PAGE_SECONDS:g} s: narrow it with start_time and end_time"
            facts = {"deadline_ms": str(round(PAGE_SECONDS * 1_000))}
            raise DomainError(ErrorReason.DEADLINE_EXCEEDED, message, facts) from None


def _place(tokens: PageTokens, scope: tuple[str, ...], token: str) -> AuditPlace | None:
    if not token:
        return None
    at, writer, sequence = tokens.open(scope, token)
    return AuditPlace(Instant(int(at or 0)), str(writer), int(sequence or 0))


def _moment(request: Any, field: str) -> Instant | None:
    if not request.HasField(field):
        return None
    given: Timestamp = getattr(request, field)
    return times.instant(given)
