"""Links audit records into the chains of one writer, and knows their table. Opens no connection."""

from collections.abc import Iterable

from llm_incident_manager.domain.audit_chain import START, VERSION, AuditRow, Head, canonical, digest
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.timeline import AuditRecord

AUDIT_COLUMNS = AuditRow._fields


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
        tenant, at, actor, action, resource, details, before, after, proof = record
        last = self._pending.get(tenant) or self._heads.get(tenant) or START
        sequence, previous = last.sequence + 1, last.hash
        facts = (VERSION, tenant, self.writer, sequence, at, actor, action, resource, *proof)
        said, was, is_ = canonical(details), canonical(before), canonical(after)
        found = digest(previous, facts, said, was, is_)
        self._pending[tenant] = Head(sequence, found)
        texts = said.decode(), was.decode(), is_.decode()
        return AuditRow._make((*facts[1:8], texts[0], previous, found, VERSION, *proof, *texts[1:]))
