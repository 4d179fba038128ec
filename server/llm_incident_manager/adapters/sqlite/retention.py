"""The end of what is kept for a while only, in small steps so that ingest never waits long. Knows no ages."""

import apsw

from llm_incident_manager.adapters.sqlite.statements import rows
from llm_incident_manager.domain.time import Instant

_SWEEPS = ("sweep_idempotency", "sweep_answers", "sweep_segments", "sweep_released")


def sweep(connection: apsw.Connection, before: Instant, limit: int) -> int:
    """Deletes at most `limit` rows that are older than `before`; returns how many."""
    start = connection.total_changes()
    for name in _SWEEPS:
        rows(connection, name, (before, limit - (connection.total_changes() - start)))
    return connection.total_changes() - start
