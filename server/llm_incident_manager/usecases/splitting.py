"""Events that turn out not to belong together: some of them leave for an incident of their own."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from llm_incident_manager.domain import changed_fields, lifecycle, merging, splitting
from llm_incident_manager.domain.disposition import COUNTED, Violation
from llm_incident_manager.domain.errors import IllegalTransition, InvalidFields, Merged, NotFound
from llm_incident_manager.domain.ids import EventId, IncidentId
from llm_incident_manager.domain.incident import FingerprintName, Incident
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.relations import Relation
from llm_incident_manager.domain.rules import RulePack
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.splitting import Fate
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports import told
from llm_incident_manager.ports.changes import Changes, EventMove, EventRow, KeyCount, KeyMove, KeyRow
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.codec import Codec
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import KeyTaken, StoredEvent, Transaction
from llm_incident_manager.ports.told import Happening
from llm_incident_manager.usecases import linking, offspring
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.draft import Birth
from llm_incident_manager.usecases.incidents import Target, guard
from llm_incident_manager.usecases.merging import key_of
from llm_incident_manager.usecases.offspring import Parting


class Outcome(NamedTuple):
    """What a split has made."""

    rest: Incident
    new: Incident
    moved: int
    unknown: int
    fates: Sequence[Fate]


class Split(NamedTuple):
    """What is asked: which events leave, in the caller's words for the new incident and for the reason."""

    events: Sequence[str]
    actor: str
    title: str = ""
    why: str = ""


class Splitting:
    """Splits incidents."""

    def __init__(self, clock: Clock, ids: Ids, codec: Codec, rules: RulePack) -> None:
        """Needs the time, new ids, stored events' bodies, and how their kinds are judged."""
        self._clock = clock
        self._ids = ids
        self._codec = codec
        self._rules = rules

    async def split(
        self, tx: Transaction, changes: Changes, caller: Caller, target: Target, asked: Split, birth: Birth
    ) -> Outcome:
        """Moves the events into the incident that `birth` names.

        Raises NotFound for the incident or an event, StaleEtag, Merged, IllegalTransition unless it is open, and
        InvalidFields for events it does not count and when none would be left.
        """
        partings, part = await self._leaving(tx, caller, target, asked.events)
        whole = part[-1]
        if len(partings) >= whole.event_count:
            text = f"all {whole.event_count} events of {whole.number} would leave: leave at least one"
            raise InvalidFields([Violation("event_ids", text, "all")])
        fates = await self._fates(tx, whole, partings)
        moved = tuple(fate.name for fate in fates if fate.moved)
        new = offspring.incident(whole, partings, moved, asked.title, birth, self._rules)
        rest = self._reduced(changes, part, partings, moved)
        self._write(changes, (whole, rest), new, partings, fates, asked)
        if not moved:
            fates = [*fates, Fate(new.held[0], moved=True, why=splitting.Why.NEW)]
        return Outcome(rest, new, len(partings), sum(each.event is None for each in partings), fates)

    async def _leaving(
        self, tx: Transaction, caller: Caller, target: Target, refs: Sequence[str]
    ) -> tuple[list[Parting], list[Incident]]:
        """The events, and the incidents whose counters they stand in, locked: the one that is split comes last."""
        whole = await tx.peek(caller.tenant, target.ref)
        rows = {stored.row.id: stored for stored in await tx.events(caller.tenant, [EventId(ref) for ref in refs])}
        if missing := [ref for ref in refs if ref not in rows]:
            raise NotFound("event", missing[0])
        paths: dict[IncidentId, tuple[IncidentId, ...]] = {whole.id: (whole.id,)}
        for at, ref in enumerate(refs):
            await _trace(tx, caller, rows[EventId(ref)].row, paths, whole, f"event_ids[{at}]")
        wanted = {id_ for stored in rows.values() for id_ in paths[stored.row.incident_id or whole.id]}
        part = await tx.incidents(caller.tenant, sorted(wanted | {whole.id}))
        again = await tx.events(caller.tenant, list(rows))
        if any(stored.row.incident_id != rows[stored.row.id].row.incident_id for stored in again):
            raise KeyTaken("event")  # another split took it before the incidents were locked
        part = sorted(part, key=lambda incident: incident.id == whole.id)
        _check(part, target.etag, {paths[id_][:2] for id_ in wanted if len(paths[id_]) > 1})
        by_id = {incident.id: incident for incident in part}
        found = [self._parting(rows[EventId(ref)], by_id, paths) for ref in dict.fromkeys(refs)]
        return found, list(part)

    def _parting(
        self, stored: StoredEvent, by_id: dict[IncidentId, Incident], paths: dict[IncidentId, tuple[IncidentId, ...]]
    ) -> Parting:
        path = paths[stored.row.incident_id] if stored.row.incident_id is not None else ()
        if stored.body is None or stored.decision is None:
            held = by_id[path[0]].held
            return Parting(stored.row, path, held[0] if len(held) == 1 else None, None, None)
        decision = orjson.loads(stored.decision)
        event = self._codec.decode_event(stored.body)
        return Parting(
            stored.row, path, FingerprintName(*decision["fingerprint"]), event, Severity[decision["severity"]]
        )

    async def _fates(self, tx: Transaction, whole: Incident, partings: Sequence[Parting]) -> Sequence[Fate]:
        if len(whole.held) == 1:
            counts: dict[FingerprintName, int | None] = {whole.held[0]: whole.event_count}
        else:
            stored = await tx.key_counts([key_of(whole.tenant, name) for name in whole.held])
            counts = {FingerprintName(key.version, key.value): count for key, count in stored.items()}
        leaving = Counter(each.name for each in partings if each.name is not None)
        return splitting.fates(whole.held, counts, leaving, sum(each.name is None for each in partings))

    def _reduced(
        self,
        changes: Changes,
        part: Sequence[Incident],
        partings: Sequence[Parting],
        moved: tuple[FingerprintName, ...],
    ) -> Incident:
        """Takes the events out of all counters they stand in; the incident that is split gets a new revision."""
        now = self._clock.now()
        for incident in part:
            for each in partings:
                if incident.id in each.path:
                    incident = merging.subtracted(incident, each.tally)  # noqa: PLW2901  # the next value of the same
            if incident.id == part[-1].id:
                left = tuple(name for name in incident.held if name not in moved)
                incident = incident.changed(now, keys=merging.keys_column(incident, left))  # noqa: PLW2901
            changes.changed.append(incident)
        return incident

    def _write(
        self,
        changes: Changes,
        reduced: tuple[Incident, Incident],
        new: Incident,
        partings: Sequence[Parting],
        fates: Sequence[Fate],
        asked: Split,
    ) -> None:
        """`reduced` is what is split, as it was and as it is."""
        rest, now, tenant = reduced[1], new.created_at, new.tenant
        leaving = Counter(each.name for each in partings)
        changes.opened.append(new)
        changes.events_moved.extend(EventMove(each.row.id, tenant, new.id) for each in partings)
        changes.links.extend(linking.both_ways(new, rest, Relation.SPLIT_FROM, now, asked.actor, asked.why))
        for fate in fates:
            key = key_of(tenant, fate.name)
            if fate.moved:
                count = leaving[fate.name] if len(new.held) > 1 else None
                changes.keys_moved.append(KeyMove(key, rest.id, new.id, count))
            else:
                changes.key_counts.append(KeyCount(key, -leaving[fate.name]))
        if not any(fate.moved for fate in fates):
            changes.keys_taken.append(KeyRow(key_of(tenant, new.held[0]), new.id))
        self._tell(changes, reduced, new, len(partings), asked)

    def _tell(
        self, changes: Changes, reduced: tuple[Incident, Incident], new: Incident, events: int, asked: Split
    ) -> None:
        rest, now, why = reduced[1], new.created_at, f": {asked.why}" if asked.why else ""
        details = {"verb": "split", "from": rest.id, "events": str(events), "severity": new.severity.name}
        text = f"Opened by {asked.actor} with {events} events of {rest.number}{why}"
        after = changed_fields.opened(new)
        told.tell(changes, self._ids, new, Happening(TimelineKind.OPENED, asked.actor, text, details, after=after), now)
        told.ask_route(changes, self._ids, new, NotifyReason.OPENED, now)
        details = {"verb": "split", "into": new.id, "events": str(events)}
        text = f"{events} events left for {new.number}, by {asked.actor}{why}"
        differing = changed_fields.between(*reduced)
        told.tell(changes, self._ids, rest, Happening(TimelineKind.SPLIT, asked.actor, text, details, *differing), now)


