"""Dead letters to protobuf."""

from collections.abc import Sequence

from incidentmanager.v1 import admin_service_pb2

from llm_incident_manager.ports.changes import OutboxRow
from llm_incident_manager.transport.translate import times


def dead_letter(row: OutboxRow) -> admin_service_pb2.DeadLetter:
    """Work that was given up."""
    return admin_service_pb2.DeadLetter(
        id=row.id,
        topic=row.topic,
        lane=row.lane,
        incident_id=row.incident_id,
        payload=row.payload,
        attempts=row.attempts,
        reason=row.last_error,
        create_time=times.timestamp(row.created_at),
        fail_time=times.timestamp(row.due_at),
    )


def dead_letters(rows: Sequence[OutboxRow]) -> list[admin_service_pb2.DeadLetter]:
    """Several of them."""
    return [dead_letter(row) for row in rows]
