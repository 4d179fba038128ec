"""Audit records and checkpoints as messages."""

import base64
from collections.abc import Iterable

import orjson
from incidentmanager.v1 import audit_record_pb2, audit_service_pb2

from llm_incident_manager.domain import audit_checkpoint
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.audit_proof import Report
from llm_incident_manager.transport.translate import times

pb = audit_record_pb2


def record(row: AuditRow) -> pb.AuditRecord:
    """A record."""
    return pb.AuditRecord(
        writer=row.writer,
        sequence=row.sequence,
        time=times.timestamp(row.at),
        actor=row.actor,
        proven_by=row.proven_by,
        credential=row.credential,
        source=row.source,
        action=row.action,
        resource=row.resource,
        details=_texts(row.details),
        before=_texts(row.before),
        after=_texts(row.after),
        previous_hash=row.prev_hash.hex(),
        hash=row.hash.hex(),
        hash_version=row.version,
    )


def records(rows: Iterable[AuditRow]) -> list[pb.AuditRecord]:
    """Several."""
    return [record(row) for row in rows]


def checkpoint(made: Checkpoint) -> pb.AuditCheckpoint:
    """A checkpoint."""
    return pb.AuditCheckpoint(
        number=made.number,
        time=times.timestamp(made.at),
        records=made.records,
        root=audit_checkpoint.root_of(made.ends).hex(),
        previous_hash=made.prev_hash.hex(),
        key_id=made.key_id,
        signature=base64.b64encode(made.signature).decode(),
        ends=[pb.AuditChainEnd(writer=end.writer, sequence=end.sequence, hash=end.hash.hex()) for end in made.ends],
        retired=made.retired,
    )


def report(found: Report) -> audit_service_pb2.VerifyAuditResponse:
    """What looking at a trail has shown."""
    fault, writer, sequence = found.fault or ("", "", 0)
    return audit_service_pb2.VerifyAuditResponse(
        intact=found.intact,
        records=found.records,
        chains=found.chains,
        checkpoints=found.checkpoints,
        fault=fault,
        writer=writer,
        sequence=sequence,
        proven_until_time=times.maybe_timestamp(found.proven_until),
        remarks=found.remarks,
    )


def _texts(stored: str) -> dict[str, str]:
    """What the database holds, even if somebody has put something else there: verifying tells."""
    try:
        found = orjson.loads(stored)
    except ValueError:
        found = None
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {"": stored}
