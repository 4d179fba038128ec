"""The columns of the narrow copy `incident_index`, and how statements that write it spell them. Constant texts only."""

from collections.abc import Mapping

COPIED_COLUMNS = (
    "tenant",
    "id",
    "number",
    "state",
    "severity",
    "incident_type",
    "kind",
    "source",
    "service",
    "environment",
    "application",
    "provider",
    "model",
    "deployment",
    "affected_services",
    "assignees",
    "labels",
    "recurred",
    "created_at",
    "updated_at",
    "acknowledged_at",
    "resolved_at",
    "closed_at",
)
"""The columns of `incident_index`, which are those of `incident`."""


def pieces(table: str) -> Mapping[str, str]:
    """What statements that copy incidents say in place of `{copied…}`; `table` is what they call the copy."""
    changing = [column for column in COPIED_COLUMNS if column not in {"tenant", "id"}]
    return {
        "{copied}": ", ".join(COPIED_COLUMNS),
        "{copied_changes}": ", ".join(f"{column} = excluded.{column}" for column in changing),
        "{copied_before}": ", ".join(f"{table}.{column}" for column in changing),
        "{copied_after}": ", ".join(f"excluded.{column}" for column in changing),
    }
