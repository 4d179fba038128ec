"""Brings the copies that lists ask along the change feed, on the writer's thread. Decides nothing."""

import apsw

from llm_incident_manager.adapters.sqlite.statements import rows

_INDEX = "incident_index"


def copy(connection: apsw.Connection, limit: int) -> int:
    """Copies the incidents of at most `limit` changes; returns how many changes there were."""
    found = rows(connection, "unfollowed", (_INDEX, limit))
    if found:
        first, last = found[0][0], found[-1][0]
        rows(connection, "copy_incidents", (first, last))
        rows(connection, "follow", (last, _INDEX))
    return len(found)
