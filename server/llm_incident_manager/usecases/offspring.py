"""The incident that leaves another one with some of its events: made from what those events told."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import NamedTuple

from llm_incident_manager.domain import fingerprint
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.fingerprint import VERBATIM, Component, Fingerprint
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import FingerprintName, Incident, Tally
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.rules import RulePack
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.engines import triage
from llm_incident_manager.ports.changes import EventRow
from llm_incident_manager.usecases.draft import Birth


class Parting(NamedTuple):
    """One event that leaves: its row, the incidents whose counters it stands in (its own first, the one that is split
    last), its fingerprint, and what else is known of it."""

    row: EventRow
    path: tuple[IncidentId, ...]
    name: FingerprintName | None
    event: Event | None
    severity: Severity | None

    @property
    def tally(self) -> Tally:
        """What it counts for, as far as that is known."""
        at = self.row.event_time
        if self.event is None:
            return Tally(1, first_seen=at, last_seen=at)
        tokens = self.event.input_tokens + self.event.output_tokens
        return Tally(1, tokens, self.event.cost_usd, self.event.users_affected, at, at)


def incident(
    whole: Incident,
    partings: Sequence[Parting],
    moved: tuple[FingerprintName, ...],
    title: str,
    birth: Birth,
    rules: RulePack,
) -> Incident:
    """The new incident: NEW, as grave as the gravest of its events, otherwise as the first of them told it. What is not
    known of the events it takes from the incident they leave."""
    known = [each for each in partings if each.event is not None]
    first = next((each for each in known if each.name in moved), known[0] if known else None)
    new = _like(whole, birth) if first is None or first.event is None else _told(whole, first.event, birth, rules)
    new = replace(
        new,
        title=title or new.title,
        severity=min((each.severity for each in known if each.severity is not None), default=whole.severity),
        fingerprint=_fingerprint(whole, moved, first, birth),
        keys=moved if len(moved) > 1 else (),
        first_seen=partings[0].row.event_time,
        last_seen=partings[0].row.event_time,
        first_received_at=min(each.row.received_at for each in partings),
    )
    return reduce(lambda so_far, each: so_far.counted(each.tally), partings, new)


def _like(whole: Incident, birth: Birth) -> Incident:
    """The same problem under another name, without events."""
    return replace(
        whole,
        id=birth.id,
        number=birth.number,
        state=State.NEW,
        created_at=birth.now,
        updated_at=birth.now,
        assignees=(),
        route="",
        event_count=0,
        tokens=0,
        cost_usd=0.0,
        users_affected=0,
        recurred=False,
        previous_id=None,
        acknowledged_at=None,
        unmerge=None,
        snoozed_until=None,
        acknowledge_breached_at=None,
        resolve_breached_at=None,
        revision=1,
        traceparent=birth.traceparent,
    )


def _told(whole: Incident, event: Event, birth: Birth, rules: RulePack) -> Incident:
    judged = triage.decide(event, rules)
    return replace(
        _like(whole, birth),
        incident_type=judged.incident_type,
        kind=judged.kind,
        source=event.source,
        title=event.title or whole.title,
        description=event.description,
        labels=event.labels,
        service=event.service,
        affected_services=event.affected_services,
        environment=event.environment,
        application=event.application,
        provider=event.provider,
        model=event.model,
        deployment=event.deployment,
        runbook_url=event.runbook_url,
    )


def _fingerprint(
    whole: Incident, moved: tuple[FingerprintName, ...], first: Parting | None, birth: Birth
) -> Fingerprint:
    """The first that went along, with its components where they are known; otherwise one of its own, which a producer
    can name as `dedup_key`."""
    if not moved:
        return Fingerprint(VERBATIM, f"split/{birth.id}", (Component("split_from", whole.id),))
    if first is not None and first.event is not None and first.name == moved[0]:
        computed = fingerprint.compute(first.event)
        if (computed.version, computed.value) == moved[0]:
            return computed
    return Fingerprint(*moved[0])
