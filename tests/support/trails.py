"""An audit trail as servers leave it behind: two tenants, several runs, signed checkpoints, and copies of them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from llm_incident_manager.adapters.audit.copies import CheckpointFile
from llm_incident_manager.adapters.audit.signing import Ed25519Signer
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.domain.timeline import AuditRecord, Proof
from llm_incident_manager.engines.checkpoint import Policy
from llm_incident_manager.pipeline.checkpointer import Checkpointer
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Store
from tests.support.builders import NOW, TENANT
from tests.support.world import HeldClock

OTHER = TenantId("other")
TENANTS = (TENANT, OTHER)
MINUTELY = Policy(records=1_000_000, age=60 * SECOND)

Open = Callable[[], Awaitable[Store]]


def make_signer() -> Ed25519Signer:
    """One with a key that nobody has had before."""
    return Ed25519Signer(Ed25519PrivateKey.generate())


def make_record(tenant: TenantId, number: int, at: Instant) -> AuditRecord:
    """One of a number of records that all differ."""
    proof = Proof("api_key", f"key-{number % 3}", f"192.0.2.{number % 200}")
    return AuditRecord(
        tenant,
        at,
        f"user-{number % 5}",
        "incident.acknowledge" if number % 2 else "incident.updated",
        f"incident/{number // 4}",
        {"n": str(number), "why": "ä\n\"'"},
        {"state": "NEW", "revision": str(number)},
        {"state": "ACKNOWLEDGED", "revision": str(number + 1)},
        proof,
    )


@dataclass
class Scribe:
    """Writes a trail, run after run, with checkpoints in between."""

    open: Open
    folder: Path
    signer: Ed25519Signer
    clock: HeldClock
    written: int = 0

    @classmethod
    def on(cls, open_: Open, folder: Path) -> "Scribe":
        return cls(open_, folder, make_signer(), HeldClock(NOW))

    @property
    def copies(self) -> CheckpointFile:
        return CheckpointFile(self.folder)

    def checkpointer(self, store: Store, *, kept: int = 0) -> Checkpointer:
        return Checkpointer(store, self.clock, self.signer, self.copies, MINUTELY, kept=kept)

    async def write(self, store: Store, records: int, tenants: Sequence[TenantId] = TENANTS) -> None:
        """So many records of each tenant, in turn, a second apart, some of them in one transaction."""
        left = records
        while left:
            some = min(left, 1 + self.written % 3)
            changes = Changes()
            for tenant in tenants:
                for _ in range(some):
                    changes.audit.append(make_record(tenant, self.written, self.clock.now()))
                    self.written += 1
            async with store.transaction() as tx:
                await tx.write(changes)
            self.clock.forward(SECOND)
            left -= some

    async def run(self, records: int, checkpoints: int) -> None:
        """One run of a server: records, and so many checkpoints, the last of them at its end."""
        store = await self.open()
        try:
            signing = self.checkpointer(store)
            for _ in range(checkpoints):
                await self.write(store, records // checkpoints)
                self.clock.forward(61 * SECOND)
                await signing.once()
        finally:
            await store.close()
