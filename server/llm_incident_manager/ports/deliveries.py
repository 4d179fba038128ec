"""The notification that a work item is about: its payload says which, the rest stands on the item itself."""

import json

from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.ports.changes import NOTIFY, DeliveryRow, OutboxRow

FIELDS = ("id", "channel", "route", "reason", "dedup_key", "created_at")
"""What the work item says of its delivery."""


def of(row: OutboxRow) -> DeliveryRow:
    """The delivery of a row of NOTIFY. Raises TypeError or ValueError for a payload that does not tell it."""
    return DeliveryRow(
        **json.loads(row.payload),
        tenant=row.tenant,
        incident_id=row.incident_id,
        state=DeliveryState.PENDING,
        attempts=row.attempts,
        error=row.last_error,
        updated_at=row.due_at,
    )


def readable(row: OutboxRow) -> DeliveryRow | None:
    """The same; None for other work, and for a payload that does not tell it."""
    if row.topic != NOTIFY:
        return None
    try:
        found = of(row)
    except (TypeError, ValueError):
        return None
    return found if all(getattr(found, name) is not None for name in FIELDS) else None
