"""The audit trail as it lies in the database, and what signs its checkpoints. Nothing here changes a record."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant


class ChainHead(NamedTuple):
    """The last record of a chain."""

    tenant: TenantId
    writer: str
    sequence: int
    at: Instant
    hash: bytes


class AuditPlace(NamedTuple):
    """Where a record stands in a list."""

    at: Instant
    writer: str
    sequence: int


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Records of a tenant, newest first, behind `after`. Empty texts mean any; `action` may end in a dot, which means
    all that begin with it. `since` is inclusive, `before` exclusive."""

    tenant: TenantId
    actor: str = ""
    action: str = ""
    resource: str = ""
    since: Instant | None = None
    before: Instant | None = None
    after: AuditPlace | None = None
    limit: int = 100


class AuditStore(Protocol):
    """What a store is asked about the audit trail."""

    async def audit_heads(self, tenant: TenantId | None = None) -> Sequence[ChainHead]:
        """Where the chains end, in order of tenant and writer; of all tenants when None."""
        ...

    async def audit_rows(self, tenant: TenantId, writer: str, after: int, limit: int) -> Sequence[AuditRow]:
        """Records of a chain behind a sequence number, in order."""
        ...

    async def audit_page(self, query: AuditQuery) -> Sequence[AuditRow]:
        """One page of a list."""
        ...

    async def audit_checkpoints(self, tenant: TenantId, after: int, limit: int) -> Sequence[Checkpoint]:
        """Checkpoints behind a number, oldest first."""
        ...

    async def latest_audit_checkpoints(self, tenant: TenantId, before: int, limit: int) -> Sequence[Checkpoint]:
        """Checkpoints below a number (0: all), newest first."""
        ...

    async def add_audit_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keeps a checkpoint; from then on retention may end the chains it retires. Raises KeyTaken when there is one
        of its number."""
        ...

    async def retired_audit_chains(self) -> AbstractSet[tuple[TenantId, str]]:
        """Tenant and writer of the chains that checkpoints have retired."""
        ...

    async def finished_audit_chains(self, before: Instant) -> Sequence[tuple[TenantId, str]]:
        """Tenant and writer of the chains of runs that have written nothing since, and write nothing any more."""
        ...


class Signer(Protocol):
    """Signs checkpoints."""

    @property
    def key_id(self) -> str:
        """Names the key."""
        ...

    @property
    def public_key(self) -> str:
        """The public half, as PEM."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The signature."""
        ...

    def signed(self, checkpoint: Checkpoint) -> bool | None:
        """Whether a checkpoint's signature is right; None for one of another key."""
        ...


class Copies(Protocol):
    """Checkpoints kept outside the database."""

    async def last(self, tenant: TenantId) -> Checkpoint | None:
        """The newest of a tenant that was kept here."""
        ...

    async def tenants(self) -> Sequence[TenantId]:
        """Of which there is any."""
        ...

    async def keep(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Keeps them, on the disk when this returns. Raises OSError."""
        ...

    def forget(self) -> None:
        """Others may have kept some since: the next question reads what there is."""
        ...
