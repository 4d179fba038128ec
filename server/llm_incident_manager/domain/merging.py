"""What merging and taking apart do to the incidents' values. Pure; who may merge is decided by the use case."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Extremes, FingerprintName, Incident, Tally, Unmerge
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.time import Instant

Counts = Mapping[FingerprintName, int | None]
"""How many events had each fingerprint; None where nobody has counted."""


def counts_of(incident: Incident, stored: Counts) -> Counts:
    """How many of its events had each fingerprint it holds: all of them where it holds only one."""
    if len(incident.held) == 1:
        return {incident.held[0]: incident.event_count}
    return {name: stored.get(name) for name in incident.held}


def joined(target: Incident, sources: Sequence[Incident], now: Instant) -> Incident:
    """The target with everything the sources bring: counters, fingerprints, and the gravest severity."""
    own = target.unmerge.extremes if target.unmerge is not None else None
    after = target
    for source in sources:
        after = after.counted(tally_of(source))
    return after.changed(
        now,
        severity=min(incident.severity for incident in (target, *sources)),
        keys=(*target.held, *(name for source in sources for name in source.held)),
        first_received_at=min(incident.first_received for incident in (target, *sources)),
        unmerge=Unmerge(extremes=target.extremes if own is None else own),
        historical=all(incident.historical for incident in (target, *sources)),
    )


def ended(source: Incident, target: IncidentId, counts: Counts, now: Instant) -> Incident:
    """The source: closed, naming the target, and remembering what it was."""
    extremes = source.unmerge.extremes if source.unmerge is not None else None
    remembered = Unmerge(source.state, tuple(counts[name] for name in source.held), extremes)
    return replace(source.moved(State.CLOSED, now), merged_into=target, unmerge=remembered)


def returned(source: Incident, now: Instant) -> Incident:
    """The source in the state it had, with what it held and had counted."""
    before = source.unmerge or Unmerge()
    own = Unmerge(extremes=before.extremes) if before.extremes is not None else None
    state = before.state or State.IN_PROGRESS
    return source.changed(now, state=state, closed_at=None, merged_into=None, unmerge=own)


def parted(target: Incident, source: Incident, others: Sequence[Incident], now: Instant) -> Incident:
    """The target without what the source had brought. `others` are still part of it. A severity that the merge had
    raised stays: nobody knows what would have become of it."""
    own = target.unmerge.extremes if target.unmerge is not None else None
    rest = [each.extremes for each in others] + ([own] if own is not None else [])
    left = tuple(name for name in target.held if name not in source.held)
    reduced = subtracted(target, tally_of(source))
    extremes = _without(target.extremes, source.extremes, rest)
    return reduced.changed(
        now,
        users_affected=extremes.users_affected,
        first_seen=extremes.first_seen,
        last_seen=extremes.last_seen,
        first_received_at=extremes.first_received,
        keys=keys_column(target, left),
        unmerge=target.unmerge if others else None,
    )


def tally_of(incident: Incident) -> Tally:
    """All that an incident has counted."""
    return Tally(
        incident.event_count,
        incident.tokens,
        incident.cost_usd,
        incident.users_affected,
        incident.first_seen,
        incident.last_seen,
    )


def subtracted(incident: Incident, tally: Tally) -> Incident:
    """The incident without the sums of a tally; what is no sum stays. Not a material change."""
    return replace(
        incident,
        event_count=max(0, incident.event_count - tally.event_count),
        tokens=max(0, incident.tokens - tally.tokens),
        cost_usd=max(0.0, incident.cost_usd - tally.cost_usd),
    )


def keys_column(incident: Incident, held: tuple[FingerprintName, ...]) -> tuple[FingerprintName, ...]:
    """What `Incident.keys` says of the fingerprints it holds: nothing when that is its own and no other."""
    own = FingerprintName(incident.fingerprint.version, incident.fingerprint.value)
    return () if held == (own,) else held


def _without(whole: Extremes, part: Extremes, rest: Sequence[Extremes]) -> Extremes:
    """Where the part was the extreme, the next one known of; otherwise as it is."""
    if not rest:
        return whole
    users, first, last, received = zip(*rest, strict=True)
    return Extremes(
        max(users) if whole.users_affected == part.users_affected else whole.users_affected,
        min(first) if whole.first_seen == part.first_seen else whole.first_seen,
        max(last) if whole.last_seen == part.last_seen else whole.last_seen,
        min(received) if whole.first_received == part.first_received else whole.first_received,
    )
