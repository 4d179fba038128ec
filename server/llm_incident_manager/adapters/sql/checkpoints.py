"""Audit checkpoints as rows: the same columns in both databases. Opens no connection."""

from collections.abc import Sequence
from typing import Any

import orjson

from llm_incident_manager.domain.audit_checkpoint import Checkpoint, End
from llm_incident_manager.ports.audit import AuditQuery

COLUMNS = ("tenant", "number", "at", "records", "ends", "retired", "prev_hash", "hash", "key_id", "signature")


def row_of(checkpoint: Checkpoint) -> tuple[Any, ...]:
    """The values of a row, in the order of the statement's columns."""
    ends = orjson.dumps([[end.writer, end.sequence, end.hash.hex()] for end in checkpoint.ends]).decode()
    retired = orjson.dumps(checkpoint.retired).decode()
    return (*checkpoint[:4], ends, retired, *checkpoint[6:])


def of_row(row: Sequence[Any]) -> Checkpoint:
    """What a row says. One that says nothing readable tells of no chains, so that its hash is wrong."""
    tenant, number, at, records, ends, retired, *proof = row
    try:
        told = tuple(End(writer, sequence, bytes.fromhex(hash_)) for writer, sequence, hash_ in orjson.loads(ends))
        gone = tuple(orjson.loads(retired))
    except (TypeError, ValueError):
        told, gone = (), ("unreadable",)
    return Checkpoint(tenant, number, at, records, told, gone, *proof)


def page_values(query: AuditQuery) -> dict[str, Any]:
    """The values of a page's statement by name."""
    prefix = query.action.endswith(".")
    after = query.after
    return {
        "tenant": query.tenant,
        "actor": query.actor,
        "action": "" if prefix else query.action,
        "prefix": query.action if prefix else "",
        "resource": query.resource,
        "since": query.since,
        "before": query.before,
        "at": None if after is None else after.at,
        "writer": "" if after is None else after.writer,
        "sequence": 0 if after is None else after.sequence,
        "limit": query.limit,
    }
