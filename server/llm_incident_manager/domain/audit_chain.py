"""The audit chain: each record's hash covers the record before it, per tenant and writer. Reads and writes nothing."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple

import orjson

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant

GENESIS = bytes(32)
"""What the first record of a chain has as the hash before it."""

VERSION = 2
"""How hashes are made now. 1: without what is known of the caller, and without the fields that changed."""


class AuditRow(NamedTuple):
    """A record in its chain. `details`, `before` and `after` are JSON texts of objects; sequences of a chain start at 1
    and have no gap. `version` says how its hash was made."""

    tenant: TenantId
    writer: str
    sequence: int
    at: Instant
    actor: str
    action: str
    resource: str
    details: str
    prev_hash: bytes
    hash: bytes
    version: int = 1
    proven_by: str = ""
    credential: str = ""
    source: str = ""
    before: str = "{}"
    after: str = "{}"


class Head(NamedTuple):
    """Where a chain ends."""

    sequence: int
    hash: bytes


START = Head(0, GENESIS)


_EMPTY = b"{}"
_SORTED = orjson.OPT_SORT_KEYS


def canonical(given: Mapping[str, str]) -> bytes:
    """An object as it is hashed: in the order of its names, without white space."""
    if not given:
        return _EMPTY
    return orjson.dumps(given if type(given) is dict else dict(given), option=_SORTED)


def digest(previous: bytes, facts: tuple[object, ...], *objects: bytes) -> bytes:
    """SHA-256 over the hash before and the JSON array of the facts with the objects behind them."""
    return sha256(b"%b%b,%b]" % (previous, orjson.dumps(facts)[:-1], b",".join(objects))).digest()


def hash_of(row: AuditRow, previous: bytes) -> bytes:
    """The hash the row must have behind that one. Raises ValueError for a text that is no JSON object, or a version
    that nobody has ever written."""
    details = _again(row.details)
    if row.version == 1:
        if (row.proven_by, row.credential, row.source, row.before, row.after) != ("", "", "", "{}", "{}"):
            raise ValueError("a record of version 1 has fields of version 2")
        return digest(previous, row[:7], details)
    if row.version != VERSION:
        raise ValueError(f"version {row.version} is unknown")
    return digest(previous, facts_of(row), details, _again(row.before), _again(row.after))


def facts_of(row: AuditRow) -> tuple[object, ...]:
    """What stands before the objects in the hash of a row of this version."""
    return (VERSION, *row[:7], row.proven_by, row.credential, row.source)


def fault_of(row: AuditRow, last: Head) -> str:
    """What is wrong with the row that should follow `last`; empty if nothing is."""
    if row.sequence != last.sequence + 1:
        return f"record {last.sequence + 1} is missing or out of its place"
    if row.prev_hash != last.hash:
        return "it does not follow from the record before it"
    try:
        expected = hash_of(row, last.hash)
    except (TypeError, ValueError) as error:  # what a database holds may be anything
        return f"it was changed: {error}"
    return "" if row.hash == expected else "it was changed: its hash is another one"


def first_broken(rows: Iterable[AuditRow]) -> AuditRow | None:
    """The first row that does not follow from the one before it; rows are one chain from its start, in sequence."""
    last = START
    for row in rows:
        if fault_of(row, last):
            return row
        last = Head(row.sequence, row.hash)
    return None


def _again(text: str) -> bytes:
    return canonical(orjson.loads(text))
