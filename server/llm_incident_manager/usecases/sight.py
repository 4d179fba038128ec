"""What one caller sees: of its tenant, and of that no more than its condition covers. Everything else does not exist.

Lists get one more condition, and a unit of work is looked at through `narrow`: no use case asks by itself.
"""

from collections.abc import Sequence
from typing import Any, cast

from llm_incident_manager.domain import scope
from llm_incident_manager.domain.access import Condition
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason, FingerprintTaken, NotFound
from llm_incident_manager.domain.filters import Filter
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.relations import Related
from llm_incident_manager.ports.changes import Changes, FingerprintKey
from llm_incident_manager.ports.stores import IncidentQuery, Store, StoredEvent, Transaction
from llm_incident_manager.usecases.caller import Caller


def query(caller: Caller, matching: Filter | None = None) -> IncidentQuery:
    """A list of incidents, to be told more of."""
    return IncidentQuery(caller.tenant, filter=scope.narrowed(caller.condition, matching))


async def incident(store: Store, caller: Caller, ref: str) -> Incident:
    """An incident by id or number. Raises NotFound."""
    found = await store.incident(caller.tenant, ref)
    if not scope.covers(caller.condition, found):
        raise NotFound("incident", ref)
    return found


async def related(
    store: Store, caller: Caller, of: IncidentId, after: tuple[int, str], limit: int
) -> Sequence[Related]:
    """The incidents that one has to do with, read on until there are `limit` of those that the caller sees."""
    seen: list[Related] = []
    while len(seen) < limit:
        found = await store.related(caller.tenant, of, after, limit)
        seen += [each for each in found if scope.covers(caller.condition, each.incident)]
        if len(found) < limit:
            break
        after = (int(found[-1].relation), found[-1].incident.id)
    return seen[:limit]


def narrow(tx: Transaction, caller: Caller) -> Transaction:
    """The unit of work as the caller sees it."""
    return cast(Transaction, _Narrow(tx, caller.condition)) if caller.condition.narrows else tx


async def taken(tx: Transaction, key: FingerprintKey, holder: IncidentId) -> FingerprintTaken:
    """Says that a fingerprint is taken, and by which incident only to those who see that one."""
    try:
        await tx.peek(key.tenant, holder)
    except NotFound:
        return FingerprintTaken(key.value, "")
    return FingerprintTaken(key.value, holder)


NARROWED = frozenset({"incident", "peek", "peek_each", "incidents", "events", "write"})
"""What a narrowed unit of work answers otherwise. All else that it is asked is about what was found by one of these."""


class _Narrow:
    """Implements what of Transaction is narrowed, and hands on the rest."""

    def __init__(self, tx: Transaction, condition: Condition) -> None:
        self._tx = tx
        self._condition = condition

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the unit of work has there
        return getattr(self._tx, name)

    async def incident(self, tenant: TenantId, ref: str) -> Incident:
        return self._seen(await self._tx.incident(tenant, ref), ref)

    async def peek(self, tenant: TenantId, ref: str) -> Incident:
        return self._seen(await self._tx.peek(tenant, ref), ref)

    async def peek_each(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        return self._covered(await self._tx.peek_each(tenant, ids))

    async def incidents(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        return self._covered(await self._tx.incidents(tenant, ids))

    async def events(self, tenant: TenantId, ids: Sequence[EventId]) -> Sequence[StoredEvent]:
        """Those of incidents that are covered."""
        found = await self._tx.events(tenant, ids)
        about = sorted({each.row.incident_id for each in found if each.row.incident_id is not None})
        covered = {each.id for each in await self.peek_each(tenant, about)}
        return [each for each in found if each.row.incident_id in covered]

    async def write(self, changes: Changes) -> None:
        """Refuses what would open an incident elsewhere or move one there, out of its own sight."""
        for each in (*changes.opened, *changes.changed):
            refuse(scope.outside(self._condition, each.service, each.labels))
        await self._tx.write(changes)

    def _seen(self, found: Incident, ref: str) -> Incident:
        if not scope.covers(self._condition, found):
            raise NotFound("incident", ref)
        return found

    def _covered(self, found: Sequence[Incident]) -> Sequence[Incident]:
        return [each for each in found if scope.covers(self._condition, each)]


def refuse(outside: Violation | None) -> None:
    """Raises PERMISSION_DENIED when there is something that the caller's condition does not cover."""
    if outside is not None:
        raise DomainError(ErrorReason.PERMISSION_DENIED, outside.message, {"field": outside.field})
