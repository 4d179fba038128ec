# Written by `make gen` from llm_incident_client/audit.py: edit that file.
"""The methods of AuditService: the audit trail, and the proof that it is what was written."""

from datetime import datetime, timedelta

from llm_incident_client import audit as asynchronous
from llm_incident_client import pb
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.items import Items


class AuditCalls(Blocking):
    """The audit trail of the caller's tenant. All methods raise IncidentManagerError."""

    def list_audit_records(
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
        return self.portal.wait(
            self._as(asynchronous.AuditCalls).list_audit_records(
                actor=actor,
                action=action,
                resource=resource,
                start_time=start_time,
                end_time=end_time,
                page_size=page_size,
                page_token=page_token,
            )
        )

    def iter_audit_records(
        self,
        *,
        actor: str = "",
        action: str = "",
        resource: str = "",
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        page_size: int = 500,
    ) -> Items[pb.AuditRecord]:
        """All records that match, newest first."""
        return Items(
            self,
            self._as(asynchronous.AuditCalls).iter_audit_records(
                actor=actor,
                action=action,
                resource=resource,
                start_time=start_time,
                end_time=end_time,
                page_size=page_size,
            ),
        )

    def list_audit_checkpoints(self, *, page_size: int = 0, page_token: str = "") -> pb.ListAuditCheckpointsResponse:
        """One page of signed checkpoints, newest first."""
        return self.portal.wait(
            self._as(asynchronous.AuditCalls).list_audit_checkpoints(page_size=page_size, page_token=page_token)
        )

    def verify_audit(self, deadline: timedelta | None = None) -> pb.VerifyAuditResponse:
        """Whether the whole trail is as it was written; the larger it is, the longer that takes."""
        return self.portal.wait(self._as(asynchronous.AuditCalls).verify_audit(deadline))

    def export_audit(self, *, start_time: datetime | None = None) -> Items[bytes]:
        """The trail as JSON lines in chunks of whole lines, which `audit verify --file` proves without the server."""
        return Items(self, self._as(asynchronous.AuditCalls).export_audit(start_time=start_time))
