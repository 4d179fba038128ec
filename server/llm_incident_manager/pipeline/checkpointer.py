"""Signs where the audit chains end, again and again, and keeps that outside the database too. Changes no record."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from time import perf_counter  # a stop-watch, not a source of time

from llm_incident_manager.domain import audit_checkpoint
from llm_incident_manager.domain.audit_chain import Head
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.audit_documents import BadDocument
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.engines import checkpoint
from llm_incident_manager.engines.checkpoint import Policy
from llm_incident_manager.ports.audit import ChainHead, Copies, Signer
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import KeyTaken, Store
from llm_incident_manager.telemetry import logs

EVERY_SECONDS = 5.0
REST = 100
"""After each round, so many times as long as it took belongs to others."""

_PAGE = 500


@dataclass(slots=True)
class _Tenant:
    """What is known of a tenant's trail: the newest checkpoint, the heads that checkpoints have told, and whether all
    checkpoints are kept outside."""

    last: Checkpoint | None
    known: dict[str, Head] = field(default_factory=dict)
    copied: bool = False

    @property
    def counted(self) -> int:
        """Records that checkpoints have told of."""
        return sum(head.sequence for head in self.known.values())


class Checkpointer:
    """Makes the checkpoints of all tenants. Where something is wrong with a trail it signs no more of it, and says so:
    a signature must not cover up what was done."""

    def __init__(  # all it works with
        self, store: Store, clock: Clock, signer: Signer, copies: Copies | None, policy: Policy, *, kept: int = 0
    ) -> None:
        """Audit chains may go `kept` microseconds after their end; 0 keeps them for ever."""
        self._store = store
        self._clock = clock
        self._signer = signer
        self._copies = copies
        self._policy = policy
        self._kept = kept
        self._tenants: dict[TenantId, _Tenant] = {}
        self._compared: set[TenantId] = set()
        self._troubles: dict[TenantId, str] = {}
        self._unkept = self._said = ""
        self._log = logs.get("audit")

    async def run(self) -> None:
        """Works until cancelled. Others may have done so since the last time: begins with what the database says, and
        what was kept outside."""
        self._tenants.clear()
        self._compared.clear()
        if self._copies is not None:
            self._copies.forget()
        while True:
            began = perf_counter()
            await self.once()
            await self._clock.sleep(max(EVERY_SECONDS, REST * (perf_counter() - began)))

    async def check(self) -> None:
        """Raises DomainError while something keeps it from signing or keeping checkpoints."""
        troubles = sorted(self._troubles.values())
        if self._unkept:
            troubles.append(f"checkpoints are not kept outside the database: {self._unkept}")
        if troubles:
            raise DomainError(ErrorReason.NOT_AVAILABLE, "; ".join(troubles))

    async def once(self) -> int:
        """One round; returns how many checkpoints were made."""
        made = 0
        try:
            retired = await self._store.retired_audit_chains()
            heads = _by_tenant(await self._store.audit_heads(), retired)
            over = await self._over()
            for tenant in sorted({*heads, *(await self._copied())}):
                made += await self._tenant(tenant, heads.get(tenant, {}), over.get(tenant, ()))
        except (TypeError, ValueError) as error:  # somebody has put something else into the tables
            self._log.error("checkpoints.unreadable", error=repr(error))
        except DomainError as error:  # tried again in the next round
            self._log.warning("checkpoints.failed", error=error.message)
        return made

    async def _over(self) -> Mapping[TenantId, Sequence[str]]:
        """The chains that retention may end."""
        found: dict[TenantId, list[str]] = defaultdict(list)
        if self._kept:
            for tenant, writer in await self._store.finished_audit_chains(Instant(self._clock.now() - self._kept)):
                found[tenant].append(writer)
        return found

    async def _tenant(self, tenant: TenantId, heads: Mapping[str, Head], over: Sequence[str]) -> int:
        if await self._is_older_than_its_copies(tenant):
            return 0
        if tenant not in self._tenants:
            self._tenants[tenant] = await self._beginning(tenant, heads)
        made, state = 0, self._tenants[tenant]
        missing = checkpoint.lost(state.known, heads)
        if missing is not None or (state.last is not None and not state.known and _total(heads) < state.last.records):
            where = f"record {missing.sequence} of chain {missing.writer}" if missing is not None else "some"
            self._worry(tenant, f"records are gone or changed that were there ({where}): run audit verify")
            return 0
        self._troubles.pop(tenant, None)
        if self._is_due(state, heads, over):
            made = await self._make(tenant, state, heads, over)
        if not self._tenants[tenant].copied:
            await self._copy(tenant)
        return made

    async def _beginning(self, tenant: TenantId, heads: Mapping[str, Head]) -> _Tenant:
        newest = await self._store.latest_audit_checkpoints(tenant, 0, 1)
        if newest and newest[0].records == _total(heads):
            return _Tenant(newest[0], dict(heads))
        return _Tenant(newest[0] if newest else None)

    def _is_due(self, state: _Tenant, heads: Mapping[str, Head], over: Sequence[str]) -> bool:
        told = state.counted or (0 if state.last is None else state.last.records)
        last = None if state.last is None else state.last.at
        new = _total(heads) - told
        if not new and set(over) & heads.keys():
            new = 1  # only chains to retire
        return checkpoint.decide(new, last, self._clock.now(), self._policy).now

    async def _make(self, tenant: TenantId, state: _Tenant, heads: Mapping[str, Head], over: Sequence[str]) -> int:
        draft = audit_checkpoint.draft_of(state.known, heads, over)
        made = audit_checkpoint.unsigned(tenant, state.last, draft, self._clock.now(), self._signer.key_id)
        made = made._replace(signature=self._signer.sign(audit_checkpoint.statement(made)))
        try:
            await self._store.add_audit_checkpoint(made)
        except KeyTaken:  # another process was quicker: go on behind what it has made
            self._tenants[tenant] = await self._beginning(tenant, heads)
            return 0
        known = {writer: head for writer, head in heads.items() if writer not in draft.retired}
        self._tenants[tenant] = _Tenant(made, known)
        self._log.debug("checkpoint.made", tenant=tenant, number=made.number, records=made.records)
        return 1

    async def _is_older_than_its_copies(self, tenant: TenantId) -> bool:
        """Whether the database lacks what was kept outside: asked until that could be read once."""
        if self._copies is None or self._unkept or tenant in self._compared:
            return False
        kept = await self._copies.last(tenant)
        if kept is None or not await self._lacks(tenant, kept):
            self._compared.add(tenant)
            return False
        return True

    async def _lacks(self, tenant: TenantId, kept: Checkpoint) -> bool:
        stored = await self._store.audit_checkpoints(tenant, kept.number - 1, 1)
        if stored and stored[0].hash == kept.hash:
            return False
        self._worry(
            tenant,
            f"checkpoint {kept.number} was kept outside and is not in the database: it was rolled back or changed. "
            "If a backup was restored on purpose, move the file of checkpoints away, keep it, and start again",
        )
        return True

    async def _copied(self) -> Sequence[TenantId]:
        """The tenants with checkpoints outside. What cannot be read there keeps nothing else from being signed."""
        if self._copies is None:
            return ()
        try:
            found = await self._copies.tenants()
        except (OSError, BadDocument) as error:
            self._not_kept(error)
            return ()
        self._unkept = ""
        return found

    async def _copy(self, tenant: TenantId) -> None:
        """Keeps outside what is not there yet."""
        if self._copies is None or self._unkept:
            return
        try:
            last = await self._copies.last(tenant)
            if last is not None and await self._lacks(tenant, last):
                self._compared.discard(tenant)
                return
            number = 0 if last is None else last.number
            while page := await self._store.audit_checkpoints(tenant, number, _PAGE):
                await self._copies.keep(page)
                number = page[-1].number
        except OSError as error:
            self._not_kept(error)
        else:
            self._tenants[tenant].copied = True

    def _not_kept(self, error: Exception) -> None:
        if str(error) != self._said:
            self._log.error("checkpoints.not_kept", error=str(error))
        self._unkept = self._said = str(error)

    def _worry(self, tenant: TenantId, what: str) -> None:
        message = f"audit of tenant {tenant}: {what}"
        if self._troubles.get(tenant) != message:
            self._log.error("audit.damaged", tenant=tenant, what=what)
        self._troubles[tenant] = message


def _by_tenant(
    heads: Sequence[ChainHead], without: AbstractSet[tuple[TenantId, str]]
) -> Mapping[TenantId, dict[str, Head]]:
    found: dict[TenantId, dict[str, Head]] = defaultdict(dict)
    for head in heads:
        if (head.tenant, head.writer) not in without:
            found[head.tenant][head.writer] = Head(head.sequence, head.hash)
    return found


def _total(heads: Mapping[str, Head]) -> int:
    return sum(head.sequence for head in heads.values())
