"""Audit records and checkpoints as JSON documents, in which they leave the database, and back. Exact both ways."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from llm_incident_manager.domain import time
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint, End
from llm_incident_manager.domain.time import Instant

FORMAT = "llm-incident-manager-audit"
VERSION = 1


class BadDocument(ValueError):
    """What was read is no document of this kind."""


def of_record(row: AuditRow) -> dict[str, Any]:
    """A record."""
    return {
        "tenant": row.tenant,
        "writer": row.writer,
        "sequence": row.sequence,
        "time": time.rfc3339(row.at),
        "actor": row.actor,
        "proven_by": row.proven_by,
        "credential": row.credential,
        "source": row.source,
        "action": row.action,
        "resource": row.resource,
        "details": _object(row.details),
        "before": _object(row.before),
        "after": _object(row.after),
        "previous_hash": row.prev_hash.hex(),
        "hash": row.hash.hex(),
        "version": row.version,
    }


def record_of(told: Mapping[str, Any]) -> AuditRow:
    """The record that a document tells. Raises BadDocument."""
    try:
        return AuditRow(
            told["tenant"],
            told["writer"],
            told["sequence"],
            _instant(told["time"]),
            told["actor"],
            told["action"],
            told["resource"],
            orjson.dumps(told["details"]).decode(),
            bytes.fromhex(told["previous_hash"]),
            bytes.fromhex(told["hash"]),
            told["version"],
            told["proven_by"],
            told["credential"],
            told["source"],
            orjson.dumps(told["before"]).decode(),
            orjson.dumps(told["after"]).decode(),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadDocument(f"no audit record: {error!r}") from error


def of_checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint."""
    return {
        "tenant": checkpoint.tenant,
        "number": checkpoint.number,
        "time": time.rfc3339(checkpoint.at),
        "records": checkpoint.records,
        "ends": [[end.writer, end.sequence, end.hash.hex()] for end in checkpoint.ends],
        "retired": list(checkpoint.retired),
        "previous_hash": checkpoint.prev_hash.hex(),
        "hash": checkpoint.hash.hex(),
        "key_id": checkpoint.key_id,
        "signature": base64.b64encode(checkpoint.signature).decode(),
    }


def checkpoint_of(told: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint that a document tells. Raises BadDocument."""
    try:
        return Checkpoint(
            told["tenant"],
            int(told["number"]),
            _instant(told["time"]),
            int(told["records"]),
            tuple(End(str(writer), int(sequence), bytes.fromhex(hash_)) for writer, sequence, hash_ in told["ends"]),
            tuple(map(str, told["retired"])),
            bytes.fromhex(told["previous_hash"]),
            bytes.fromhex(told["hash"]),
            told["key_id"],
            base64.b64decode(told["signature"], validate=True),
        )
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise BadDocument(f"no audit checkpoint: {error!r}") from error


def line(told: Mapping[str, Any]) -> bytes:
    """A document as one line."""
    return orjson.dumps(told) + b"\n"


def parsed(text: bytes) -> Mapping[str, Any]:
    """The document of a line. Raises BadDocument."""
    try:
        told = orjson.loads(text)
    except ValueError as error:
        raise BadDocument(f"no JSON: {error}") from error
    if not isinstance(told, dict):
        raise BadDocument("no JSON object")
    return told


def _object(stored: str) -> Any:  # noqa: ANN401  # JSON; a text that is none stays one, which is no record's either
    try:
        return orjson.loads(stored)
    except ValueError:
        return stored


def _instant(text: str) -> Instant:
    return time.from_datetime(datetime.fromisoformat(text))
