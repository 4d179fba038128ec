"""One change to every incident that a filter matches: planned once, done in small units of work, each incident by its
own decision. A call that was cut off continues where it stopped when it comes back under its request id."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import orjson

from llm_incident_manager.domain import filter_match, filters, lifecycle
from llm_incident_manager.domain.errors import (
    CountChanged,
    DomainError,
    FingerprintTaken,
    IllegalTransition,
    Merged,
    NotFound,
    TooManyMatches,
)
from llm_incident_manager.domain.filters import Filter
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident, ResolutionMethod
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Store, Transaction
from llm_incident_manager.usecases import sight
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.incidents import Ask, Incidents, Target
from llm_incident_manager.usecases.snoozing import Snoozing, would_snooze
from llm_incident_manager.usecases.unit import Once, Units

MOST = 10_000
"""Incidents one call changes."""
CHUNK = 50
"""Incidents one unit of work changes: enough to be quick, few enough that ingest hardly waits."""
SAMPLE = 20
MOST_FAILURES = 100
_PAGE = 500
_OLDEST_FIRST = filters.parse_order("id")


@dataclass(frozen=True, slots=True)
class Assigning:
    """Replaces the people."""

    actor: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Noting:
    """Adds a note."""

    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class SnoozeUntil:
    """Snoozes."""

    actor: str
    until: Instant


Change = Ask | Assigning | Noting | SnoozeUntil


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked: which incidents, what to do, how many there have to be, and at most how many (0: MOST)."""

    matching: Filter
    change: Change
    expected: int | None = None
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many incidents match, and those to change, oldest first."""

    matched: int
    ids: tuple[IncidentId, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """An incident that could not be changed, and why."""

    incident: str
    number: str
    reason: str
    message: str


@dataclass(slots=True)
class Tally:
    """What became of the incidents so far."""

    matched: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    sample: list[Incident] = field(default_factory=list)

    def fail(self, incident: str, number: str, error: DomainError) -> None:
        """Counts one that could not be changed."""
        self.failed += 1
        if len(self.failures) < MOST_FAILURES:
            self.failures.append(Failure(incident, number, error.reason, error.message))


class Applying:
    """Applies one change to many incidents."""

    def __init__(self, store: Store, units: Units, incidents: Incidents, snoozing: Snoozing) -> None:
        """Reads the store page by page, and changes incidents as a single call would."""
        self._store = store
        self._units = units
        self._incidents = incidents
        self._snoozing = snoozing

    async def preview(self, caller: Caller, wish: Wish) -> Tally:
        """What applying would do, as far as states tell; changes nothing. Raises CountChanged and TooManyMatches."""
        tally = Tally(await self._count(caller, wish))
        async for incident in self._matching(caller, wish):
            if len(tally.sample) < SAMPLE:
                tally.sample.append(incident)
            try:
                if would_change(incident, wish.change):
                    tally.changed += 1
                else:
                    tally.unchanged += 1
            except (IllegalTransition, Merged) as refused:
                tally.fail(incident.id, incident.number, refused)
        return tally

    async def apply(self, caller: Caller, wish: Wish, request_id: str, digest: bytes) -> Tally:
        """Applies the change; under the same request id only to those that it has not reached yet.

        Raises CountChanged, TooManyMatches, RequestIdReused.
        """
        plan = await self._plan(caller, wish, Once(request_id, digest, _encode_plan, _decode_plan))
        tally = Tally(plan.matched)
        for start in range(0, len(plan.ids), CHUNK):
            name = f"{request_id}#{start}" if request_id else ""
            part = await self._chunk(caller, wish, plan.ids[start : start + CHUNK], name, digest)
            tally.changed += part.changed
            tally.unchanged += part.unchanged
            tally.failed += part.failed
            tally.failures.extend(part.failures[: MOST_FAILURES - len(tally.failures)])
        return tally

    async def _plan(self, caller: Caller, wish: Wish, once: Once[Plan]) -> Plan:
        stored = await self._units.recall(caller, once)
        if stored is not None:
            return stored
        matched = await self._count(caller, wish)
        found = Plan(matched, tuple([incident.id async for incident in self._matching(caller, wish)]))

        async def keep(_: Transaction, __: Changes) -> Plan:
            return found

        return (await self._units.run(caller, once, keep)).answer

    async def _count(self, caller: Caller, wish: Wish) -> int:
        matched = await self._store.count_incidents(sight.query(caller, wish.matching))
        if wish.expected is not None and matched != wish.expected:
            raise CountChanged(wish.expected, matched)
        if matched > MOST and not wish.limit:
            raise TooManyMatches(matched, MOST)
        return matched

    async def _matching(self, caller: Caller, wish: Wish) -> AsyncIterator[Incident]:
        """The incidents to change, oldest first, read in pages."""
        left = wish.limit or MOST
        query = replace(sight.query(caller, wish.matching), order=_OLDEST_FIRST, limit=_PAGE)
        while left:
            found = await self._store.incidents(query)
            for incident in islice(found, left):
                yield incident
            if len(found) < _PAGE:
                return
            left = max(0, left - len(found))
            query = replace(query, after=filters.place_of(found[-1], query.order))

    async def _chunk(
        self, caller: Caller, wish: Wish, ids: Sequence[IncidentId], request_id: str, digest: bytes
    ) -> Tally:
        async def work(tx: Transaction, changes: Changes) -> Tally:
            tally = Tally()
            found = {incident.id: incident for incident in await tx.incidents(caller.tenant, ids)}
            for id_ in ids:
                if id_ not in found:
                    tally.fail(id_, "", NotFound("incident", id_))
                elif not filter_match.matches(wish.matching, found[id_]):
                    tally.unchanged += 1
                else:
                    await self._one(tx, changes, caller, found[id_], wish.change, tally)
            return tally

        once = Once(request_id, digest, _encode_tally, _decode_tally)
        return (await self._units.run(caller, once, work)).answer

    async def _one(
        self, tx: Transaction, changes: Changes, caller: Caller, incident: Incident, change: Change, tally: Tally
    ) -> None:
        """Changes one incident; what a refusal leaves behind is thrown away."""
        own = Changes()
        try:
            await self._change(tx, own, caller, incident, change)
            _refuse_second_holder(changes, own)
        except (IllegalTransition, FingerprintTaken, Merged) as refused:
            tally.fail(incident.id, incident.number, refused)
            return
        if own.timeline:
            tally.changed += 1
            changes.absorb(own)
        else:
            tally.unchanged += 1

    async def _change(
        self, tx: Transaction, changes: Changes, caller: Caller, incident: Incident, change: Change
    ) -> None:
        target = Target(incident.id)
        match change:
            case Ask():
                await self._incidents.move(tx, changes, caller, target, change)
            case Assigning(actor, people):
                await self._incidents.assign(tx, changes, caller, target, actor, people)
            case Noting(actor, text):
                await self._incidents.add_note(tx, changes, caller, incident.id, actor, text)
            case SnoozeUntil(actor, until):
                await self._snoozing.snooze(tx, changes, caller, target, actor, until)


def would_change(incident: Incident, change: Change) -> bool:
    """Whether the change would do something to the incident as it is. Raises IllegalTransition and Merged."""
    match change:
        case Ask(verb):
            if incident.merged_into is not None:
                raise Merged(incident.number, incident.merged_into, "use that one, or unmerge this one first")
            forced = change.force or change.method is ResolutionMethod.AUTOMATED
            return bool(lifecycle.steps(incident.state, verb, force=forced))
        case Assigning(_, people):
            return incident.assignees != people
        case Noting():
            return True
        case SnoozeUntil(_, until):
            return would_snooze(incident, until)


def _refuse_second_holder(before: Changes, own: Changes) -> None:
    """Two incidents of one unit cannot both take a fingerprint; the store would refuse the whole unit."""
    taken = {row.key: row.incident_id for row in before.keys_taken}
    for row in own.keys_taken:
        if row.key in taken:
            raise FingerprintTaken(row.key.value, taken[row.key])


def _encode_plan(plan: Plan) -> bytes:
    return orjson.dumps([plan.matched, plan.ids])


def _decode_plan(data: bytes) -> Plan:
    matched, ids = orjson.loads(data)
    return Plan(matched, tuple(ids))


def _encode_tally(tally: Tally) -> bytes:
    failures = [[f.incident, f.number, f.reason, f.message] for f in tally.failures]
    return orjson.dumps([tally.changed, tally.unchanged, tally.failed, failures])


def _decode_tally(data: bytes) -> Tally:
    changed, unchanged, failed, failures = orjson.loads(data)
    return Tally(0, changed, unchanged, failed, [Failure(*each) for each in failures])
