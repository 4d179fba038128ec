"""Custom roles of a tenant: made, changed, deleted. They count for all who have them, whoever that is."""

from dataclasses import dataclass, replace

from llm_incident_manager.domain import access_changes
from llm_incident_manager.domain.access import ROLES, CustomRole
from llm_incident_manager.domain.errors import AlreadyExists, InUse, NotFound, StaleEtag
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import AuditRecord
from llm_incident_manager.ports.access_store import RoleRemoved
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.granting import Giver


@dataclass(frozen=True, slots=True)
class Wish:
    """What a role is to be. A given `etag` must be the current one."""

    name: str
    description: str
    permissions: frozenset[str]
    etag: str = ""


class CustomRoles:
    """Changes roles in a unit of work, with one audit record each."""

    def __init__(self, clock: Clock) -> None:
        """Tells the time of changes."""
        self._clock = clock

    async def create(self, tx: Transaction, changes: Changes, giver: Giver, wish: Wish) -> CustomRole:
        """Makes a role. Raises AlreadyExists, PERMISSION_DENIED."""
        _may_give(giver, wish.permissions)
        now, revision = self._clock.now(), await tx.next_access_revision()
        if wish.name in ROLES or await tx.role(giver.caller.tenant, wish.name) is not None:
            raise AlreadyExists("role", wish.name)
        role = CustomRole(giver.caller.tenant, wish.name, wish.description, wish.permissions, now, revision)
        changes.access.append(role)
        _record(changes, giver.caller, "role.create", None, role, now)
        return role

    async def update(self, tx: Transaction, changes: Changes, giver: Giver, wish: Wish) -> CustomRole:
        """Says anew what a role is for and allows. Raises NotFound, StaleEtag, PERMISSION_DENIED."""
        _may_give(giver, wish.permissions)
        now, revision = self._clock.now(), await tx.next_access_revision()
        before = await _known(tx, giver.caller, wish.name)
        if wish.etag and wish.etag != str(before.revision):
            raise StaleEtag(wish.name, wish.etag, str(before.revision), "role")
        role = replace(
            before, description=wish.description, permissions=wish.permissions, updated_at=now, revision=revision
        )
        changes.access.append(role)
        _record(changes, giver.caller, "role.update", before, role, now)
        return role

    async def delete(self, tx: Transaction, changes: Changes, giver: Giver, name: str) -> CustomRole:
        """Deletes a role. Raises NotFound, InUse while a key has it, PERMISSION_DENIED."""
        giver.must_reach_everywhere()
        now = self._clock.now()
        await tx.next_access_revision()
        role = await _known(tx, giver.caller, name)
        user = await tx.key_with_role(role.tenant, name, now)
        if user is not None:
            raise InUse("role", name, f"api_key {user}")
        changes.access.append(RoleRemoved(role.tenant, name))
        _record(changes, giver.caller, "role.delete", role, None, now)
        return role


def _may_give(giver: Giver, permissions: frozenset[str]) -> None:
    giver.must_have(permissions)
    giver.must_reach_everywhere()  # a role counts wherever its holders reach


async def _known(tx: Transaction, caller: Caller, name: str) -> CustomRole:
    if name in ROLES:
        raise InUse("role", name, "the product, which it comes with")
    found = await tx.role(caller.tenant, name)
    if found is None:
        raise NotFound("role", name)
    return found


def _record(
    changes: Changes, caller: Caller, action: str, before: CustomRole | None, after: CustomRole | None, now: Instant
) -> None:
    role = after or before
    assert role is not None
    was, is_ = access_changes.between(before, after)
    resource = f"role/{role.name}"
    changes.audit.append(AuditRecord(role.tenant, now, caller.subject, action, resource, before=was, after=is_))
