"""The audit chain: each record's hash covers the record before it, per tenant and writer. Writes nothing itself."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import AuditRecord

GENESIS = bytes(32)
"""What the first record of a chain has as the hash before it."""

AUDIT_COLUMNS = (
    "tenant",
    "writer",
    "sequence",
    "at",
    "actor",
    "action",
    "resource",
    "details",
    "prev_hash",
    "hash",
)


class AuditRow(NamedTuple):
    """A record in its chain. `details` is JSON text; sequences of a chain start at 1 and have no gap."""

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


class Head(NamedTuple):
    """Where a tenant's chain ends."""

    sequence: int
    hash: bytes


_START = Head(0, GENESIS)


class AuditChain:
    """The chains of one writer. Its heads move on only when the transaction that wrote the records has committed.

    A writer is one run of one writing thread or connection, so no two transactions ever extend a chain side by side.
    """

    def __init__(self, writer: str) -> None:
        """`writer` must never have been used before: every chain of it starts at GENESIS."""
        self.writer = writer
        self._heads: dict[TenantId, Head] = {}
        self._pending: dict[TenantId, Head] = {}

    def extend(self, audited: Iterable[AuditRecord]) -> list[AuditRow]:
        """The rows of these records, behind everything committed and everything extended since."""
        return [self._link(record) for record in audited]

    def commit(self) -> None:
        """Keeps what was extended since the last commit or rollback."""
        self._heads.update(self._pending)
        self._pending.clear()

    def rollback(self) -> None:
        """Forgets what was extended since the last commit or rollback."""
        self._pending.clear()

    def _link(self, record: AuditRecord) -> AuditRow:
        tenant = record.tenant
        last = self._pending.get(tenant) or self._heads.get(tenant) or _START
        sequence = last.sequence + 1
        facts = (tenant, self.writer, sequence, record.at, record.actor, record.action, record.resource)
        details = _details(record.details)
        digest = _digest(last.hash, facts, details)
        self._pending[tenant] = Head(sequence, digest)
        return AuditRow(*facts, details.decode(), last.hash, digest)


def first_broken(rows: Iterable[AuditRow]) -> AuditRow | None:
    """The first row that does not follow from the one before it; rows are one chain from its start, in sequence."""
    last = _START
    for row in rows:
        expected = _digest(last.hash, row[:7], _details(orjson.loads(row.details)))
        if row.sequence != last.sequence + 1 or row.prev_hash != last.hash or row.hash != expected:
            return row
        last = Head(row.sequence, row.hash)
    return None


def _details(given: Mapping[str, str]) -> bytes:
    return orjson.dumps(dict(given), option=orjson.OPT_SORT_KEYS)


def _digest(previous: bytes, facts: tuple[object, ...], details: bytes) -> bytes:
    """Over the JSON array of the facts with the details, an object in the order of its names, as the last of them."""
    return hashlib.sha256(b"%b%b,%b]" % (previous, orjson.dumps(facts)[:-1], details)).digest()
