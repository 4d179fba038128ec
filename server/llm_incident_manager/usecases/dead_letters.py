"""Work that was given up: looked at, put back to work, or dropped. Many at once are planned once and done in small
units of work; a call that was cut off continues where it stopped when it comes back under its request id."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import orjson

from llm_incident_manager.domain.errors import CountChanged, NotFound, TooManyMatches
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import AuditRecord, TimelineKind
from llm_incident_manager.ports import deliveries, told
from llm_incident_manager.ports.changes import Changes, OutboxRow
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.dead_letters import DeadQuery
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import Store, Transaction
from llm_incident_manager.ports.told import Happening
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.unit import Once, Units

MOST = 10_000
"""Dead letters one call changes."""
CHUNK = 50
"""Dead letters one unit of work changes."""
SAMPLE = 20
_PAGE = 1_000


class Deed(StrEnum):
    """What is done to a dead letter."""

    REPLAY = "replay"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which dead letters (those of `ids`, or all of a topic and an incident), what to do, who does it and why.

    `expected` of them there have to be, and at most `limit` are changed (0: MOST).
    """

    deed: Deed
    ids: tuple[str, ...]
    topic: str
    incident: IncidentId | None
    actor: str
    reason: str
    expected: int | None = None
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many were selected, and the ids of those to change, oldest first."""

    matched: int
    ids: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """What became of the dead letters."""

    matched: int
    done: int = 0
    gone: int = 0
    sample: Sequence[OutboxRow] = field(default_factory=tuple)


class DeadLetters:
    """Replays and drops dead letters."""

    def __init__(self, store: Store, units: Units, clock: Clock, ids: Ids) -> None:
        """Plans on the store, and changes in units of work."""
        self._store = store
        self._units = units
        self._clock = clock
        self._ids = ids

    async def one(self, caller: Caller, name: str) -> OutboxRow:
        """A dead letter by its id. Raises NotFound."""
        return (await self._named(caller, (name,)))[0]

    async def preview(self, caller: Caller, wish: Wish) -> Outcome:
        """What the wish selects; changes nothing. Raises NotFound, CountChanged, TooManyMatches."""
        plan = await self._select(caller, wish)
        sample = await self._store.dead_letters_by_id(caller.tenant, plan.ids[:SAMPLE])
        return Outcome(plan.matched, len(plan.ids), 0, sample)

    async def do(self, caller: Caller, wish: Wish, request_id: str, digest: bytes) -> Outcome:
        """Does it; under the same request id only to those that it has not reached yet.

        Raises NotFound, CountChanged, TooManyMatches, RequestIdReused.
        """
        plan = await self._plan(caller, wish, Once(request_id, digest, _encode_plan, _decode_plan))
        outcome = Outcome(plan.matched)
        for start in range(0, len(plan.ids), CHUNK):
            ids = plan.ids[start : start + CHUNK]
            name = f"{request_id}#{start}" if request_id else ""
            done = await self._chunk(caller, wish, ids, Once(name, digest, orjson.dumps, orjson.loads))
            outcome.done += done
            outcome.gone += len(ids) - done
        return outcome

    async def _plan(self, caller: Caller, wish: Wish, once: Once[Plan]) -> Plan:
        stored = await self._units.recall(caller, once)
        if stored is not None:
            return stored
        found = await self._select(caller, wish)

        async def keep(_: Transaction, __: Changes) -> Plan:
            return found

        return (await self._units.run(caller, once, keep)).answer

    async def _select(self, caller: Caller, wish: Wish) -> Plan:
        if wish.ids:
            found = tuple(row.id for row in await self._named(caller, wish.ids))
            _refuse_other_count(wish, len(found))
            return Plan(len(found), found[: wish.limit or MOST])
        query = DeadQuery(caller.tenant, wish.topic, wish.incident, limit=_PAGE)
        matched = await self._store.count_dead(query)
        _refuse_other_count(wish, matched)
        return Plan(matched, await self._ids_of(query, wish.limit or MOST))

    async def _named(self, caller: Caller, ids: Sequence[str]) -> Sequence[OutboxRow]:
        found = await self._store.dead_letters_by_id(caller.tenant, ids)
        missing = set(ids) - {row.id for row in found}
        if missing:
            raise NotFound("dead letter", min(missing), "somebody may have replayed or dropped it")
        return found

    async def _ids_of(self, query: DeadQuery, most: int) -> tuple[str, ...]:
        """Those that match, oldest first, read in pages."""
        ids: list[str] = []
        while len(ids) < most:
            page = await self._store.dead_letters(query)
            ids += [row.id for row in page]
            if len(page) < query.limit:
                break
            query = replace(query, after=ids[-1])
        return tuple(ids[:most])

    async def _chunk(self, caller: Caller, wish: Wish, ids: Sequence[str], once: Once[int]) -> int:
        async def work(tx: Transaction, changes: Changes) -> int:
            now, rows = self._clock.now(), await tx.lock_dead(caller.tenant, ids)
            about = sorted({row.incident_id for row in rows})
            incidents = {incident.id: incident for incident in await tx.peek_each(caller.tenant, about)}
            for row in rows:
                changes.dead_removed.append(row)
                if wish.deed is Deed.REPLAY:
                    self._revive(changes, row, now)
                self._tell(changes, row, incidents.get(row.incident_id), wish, now)
            return len(rows)

        return (await self._units.run(caller, once, work)).answer

    def _revive(self, changes: Changes, row: OutboxRow, now: Instant) -> None:
        """New work with the old payload, at the end of its lane: who is at work there now is not overtaken.

        The payload names the delivery and its idempotency key, so a receiver that had it after all recognises it.
        """
        again = row._replace(id=self._ids.new(now), created_at=now, due_at=now, attempts=0, fence=0)
        changes.outbox.append(again)
        if (delivery := deliveries.readable(row)) is not None:
            pending = delivery._replace(state=DeliveryState.PENDING, attempts=0, updated_at=now)
            changes.delivery_updates.append(pending)

    def _tell(self, changes: Changes, row: OutboxRow, incident: Incident | None, wish: Wish, now: Instant) -> None:
        details = {"verb": f"{wish.deed}_dead_letter", "dead_letter": row.id, "topic": row.topic}
        details |= {"failed": row.last_error, "reason": wish.reason}
        before, after = {"work": "dead"}, {"work": "waiting" if wish.deed is Deed.REPLAY else "dropped"}
        if incident is None:  # its work is looked after all the same, and the audit tells
            action, resource = f"dead_letter.{wish.deed}", f"dead_letter/{row.id}"
            changes.audit.append(AuditRecord(row.tenant, now, wish.actor, action, resource, details, before, after))
            return
        done = "put back to work" if wish.deed is Deed.REPLAY else "dropped"
        why = f": {wish.reason}" if wish.reason else ""
        text = f"Given-up work of {row.topic} was {done} by {wish.actor}{why}"
        happening = Happening(TimelineKind.DEAD_LETTER, wish.actor, text, details, before, after)
        told.tell(changes, self._ids, incident, happening, now)


def _refuse_other_count(wish: Wish, matched: int) -> None:
    if wish.expected is not None and matched != wish.expected:
        raise CountChanged(wish.expected, matched, "dead letters")
    if matched > MOST and not wish.limit:
        raise TooManyMatches(matched, MOST, "dead letters")


def _encode_plan(plan: Plan) -> bytes:
    return orjson.dumps([plan.matched, plan.ids])


def _decode_plan(data: bytes) -> Plan:
    matched, ids = orjson.loads(data)
    return Plan(matched, tuple(ids))
