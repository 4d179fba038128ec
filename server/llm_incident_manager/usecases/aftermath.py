"""What followed an event's commit: its routing and the notifications it caused.

Tells what the timeline and the deliveries of its incident say, and that something is not known where they say nothing.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from llm_incident_manager.domain.disposition import Disposition, Reason
from llm_incident_manager.domain.ids import first_of, made_at
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import DeliveryState, NotifyReason
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineEntry, TimelineKind
from llm_incident_manager.engines import notify
from llm_incident_manager.ports.changes import DeliveryRow, EventRow
from llm_incident_manager.ports.stores import Store

_ENTRIES = 1_000
"""Timeline entries that are looked through, from the event's own moment on."""

_TELLING = frozenset({Reason.SEVERITY_RAISED, Reason.RECURRED, Reason.ACKNOWLEDGED, Reason.RESOLVED})
"""Reasons of events that change an open incident, so that it is routed again."""

_CAUSES: Mapping[TimelineKind, NotifyReason] = {
    TimelineKind.OPENED: NotifyReason.OPENED,
    TimelineKind.SEVERITY: NotifyReason.SEVERITY_RAISED,
    TimelineKind.RECURRED: NotifyReason.RECURRED,
}
_CAUSES_BY_VERB: Mapping[str, NotifyReason] = {
    "acknowledge": NotifyReason.ACKNOWLEDGED,
    "resolve": NotifyReason.RESOLVED,
}


class State(StrEnum):
    """How far a stage is."""

    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"
    NOT_NEEDED = "not_needed"
    UNKNOWN = "unknown"


class Stage(NamedTuple):
    """What a stage did with the event."""

    name: str
    state: State
    explanation: str
    at: Instant | None = None


class Aftermath(NamedTuple):
    """The stages in their order, and the ids of the deliveries that the event caused."""

    stages: Sequence[Stage]
    caused: frozenset[str] = frozenset()


def without_incident(row: EventRow) -> Aftermath:
    """Of an event whose incident is not there: it has none, or retention has ended it."""
    if row.incident_id is None:
        return _both(State.NOT_NEEDED, "the event belongs to no incident")
    return _both(State.UNKNOWN, "its incident and all that was sent for it are not kept any more")


async def of(store: Store, row: EventRow, incident: Incident, deliveries: Sequence[DeliveryRow]) -> Aftermath:
    """Of an event of an incident."""
    if row.disposition is not Disposition.NEW and row.reason not in _TELLING:
        return _both(State.NOT_NEEDED, "the event changed nothing that anybody is told of")
    since = first_of(made_at(row.id))
    entries = await store.timeline(row.tenant, incident.id, since, _ENTRIES)
    keys = {_dedup_key(entry) for entry in entries if entry.details.get("event") == row.id}
    if not keys:
        return _both(State.UNKNOWN, "the incident's timeline says nothing of the event: another incident had it then")
    if "" in keys:
        return _both(State.UNKNOWN, "the event was committed by an earlier version, which did not note what it caused")
    caused = [delivery for delivery in deliveries if delivery.dedup_key in keys]
    if caused:
        return Aftermath([_asked(caused), _sent(caused)], frozenset(delivery.id for delivery in caused))
    return _both(*await _silence(store, row, incident))


async def _silence(store: Store, row: EventRow, incident: Incident) -> tuple[State, str, Instant | None]:
    """Why nothing was sent, as far as that is known: only an incident's first routing leaves a record of its own."""
    if not incident.route:
        return State.WAITING, "the incident has not been routed yet", None
    if row.disposition is Disposition.NEW:
        for entry in await store.timeline(row.tenant, incident.id, "", 1, TimelineKind.ROUTED):
            return State.DONE, entry.text, entry.at
    text = f"route {incident.route} has sent nothing for it: it told nobody, or has not come to it yet"
    return State.UNKNOWN, text, None


def _dedup_key(entry: TimelineEntry) -> str:
    """The key of the messages about a happening; empty where nobody noted the revision."""
    reason = _CAUSES.get(entry.kind) or _CAUSES_BY_VERB.get(entry.details.get("verb", ""))
    revision = entry.details.get("revision")
    return "" if revision is None or reason is None else notify.dedup_key(entry.incident_id, int(revision), reason)


def _asked(caused: Sequence[DeliveryRow]) -> Stage:
    routes, reasons, channels = (
        ", ".join(dict.fromkeys(values))
        for values in (
            [each.route for each in caused],
            [each.reason for each in caused],
            [each.channel for each in caused],
        )
    )
    text = f"route {routes} asked to tell {channels}: {reasons}"
    return Stage("route", State.DONE, text, min(each.created_at for each in caused))


def _sent(caused: Sequence[DeliveryRow]) -> Stage:
    states = {each.state for each in caused}
    text = "; ".join(_told(each) for each in caused)
    if DeliveryState.PENDING in states:
        return Stage("notify", State.WAITING, text)
    state = State.FAILED if DeliveryState.DEAD in states else State.DONE
    return Stage("notify", state, text, max(each.updated_at for each in caused))


def _told(delivery: DeliveryRow) -> str:
    ending = f": {delivery.error}" if delivery.error else ""
    tries = f"{delivery.attempts} attempt{'' if delivery.attempts == 1 else 's'}"
    return f"{delivery.channel} {delivery.state} after {tries} ({delivery.reason}){ending}"


def _both(state: State, text: str, at: Instant | None = None) -> Aftermath:
    """Where nothing was sent, what is known of the routing is all that is known."""
    notified = State.NOT_NEEDED if state is State.DONE else state
    return Aftermath([Stage("route", state, text, at), Stage("notify", notified, text)])
