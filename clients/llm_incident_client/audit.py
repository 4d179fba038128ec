"""The methods of AuditService: the audit trail, and the proof that it is what was written."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

from llm_incident_client import pb
from llm_incident_client.core import calls


class AuditCalls(calls.MethodGroup):
    """The audit trail of the caller's tenant. All methods raise IncidentManagerError."""

    async def list_audit_records(
        self,
        *,
        actor: str = "",
        action: str = "",
        resource: str = "",
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        page_size: int = 0,
        page_token: str = "",
    ) -> pb.ListAuditRecordsResponse:
        """One page of records, newest first; an `action` that ends in a dot means all that begin with it."""
        request = pb.ListAuditRecordsRequest(
            actor=actor,
            action=action,
            resource=resource,
            start_time=_timestamp(start_time),
            end_time=_timestamp(end_time),
            page_size=page_size,
            page_token=page_token,
        )
        return await self._caller.unary(self._audit.ListAuditRecords, request)

    async def iter_audit_records(
        self,
        *,
        actor: str = "",
        action: str = "",
        resource: str = "",
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        page_size: int = 500,
    ) -> AsyncGenerator[pb.AuditRecord, None]:
        """All records that match, newest first."""
        token = ""
        while True:
            reply = await self.list_audit_records(
                actor=actor,
                action=action,
                resource=resource,
                start_time=start_time,
                end_time=end_time,
                page_size=page_size,
                page_token=token,
            )
            for record in reply.records:
                yield record
            token = reply.next_page_token
            if not token:
                return

    async def list_audit_checkpoints(
        self, *, page_size: int = 0, page_token: str = ""
    ) -> pb.ListAuditCheckpointsResponse:
        """One page of signed checkpoints, newest first."""
        request = pb.ListAuditCheckpointsRequest(page_size=page_size, page_token=page_token)
        return await self._caller.unary(self._audit.ListAuditCheckpoints, request)

    async def verify_audit(self, deadline: timedelta | None = None) -> pb.VerifyAuditResponse:
        """Whether the whole trail is as it was written; the larger it is, the longer that takes."""
        return await self._caller.unary(self._audit.VerifyAudit, pb.VerifyAuditRequest(), deadline, patient=True)

    async def export_audit(self, *, start_time: datetime | None = None) -> AsyncGenerator[bytes, None]:
        """The trail as JSON lines in chunks of whole lines, which `audit verify --file` proves without the server."""
        request = pb.ExportAuditRequest(start_time=_timestamp(start_time))
        async for reply in self._caller.stream(self._audit.ExportAudit, request):
            yield reply.chunk


def _timestamp(moment: datetime | None) -> pb.Timestamp | None:
    if moment is None:
        return None
    stamp = pb.Timestamp()
    stamp.FromDatetime(moment)
    return stamp
