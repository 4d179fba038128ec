"""Several incidents that turn out to be one, and the way back."""

from collections.abc import Mapping, Sequence

from llm_incident_manager.domain import changed_fields, lifecycle, merging
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import IllegalTransition, InvalidFields, Merged, NotFound
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import FingerprintName, Incident
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.relations import Relation
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports import snoozing, told
from llm_incident_manager.ports.changes import Changes, FingerprintKey, KeyMove, KeyRow
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import KeyTaken, Transaction
from llm_incident_manager.ports.told import Happening
from llm_incident_manager.usecases import linking, sight
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.incidents import Target, guard

MOST_KEYS = 1_000
"""Fingerprints one incident can hold: each unit of work that touches it locks all of them."""


class Merging:
    """Merges incidents and takes them apart."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        """Needs the time and new ids; the store comes with each transaction."""
        self._clock = clock
        self._ids = ids

    async def merge(
        self, tx: Transaction, changes: Changes, caller: Caller, target: Target, refs: Sequence[str], actor: str
    ) -> tuple[Incident, Sequence[Incident]]:
        """Ends the incidents `refs` in the target; returns it and them. Those that ended in it before are left alone.

        Raises NotFound, StaleEtag, InvalidFields for the target among the sources and for too many fingerprints,
        Merged for what ended elsewhere, and IllegalTransition for what is not open.
        """
        into, named = await self._taking_part(tx, caller, target, refs)
        fresh = [source for source in named if source.merged_into != into.id]
        for source in fresh:
            _refuse_unless_open(source, "merge")
        if not fresh:
            return into, named
        if sum(len(each.held) for each in (into, *fresh)) > MOST_KEYS:
            text = f"the incidents hold more than {MOST_KEYS} fingerprints: merge fewer of them"
            raise InvalidFields([Violation("source_incident_ids", text, "fingerprints")])
        now = self._clock.now()
        joined = merging.joined(into, fresh, now)
        ended = await self._end(tx, changes, into, fresh, now)
        self._tell_merge(changes, into, joined, [(each, ended[each.id]) for each in fresh], actor, now)
        merged = snoozing.settled(changes, self._ids, into, joined, actor, now)
        closed = {each.id: snoozing.settled(changes, self._ids, each, ended[each.id], actor, now) for each in fresh}
        changes.changed.extend((merged, *closed.values()))
        return merged, [closed.get(source.id, source) for source in named]

    async def unmerge(
        self, tx: Transaction, changes: Changes, caller: Caller, target: Target, actor: str, why: str
    ) -> tuple[Incident, Incident]:
        """Brings a merged incident back; returns it and the one it had been merged into.

        Raises NotFound, StaleEtag, IllegalTransition for one that is not merged, Merged when the other one is itself,
        and FingerprintTaken when a newer incident has one of its fingerprints.
        """
        source, into = await self._joined(tx, caller, target)
        now = self._clock.now()
        related = await tx.related(caller.tenant, into.id, (Relation.MERGED_FROM, ""), MOST_KEYS)
        others = [r.incident for r in related if r.relation is Relation.MERGED_FROM and r.incident.id != source.id]
        back, rest = merging.returned(source, now), merging.parted(into, source, others, now)
        await self._give_back(tx, changes, source, into)
        changes.changed.extend((back, rest))
        changes.links_removed.extend(linking.both_ways(source, into, Relation.MERGED_INTO, now, "", ""))
        self._tell_unmerge(changes, (source, back), (into, rest), actor, why, now)
        return back, rest

    async def _taking_part(
        self, tx: Transaction, caller: Caller, target: Target, refs: Sequence[str]
    ) -> tuple[Incident, list[Incident]]:
        """Target and sources, locked together in one order, each source once."""
        into = (await tx.peek(caller.tenant, target.ref)).id
        ids = [(await tx.peek(caller.tenant, ref)).id for ref in refs]
        if into in ids:
            text = f"{refs[ids.index(into)]!r} is the incident to merge into: leave it out"
            raise InvalidFields([Violation(f"source_incident_ids[{ids.index(into)}]", text, "self")])
        found = {incident.id: incident for incident in await tx.incidents(caller.tenant, sorted({into, *ids}))}
        guard(found[into], target.etag)
        _refuse_unless_open(found[into], "merge")
        return found[into], [found[id_] for id_ in dict.fromkeys(ids)]

    async def _joined(self, tx: Transaction, caller: Caller, target: Target) -> tuple[Incident, Incident]:
        """A merged incident and the one it is part of, locked together."""
        seen = await tx.peek(caller.tenant, target.ref)
        if seen.merged_into is None:
            raise IllegalTransition(seen.state, "unmerge", lifecycle.allowed(seen.state), incident=seen.number)
        pair = await tx.incidents(caller.tenant, sorted((seen.id, seen.merged_into)))
        if len(pair) != 2:  # the caller does not see the other one
            raise NotFound("incident", seen.merged_into)
        source, into = sorted(pair, key=lambda incident: incident.id != seen.id)
        if source.merged_into != into.id:
            raise KeyTaken("incident")
        guard(source, target.etag)
        if into.merged_into is not None:
            raise Merged(into.number, into.merged_into, "unmerge that one first")
        return source, into

    async def _end(
        self, tx: Transaction, changes: Changes, into: Incident, sources: Sequence[Incident], now: Instant
    ) -> Mapping[IncidentId, Incident]:
        """Closes the sources and repoints their fingerprints. From now on each one's events are counted."""
        closed: dict[IncidentId, Incident] = {}
        for incident in (into, *sources):
            counts = merging.counts_of(incident, await _stored_counts(tx, incident))
            for name in incident.held:
                key = key_of(incident.tenant, name)
                changes.keys_moved.append(KeyMove(key, incident.id, into.id, counts[name]))
            if incident is not into:
                closed[incident.id] = merging.ended(incident, into.id, counts, now)
        return closed

    async def _give_back(self, tx: Transaction, changes: Changes, source: Incident, into: Incident) -> None:
        counts = source.unmerge.counts if source.unmerge is not None and len(source.held) > 1 else ()
        for at, name in enumerate(source.held):
            key = key_of(source.tenant, name)
            holder = await tx.holder(key)
            if holder == into.id:
                changes.keys_moved.append(KeyMove(key, into.id, source.id, counts[at] if at < len(counts) else None))
            elif holder is None:
                changes.keys_taken.append(KeyRow(key, source.id))
            else:
                raise await sight.taken(tx, key, holder)

    def _tell_merge(
        self,
        changes: Changes,
        before: Incident,
        merged: Incident,
        pairs: Sequence[tuple[Incident, Incident]],
        actor: str,
        now: Instant,
    ) -> None:
        for source, closed in pairs:
            changes.links.extend(linking.both_ways(closed, merged, Relation.MERGED_INTO, now, actor, ""))
            details = {"verb": "merge", "into": merged.id, "from": source.state, "to": closed.state}
            text = f"Merged into {merged.number} by {actor}; it was {source.state} with {source.event_count} events"
            differing = changed_fields.between(source, closed)
            told.tell(changes, self._ids, closed, Happening(TimelineKind.MERGED, actor, text, details, *differing), now)
            told.ask_route(changes, self._ids, closed, NotifyReason.MERGED, now)
        self._tell_joined(changes, before, merged, [source for source, _ in pairs], actor, now)
        reason = NotifyReason.MERGED
        if merged.severity < before.severity:
            reason = NotifyReason.SEVERITY_RAISED
            names = {"from": before.severity.name, "to": merged.severity.name}
            text = f"Severity raised from {names['from']} to {names['to']}: the gravest of the merged incidents"
            happening = Happening(TimelineKind.SEVERITY, actor, text, names)
            told.tell(changes, self._ids, merged, happening, now, audited=False)
        told.ask_route(changes, self._ids, merged, reason, now)

    def _tell_joined(
        self,
        changes: Changes,
        before: Incident,
        merged: Incident,
        sources: Sequence[Incident],
        actor: str,
        now: Instant,
    ) -> None:
        """An entry for each source in the timeline; in the audit one record, since the merge was one change."""
        differing = changed_fields.between(before, merged)
        for source in sources:
            details = {"verb": "merge", "source": source.id, "events": str(source.event_count)}
            text = f"{source.number} with {source.event_count} events was merged into this by {actor}"
            happening = Happening(TimelineKind.MERGED, actor, text, details, *differing)
            told.tell(changes, self._ids, merged, happening, now, audited=source is sources[0])

    def _tell_unmerge(
        self,
        changes: Changes,
        returning: tuple[Incident, Incident],
        staying: tuple[Incident, Incident],
        actor: str,
        why: str,
        now: Instant,
    ) -> None:
        """Both as they were and as they are."""
        (_, back), (_, rest) = returning, staying
        ending = f": {why}" if why else ""
        details = {"verb": "unmerge", "out_of": rest.id, "to": back.state, "events": str(back.event_count)}
        text = f"Taken out of {rest.number} by {actor}, {back.state} as before the merge{ending}"
        differing = changed_fields.between(*returning)
        told.tell(changes, self._ids, back, Happening(TimelineKind.UNMERGED, actor, text, details, *differing), now)
        told.ask_route(changes, self._ids, back, NotifyReason.UNMERGED, now)
        details = {"verb": "unmerge", "source": back.id, "events": str(back.event_count)}
        text = f"{back.number} with {back.event_count} events was taken out by {actor}{ending}; the severity stays"
        differing = changed_fields.between(*staying)
        told.tell(changes, self._ids, rest, Happening(TimelineKind.UNMERGED, actor, text, details, *differing), now)
        if rest.is_open:
            told.ask_route(changes, self._ids, rest, NotifyReason.UNMERGED, now)


def key_of(tenant: TenantId, name: FingerprintName) -> FingerprintKey:
    """The fingerprint as a tenant's."""
    return FingerprintKey(tenant, name.version, name.value)


def _refuse_unless_open(incident: Incident, verb: str) -> None:
    if incident.merged_into is not None:
        raise Merged(incident.number, incident.merged_into, "use that one")
    if not incident.is_open:
        raise IllegalTransition(incident.state, verb, lifecycle.allowed(incident.state), incident=incident.number)


async def _stored_counts(tx: Transaction, incident: Incident) -> merging.Counts:
    if len(incident.held) == 1:
        return {}
    found = await tx.key_counts([key_of(incident.tenant, name) for name in incident.held])
    return {FingerprintName(key.version, key.value): count for key, count in found.items()}
