"""Holds what was recorded about a tenant against compliance frameworks, and shows the records. Changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from llm_incident_manager.domain import filter_check, filter_tree, filters
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.compliance import Framework, Period, Report
from llm_incident_manager.domain.errors import DomainError, ErrorReason, NotFound
from llm_incident_manager.domain.evidence import Basis, Case, Sent, SystemRecords
from llm_incident_manager.domain.filters import Filter
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.engines import compliance
from llm_incident_manager.ports.access_store import KeyQuery
from llm_incident_manager.ports.audit import AuditQuery, Signer
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import IncidentQuery, Store
from llm_incident_manager.usecases import sight
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.evidence import Records

T = TypeVar("T")

MOST_INCIDENTS = 10_000
"""Incidents to which a requirement of a framework applies that one report looks at."""
AT_ONCE = 100
"""Incidents read at once."""
IN_A_ROW = 25
"""Incidents looked at before others have their turn: some milliseconds."""
MOST_KEYS = 1_000
"""API keys read at once."""
_OLDEST_FIRST = filters.parse_order("id")


@dataclass(frozen=True, slots=True)
class Wish:
    """A period, and the filter of the incidents in it that count (None: all)."""

    period: Period
    matching: Filter | None


class Compliance:
    """What an auditor asks about frameworks."""

    def __init__(self, store: Store, clock: Clock, signer: Signer | None, basis: Basis) -> None:
        """`signer` knows the keys of the checkpoints."""
        self._store = store
        self._clock = clock
        self._signer = signer
        self._basis = basis
        self.frameworks = basis.frameworks
        self.records = Records(store, {each.id: each for each in basis.frameworks}, basis.settings)
        self._by_name = {_plain(name): each for each in basis.frameworks for name in (each.id, *each.aliases)}
        self._one = asyncio.Lock()

    def framework(self, name: str) -> Framework:
        """The framework of that id or usual name. Raises NotFound."""
        found = self._by_name.get(_plain(name))
        if found is None:
            raise NotFound("framework", name, f"known are {', '.join(each.id for each in self.frameworks)}")
        return found

    async def check(self, caller: Caller, frameworks: Sequence[Framework], wish: Wish) -> Sequence[Report]:
        """A report for each framework on the same records; one check after the other, so that many at once take no
        more than one does. Raises TooManyMatches."""
        async with self._one:
            now = self._clock.now()
            examined = [compliance.Examination(each, wish.period, self._basis.targets, now) for each in frameworks]
            async for cases in self._cases(caller, frameworks, wish):
                for number, case in enumerate(cases):
                    for each in examined:
                        each.look(case)
                    if number % IN_A_ROW == 0:
                        await asyncio.sleep(0)
            system = await self._system(caller, wish.period)
            return [each.finish(system) for each in examined]

    async def _cases(self, caller: Caller, frameworks: Sequence[Framework], wish: Wish) -> AsyncIterator[list[Case]]:
        wanted = _concerned(frameworks, wish.matching)
        if wanted is None:
            return
        query = replace(
            sight.query(caller, wanted),
            order=_OLDEST_FIRST,
            created_from=wish.period.start,
            created_before=wish.period.end,
            limit=AT_ONCE,
        )
        await self._refuse_too_many(query)
        page = await self._store.incidents(query)
        while page:
            yield await self._with_records(caller, page)
            if len(page) < AT_ONCE:
                return
            page = await self._store.incidents(replace(query, after=filters.place_of(page[-1], _OLDEST_FIRST)))

    async def _refuse_too_many(self, query: IncidentQuery) -> None:
        count = await self._store.count_up_to(query, MOST_INCIDENTS)
        if count.at_least or count.total > MOST_INCIDENTS:
            message = (
                f"a report looks at {MOST_INCIDENTS} incidents, and at least {count.total} match: choose a shorter "
            )
            facts = {"matched": str(count.total), "limit": str(MOST_INCIDENTS)}
            raise DomainError(ErrorReason.TOO_MANY_MATCHES, f"{message}period, or a narrower filter", facts)

    async def _with_records(self, caller: Caller, page: Sequence[Incident]) -> list[Case]:
        recorded = await self._store.recorded(caller.tenant, [each.id for each in page])
        timeline = _by_incident(recorded.timeline, lambda entry: entry.incident_id)
        attached = _by_incident(recorded.attachments, lambda each: each.incident_id)
        sent: dict[IncidentId, list[Sent]] = {}
        for row in recorded.deliveries:
            if row.state is DeliveryState.SENT and row.channel not in self._basis.silent:
                sent.setdefault(row.incident_id, []).append(Sent(row.id, row.channel, row.reason, row.updated_at))
        return [
            Case(
                each,
                timeline.get(each.id, ()),
                sorted(sent.get(each.id, ()), key=lambda one: (one.at, one.id)),
                attached.get(each.id, ()),
            )
            for each in page
        ]

    async def _system(self, caller: Caller, period: Period) -> SystemRecords:
        tenant, store = caller.tenant, self._store
        newest = await store.audit_page(AuditQuery(tenant, since=period.start, before=period.end, limit=1))
        last, keys = newest[0] if newest else None, await self.keys(caller)
        checkpoint = None if last is None else await self._checkpoint(caller, last.at)
        return SystemRecords(self._basis.settings, last, checkpoint, self._signed(checkpoint), keys)

    async def _checkpoint(self, caller: Caller, at: Instant) -> Checkpoint | None:
        """The first that was made then or later, which stays the same however many follow; the last one without."""
        found = await self._store.latest_audit_checkpoints(caller.tenant, 0, 1)
        if not found or found[0].at < at:
            return found[0] if found else None
        after, best = 0, found[0]
        while best.number - after > 1:  # numbers have no gaps, and grow with time
            middle = (after + best.number) // 2
            (each,) = await self._store.audit_checkpoints(caller.tenant, middle - 1, 1)
            after, best = (after, each) if each.at >= at else (each.number, best)
        return best

    async def keys(self, caller: Caller) -> Sequence[ApiKey]:
        """The API keys of the tenant that count, oldest first."""
        query = KeyQuery(caller.tenant, self._clock.now(), limit=MOST_KEYS)
        page = found = list(await self._store.api_keys(query))
        while len(page) == MOST_KEYS:
            page = list(await self._store.api_keys(replace(query, before=page[-1].id)))
            found = [*found, *page]
        return found[::-1]

    def _signed(self, checkpoint: Checkpoint | None) -> bool | None:
        return None if checkpoint is None or self._signer is None else self._signer.signed(checkpoint)


def _by_incident(found: Sequence[T], of: Callable[[T], IncidentId]) -> Mapping[IncidentId, list[T]]:
    grouped: dict[IncidentId, list[T]] = {}
    for each in found:
        grouped.setdefault(of(each), []).append(each)
    return grouped


def _concerned(frameworks: Sequence[Framework], matching: Filter | None) -> Filter | None:
    """The incidents that any requirement applies to, of those that match; None when none applies to incidents."""
    wanted = {
        each.applies_to.text: each.applies_to.tree
        for framework in frameworks
        for control in framework.controls
        for each in control.requirements
        if each.applies_to is not None
    }
    if not wanted:
        return None
    tree = filter_check.disjunction(list(wanted.values()))
    concerned = Filter(tree, filter_tree.text_of(tree))
    return concerned if matching is None else filters.both(concerned, matching)


def _plain(name: str) -> str:
    """A name without what people write differently."""
    return "".join(letter for letter in name.lower() if letter.isalnum())
