"""Tenants: made, renamed, limited, suspended and resumed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from llm_incident_manager.domain import access_changes
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import AlreadyExists, InUse, InvalidFields, NotFound, StaleEtag
from llm_incident_manager.domain.event import NOTHING
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import Tenant, TenantLimits, TenantState
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import AuditRecord
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.usecases.caller import Caller

_CHANGEABLE = (TenantState.ACTIVE, TenantState.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different: what is empty or None stays. A given `etag` must be the current one."""

    display_name: str = ""
    state: TenantState | None = None
    limits: TenantLimits | None = None
    etag: str = ""


class Tenancy:
    """Changes tenants in a unit of work, with one audit record each, in the caller's own tenant."""

    def __init__(self, clock: Clock) -> None:
        """Tells the time of changes."""
        self._clock = clock

    async def create(
        self, tx: Transaction, changes: Changes, caller: Caller, id_: str, display_name: str, limits: TenantLimits
    ) -> Tenant:
        """Makes a tenant, which is served from now on. Raises AlreadyExists, also for one that was erased."""
        now, revision = self._clock.now(), await tx.next_access_revision()
        if await tx.tenant(id_) is not None:
            raise AlreadyExists("tenant", id_)
        tenant = Tenant(TenantId(id_), display_name or id_, TenantState.ACTIVE, limits, now, now, revision)
        _record(changes, caller, "tenant.create", None, tenant, now)
        return tenant

    async def update(self, tx: Transaction, changes: Changes, caller: Caller, id_: str, change: Change) -> Tenant:
        """Changes a tenant. Raises NotFound, StaleEtag, and InUse for who would suspend itself."""
        now, revision = self._clock.now(), await tx.next_access_revision()
        before = await tx.tenant(id_)
        if before is None or before.state not in _CHANGEABLE:
            raise NotFound("tenant", id_, "" if before is None else "it was erased")
        if change.etag and change.etag != str(before.revision):
            raise StaleEtag(id_, change.etag, str(before.revision), "tenant")
        state = change.state or before.state
        if state is TenantState.SUSPENDED and id_ == caller.tenant:
            raise InUse("tenant", id_, "you, who could not resume it any more")
        tenant = replace(
            before,
            display_name=change.display_name or before.display_name,
            state=state,
            limits=change.limits or before.limits,
            updated_at=now,
            revision=revision,
        )
        _record(changes, caller, "tenant.update", before, tenant, now)
        return tenant

    async def erase(
        self, tx: Transaction, changes: Changes, caller: Caller, id_: str, confirm: str, why: str
    ) -> Tenant:
        """Begins to delete all that a tenant has; the eraser goes on, whatever ends meanwhile. Again is no change.

        Raises InvalidFields unless `confirm` is the id once more, NotFound, and InUse for who would erase itself.
        """
        if confirm != id_:
            text = f"confirm: {confirm!r} is not {id_!r}: give the id of the tenant once more"
            raise InvalidFields([Violation("confirm", text, "confirm")])
        if id_ == caller.tenant:
            raise InUse("tenant", id_, "you, who could not say so any more")
        now, revision = self._clock.now(), await tx.next_access_revision()
        before = await tx.tenant(id_)
        if before is None:
            raise NotFound("tenant", id_)
        if before.state not in _CHANGEABLE:
            return before
        tenant = replace(before, state=TenantState.ERASING, updated_at=now, revision=revision)
        _record(changes, caller, "tenant.erase", before, tenant, now, details={"reason": why} if why else NOTHING)
        return tenant


def _record(
    changes: Changes,
    caller: Caller,
    action: str,
    before: Tenant | None,
    tenant: Tenant,
    now: Instant,
    *,
    details: Mapping[str, str] = NOTHING,
) -> None:
    was, is_ = access_changes.between(before, tenant)
    changes.access.append(tenant)
    resource = f"tenant/{tenant.id}"
    changes.audit.append(AuditRecord(caller.tenant, now, caller.subject, action, resource, details, was, is_))
