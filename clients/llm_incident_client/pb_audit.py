"""The messages of the audit trail; use them as `pb.AuditRecord` and so on."""

from incidentmanager.v1.audit_record_pb2 import AuditChainEnd, AuditCheckpoint, AuditRecord
from incidentmanager.v1.audit_service_pb2 import (
    ExportAuditRequest,
    ExportAuditResponse,
    ListAuditCheckpointsRequest,
    ListAuditCheckpointsResponse,
    ListAuditRecordsRequest,
    ListAuditRecordsResponse,
    VerifyAuditRequest,
    VerifyAuditResponse,
)

__all__ = [
    "AuditChainEnd",
    "AuditCheckpoint",
    "AuditRecord",
    "ExportAuditRequest",
    "ExportAuditResponse",
    "ListAuditCheckpointsRequest",
    "ListAuditCheckpointsResponse",
    "ListAuditRecordsRequest",
    "ListAuditRecordsResponse",
    "VerifyAuditRequest",
    "VerifyAuditResponse",
]
