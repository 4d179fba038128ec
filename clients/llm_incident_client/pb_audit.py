"""The messages of alerts and of the audit trail; use them as `pb.Alert`, `pb.AuditRecord` and so on."""

from incidentmanager.v1.alert_pb2 import Alert, SubmitAlertRequest, SubmitAlertResponse
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
    "Alert",
    "AuditChainEnd",
    "AuditCheckpoint",
    "AuditRecord",
    "ExportAuditRequest",
    "ExportAuditResponse",
    "ListAuditCheckpointsRequest",
    "ListAuditCheckpointsResponse",
    "ListAuditRecordsRequest",
    "ListAuditRecordsResponse",
    "SubmitAlertRequest",
    "SubmitAlertResponse",
    "VerifyAuditRequest",
    "VerifyAuditResponse",
]