async def _trace(
    tx: Transaction,
    caller: Caller,
    row: EventRow,
    paths: dict[IncidentId, tuple[IncidentId, ...]],
    whole: Incident,
    field: str,
) -> None:
    """Notes the way from the event's incident over merges to the one that is split; refuses events of others."""
    counted = row.disposition in COUNTED and row.incident_id is not None
    way: list[IncidentId] = []
    at = row.incident_id if counted else None
    while at is not None and at not in paths:
        way.append(at)
        at = (await tx.peek(caller.tenant, at)).merged_into
    if at is None:
        what = f"belongs to incident {row.incident_id}" if counted else f"is {row.disposition.name} and counts nowhere"
        text = f"event {row.id} {what}: name events that {whole.number} counts"
        raise InvalidFields([Violation(field, text, "foreign")])
    for place, id_ in enumerate(way):
        paths[id_] = (*way[place:], *paths[at])


def _check(part: Sequence[Incident], etag: str, steps: set[tuple[IncidentId, ...]]) -> None:
    """The incidents, now that they are locked, stand to each other as they did when they were looked up."""
    whole, merged = part[-1], {incident.id: incident.merged_into for incident in part}
    if any(merged[below] != above for below, above in steps):
        raise KeyTaken("incident")
    guard(whole, etag)
    if whole.merged_into is not None:
        raise Merged(whole.number, whole.merged_into, "split that one")
    if not whole.is_open:
        raise IllegalTransition(whole.state, "split", lifecycle.allowed(whole.state), incident=whole.number)
