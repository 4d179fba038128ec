"""The statements by name, with the column lists filled in once. Nothing a caller sends ever becomes part of them."""

from collections.abc import Mapping

from llm_incident_manager.adapters.sql import agent_rows, belongings, copied, queries, records

TYPES = {
    "id": "uuid",
    "previous_id": "uuid",
    "merged_into": "uuid",
    "fp_version": "smallint",
    "fp_components": "jsonb",
    "labels": "jsonb",
    "affected_services": "jsonb",
    "assignees": "jsonb",
    "resolution": "jsonb",
    "severity": "smallint",
    "historical": "boolean",
    "recurred": "boolean",
    "keys": "jsonb",
    "unmerge": "jsonb",
    "event_count": "bigint",
    "tokens": "bigint",
    "cost_usd": "double precision",
    "users_affected": "bigint",
    "first_seen_at": "bigint",
    "last_seen_at": "bigint",
    "created_at": "bigint",
    "updated_at": "bigint",
    "acknowledged_at": "bigint",
    "resolved_at": "bigint",
    "closed_at": "bigint",
    "first_received_at": "bigint",
    "snoozed_until": "bigint",
    "acknowledge_breached_at": "bigint",
    "resolve_breached_at": "bigint",
    "revision": "bigint",
}
"""Types of the columns of an incident; the rest is text."""

BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
"""Smaller than every id."""

INCIDENT = ", ".join(f"i.{column}" for column in records.INCIDENT_COLUMNS)
"""The columns of an incident under the alias `i`, as `records.incident_of` reads them."""

_changing = [column for column in records.INCIDENT_COLUMNS if column not in records.IMMUTABLE_COLUMNS]
_FILLED = {
    "{incident}": INCIDENT,
    "{incident_columns}": ", ".join(records.INCIDENT_COLUMNS),
    "{incident_arrays}": ", ".join(
        f"${n}::{TYPES.get(column, 'text')}[]" for n, column in enumerate(records.INCIDENT_COLUMNS, 1)
    ),
    "{incident_assignments}": ", ".join(f"{column} = r.{column}" for column in _changing),
    "{event}": ", ".join(f"e.{column}" for column in records.EVENT_COLUMNS),
    "{timeline}": ", ".join(f"t.{column}" for column in records.TIMELINE_COLUMNS),
    "{delivery}": ", ".join(f"d.{column}" for column in records.DELIVERY_COLUMNS),
    "{attachment}": ", ".join(f"a.{column}" for column in belongings.ATTACHMENT_COLUMNS),
    "{analysis}": ", ".join(f"a.{column}" for column in belongings.ANALYSIS_COLUMNS),
    "{timer}": ", ".join(f"t.{column}" for column in records.TIMER_COLUMNS),
    "{outbox}": ", ".join(f"o.{column}" for column in records.OUTBOX_COLUMNS),
    **copied.pieces("i"),
    **agent_rows.PLACES,
}


def _fill(statement: str) -> str:
    for place, text in _FILLED.items():
        statement = statement.replace(place, text)
    return statement


SQL: Mapping[str, str] = {
    name: _fill(text) for name, text in queries.load("llm_incident_manager.adapters.postgres.queries").items()
}

SELECT_INCIDENTS = SQL["select_incidents"]
"""Incidents; conditions, order and limits follow."""
