"""What people do to incidents: open, edit, move, assign, comment. Each runs inside a unit of work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from llm_incident_manager.domain import changed_fields, lifecycle
from llm_incident_manager.domain.errors import Merged, StaleEtag
from llm_incident_manager.domain.incident import Incident, Resolution, ResolutionMethod
from llm_incident_manager.domain.lifecycle import Step, Verb
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineEntry, TimelineKind
from llm_incident_manager.ports import snoozing, told
from llm_incident_manager.ports.changes import Changes, FingerprintKey, KeyRow
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.ports.told import Happening
from llm_incident_manager.usecases import sight
from llm_incident_manager.usecases.caller import Caller

_REASONS: Mapping[Verb, NotifyReason] = {
    Verb.ACKNOWLEDGE: NotifyReason.ACKNOWLEDGED,
    Verb.ESCALATE: NotifyReason.ESCALATED,
    Verb.RESOLVE: NotifyReason.RESOLVED,
    Verb.REOPEN: NotifyReason.REOPENED,
}
"""The verbs that somebody beyond the incident is told about."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which incident, as the caller names it, and the etag the caller has read (empty: any)."""

    ref: str
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A verb with its words."""

    verb: Verb
    actor: str
    why: str = ""
    force: bool = False
    method: ResolutionMethod = ResolutionMethod.MANUAL
    notes: str = ""
    root_cause: str = ""


def guard(incident: Incident, etag: str) -> None:
    """Raises StaleEtag when the caller has read another revision of the incident."""
    if etag and etag != incident.etag:
        raise StaleEtag(incident.id, etag, incident.etag)


class Incidents:
    """Changes of incidents."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        """Needs the time and new ids; the store comes with each transaction."""
        self._clock = clock
        self._ids = ids

    async def move(self, tx: Transaction, changes: Changes, caller: Caller, target: Target, ask: Ask) -> Incident:
        """Applies a verb. Repeating acknowledge or resolve returns the incident unchanged.

        Raises NotFound, StaleEtag, IllegalTransition, Merged, and FingerprintTaken when one of a reopened incident's
        fingerprints belongs to another open one.
        """
        incident = await self._locked(tx, caller, target)
        if incident.merged_into is not None:
            raise Merged(incident.number, incident.merged_into, "use that one, or unmerge this one first")
        now = self._clock.now()
        forced = ask.force or ask.method is ResolutionMethod.AUTOMATED
        steps = lifecycle.steps(incident.state, ask.verb, force=forced)
        before = incident
        for step in steps:
            incident = self._step(changes, incident, step, ask, now)
        if steps:
            incident = snoozing.settled(changes, self._ids, before, incident, ask.actor, now)
            await self._keys(tx, changes, incident, ask.verb)
            changes.changed.append(incident)
            if (reason := _REASONS.get(ask.verb)) is not None:
                told.ask_route(changes, self._ids, incident, reason, now)
        return incident

    async def assign(
        self, tx: Transaction, changes: Changes, caller: Caller, target: Target, actor: str, people: Sequence[str]
    ) -> Incident:
        """Replaces the people on an incident, in any state."""
        incident = await self._locked(tx, caller, target)
        if incident.assignees == tuple(people):
            return incident
        now = self._clock.now()
        assigned = incident.changed(now, assignees=tuple(people))
        names = ", ".join(people) or "nobody"
        details = {"from": ",".join(incident.assignees), "to": ",".join(people)}
        differing = changed_fields.between(incident, assigned)
        happening = Happening(TimelineKind.ASSIGNED, actor, f"Assigned to {names}", details, *differing)
        told.tell(changes, self._ids, assigned, happening, now)
        changes.changed.append(assigned)
        return assigned

    async def add_note(
        self, tx: Transaction, changes: Changes, caller: Caller, ref: str, actor: str, text: str
    ) -> TimelineEntry:
        """Adds a note, in any state. The incident's revision stays: notes never conflict with an edit."""
        incident = await tx.incident(caller.tenant, ref)
        now = self._clock.now()
        after = {"note": changed_fields.short(text)}
        return told.tell(changes, self._ids, incident, Happening(TimelineKind.NOTE, actor, text, {}, after=after), now)

    async def update(
        self,
        tx: Transaction,
        changes: Changes,
        caller: Caller,
        target: Target,
        actor: str,
        fields: Mapping[str, object],
    ) -> Incident:
        """Takes new values for editable fields (names of Incident); what is equal already is no change."""
        incident = await self._locked(tx, caller, target)
        differing = {name: value for name, value in fields.items() if getattr(incident, name) != value}
        if not differing:
            return incident
        now = self._clock.now()
        edited = incident.changed(now, **differing)
        self._tell_edit(changes, incident, edited, actor, differing, now)
        edited = snoozing.settled(changes, self._ids, incident, edited, actor, now)
        changes.changed.append(edited)
        return edited

    async def open(self, tx: Transaction, changes: Changes, incident: Incident, actor: str) -> Incident:
        """Opens an incident by hand. Raises FingerprintTaken while an open one has the same fingerprint."""
        key = FingerprintKey(incident.tenant, incident.fingerprint.version, incident.fingerprint.value)
        if (holder := await tx.holder(key)) is not None:
            raise await sight.taken(tx, key, holder)
        now = incident.created_at
        changes.opened.append(incident)
        changes.keys_taken.append(KeyRow(key, incident.id))
        details = {"severity": incident.severity.name}
        text = f"Opened as {incident.severity.name} by {actor}"
        after = changed_fields.opened(incident)
        happening = Happening(TimelineKind.OPENED, actor, text, details, after=after)
        told.tell(changes, self._ids, incident, happening, now)
        told.ask_route(changes, self._ids, incident, NotifyReason.OPENED, now)
        return incident

    async def _locked(self, tx: Transaction, caller: Caller, target: Target) -> Incident:
        incident = await tx.incident(caller.tenant, target.ref)
        guard(incident, target.etag)
        return incident

    def _step(self, changes: Changes, incident: Incident, step: Step, ask: Ask, now: Instant) -> Incident:
        moved = incident.moved(step.after, now)
        if step.verb is Verb.RESOLVE:
            moved = replace(moved, resolution=Resolution(ask.actor, ask.method, ask.notes, ask.root_cause, now))
        details: dict[str, str] = {"from": step.before, "to": step.after, "verb": step.verb}
        details.update({name: text for name, text in (("why", ask.why), ("notes", ask.notes)) if text})
        if step.verb is Verb.REOPEN and incident.resolution is not None:
            details["root_cause"] = incident.resolution.root_cause
            details["resolved_by"] = incident.resolution.resolved_by
        text = f"{step.before} to {step.after} by {ask.actor}" + (f": {ask.why}" if ask.why else "")
        differing = changed_fields.between(incident, moved)
        told.tell(changes, self._ids, moved, Happening(TimelineKind.STATE, ask.actor, text, details, *differing), now)
        return moved

    async def _keys(self, tx: Transaction, changes: Changes, incident: Incident, verb: Verb) -> None:
        keys = [FingerprintKey(incident.tenant, *name) for name in incident.held]
        if verb is Verb.RESOLVE:
            changes.keys_released.extend(KeyRow(key, incident.id) for key in keys)
        elif verb is Verb.REOPEN:
            for key in keys:
                if (holder := await tx.holder(key)) is not None:
                    raise await sight.taken(tx, key, holder)
                changes.keys_taken.append(KeyRow(key, incident.id))

    def _tell_edit(
        self,
        changes: Changes,
        before: Incident,
        after: Incident,
        actor: str,
        fields: Mapping[str, object],
        now: Instant,
    ) -> None:
        differing = changed_fields.between(before, after)
        others = sorted(name for name in fields if name != "severity")
        if before.severity != after.severity:
            names = {"from": before.severity.name, "to": after.severity.name}
            text = f"Severity set from {before.severity.name} to {after.severity.name} by {actor}"
            happening = Happening(TimelineKind.SEVERITY, actor, text, names, *differing)
            told.tell(changes, self._ids, after, happening, now, audited=not others)  # one edit is one record
            if after.severity < before.severity and after.is_open:
                told.ask_route(changes, self._ids, after, NotifyReason.SEVERITY_RAISED, now)
        if others:
            details = {"fields": ",".join(others)}
            text = f"{actor} edited {', '.join(others)}"
            happening = Happening(TimelineKind.UPDATED, actor, text, details, *differing)
            told.tell(changes, self._ids, after, happening, now)
