"""Tells an event's way: how it was identified and judged, what became of it, and what was sent."""

import json
from contextlib import suppress
from typing import Any

from incidentmanager.v1 import event_pb2, ingest_service_pb2, severity_pb2

from llm_incident_manager.domain import fingerprint, scope
from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.ids import EventId, is_uuid, made_at
from llm_incident_manager.domain.time import DAY
from llm_incident_manager.engines import retention
from llm_incident_manager.ports.changes import DeliveryRow, EventRow
from llm_incident_manager.ports.codec import Codec
from llm_incident_manager.ports.stores import StoredEvent
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import enums, events, incidents, times
from llm_incident_manager.usecases import aftermath, sight
from llm_incident_manager.usecases.aftermath import Aftermath, Stage
from llm_incident_manager.usecases.caller import Caller

pb = ingest_service_pb2


def record(stored: StoredEvent, codec: Codec) -> event_pb2.EventRecord:
    """The contract's record; without the event where only the compact row was kept."""
    row = stored.row
    number: Any = enums.DISPOSITION_OUT[row.disposition]
    return event_pb2.EventRecord(
        event_id=row.id,
        receive_time=times.timestamp(row.received_at),
        event_time=times.timestamp(row.event_time),
        disposition=number,
        reason=row.reason,
        incident_id=row.incident_id or "",
        duplicate_of=row.duplicate_of or "",
        event=events.message(codec.decode_event(stored.body)) if stored.body is not None else None,
    )


async def stored_event(on: Services, caller: Caller, event_id: EventId) -> StoredEvent:
    """A stored event. Raises NotFound, which says so when the id is of a time that retention has passed."""
    try:
        stored = await on.store.event(caller.tenant, event_id)
    except NotFound:
        kept, now = on.tools.kept, on.clock.now()
        if not (is_uuid(event_id) and retention.passed(kept, made_at(event_id), now)):
            raise
        hint = f"events are kept for {kept.events // DAY} days (retention.events_days), and this one would be older"
        raise NotFound("event", event_id, hint) from None
    if caller.condition.narrows and not await sees(on, caller, stored):
        raise NotFound("event", event_id)
    return stored


async def sees(on: Services, caller: Caller, stored: StoredEvent) -> bool:
    """Whether the event is of what the caller's condition covers; its incident tells where only the compact row was
    kept."""
    if stored.body is not None:
        return scope.covers_event(caller.condition, on.tools.codec.decode_event(stored.body))
    if stored.row.incident_id is None:
        return False
    try:
        await sight.incident(on.store, caller, stored.row.incident_id)
    except NotFound:
        return False
    return True


async def event(on: Services, caller: Caller, event_id: EventId) -> pb.ExplainEventResponse:
    """The whole way. Raises NotFound."""
    stored = await stored_event(on, caller, event_id)
    reply = pb.ExplainEventResponse(event=record(stored, on.tools.codec))
    if stored.decision is not None:
        _add_decision(reply, json.loads(stored.decision))
    if stored.body is not None:
        _add_components(reply, on.tools.codec.decode_event(stored.body))
    followed = aftermath.without_incident(stored.row)
    if stored.row.incident_id is not None:
        with suppress(NotFound):  # retention may have ended it before its events, and the caller may not see it
            followed = await _add_incident(reply, on, caller, stored.row)
    reply.stages.extend(map(_summary, followed.stages))
    reply.steps.extend(_steps(reply, stored))
    return reply


async def _add_incident(reply: pb.ExplainEventResponse, on: Services, caller: Caller, row: EventRow) -> Aftermath:
    """What is known of its incident, and what followed the commit. Raises NotFound."""
    incident = await sight.incident(on.store, caller, row.incident_id or "")
    deliveries = await on.store.deliveries(caller.tenant, incident.id)
    followed = await aftermath.of(on.store, row, incident, deliveries)
    reply.incident_number = incident.number
    reply.deliveries.extend(_delivery(each, for_event=each.id in followed.caused) for each in deliveries)
    return followed


def _add_decision(reply: pb.ExplainEventResponse, decision: dict[str, Any]) -> None:
    reply.fingerprint.version, reply.fingerprint.value = decision["fingerprint"]
    reply.severity.CopyFrom(
        event_pb2.SeverityDecision(
            severity=severity_pb2.Severity.Value(f"SEVERITY_{decision['severity']}"),
            reported=decision["reported"],
            decided_by=decision["decided_by"],
            rule=decision["rule"],
            explanation=decision["explanation"],
        )
    )


def _add_components(reply: pb.ExplainEventResponse, event: Event) -> None:
    """The parts of the fingerprint, unless this version of the server identifies such an event otherwise by now."""
    computed = fingerprint.compute(event)
    if (computed.version, computed.value) == (reply.fingerprint.version, reply.fingerprint.value):
        reply.fingerprint.CopyFrom(incidents.fingerprint(computed))


def _delivery(row: DeliveryRow, *, for_event: bool) -> pb.DeliverySummary:
    return pb.DeliverySummary(
        channel=row.channel,
        state=row.state,
        reason=row.reason,
        attempts=row.attempts,
        error=row.error,
        route=row.route,
        create_time=times.timestamp(row.created_at),
        update_time=times.timestamp(row.updated_at),
        for_event=for_event,
    )


def _steps(reply: pb.ExplainEventResponse, stored: StoredEvent) -> list[str]:
    row = stored.row
    steps = [f"received at {times.timestamp(row.received_at).ToJsonString()}"]
    if reply.HasField("fingerprint"):
        how = "the producer's dedup_key" if reply.fingerprint.version == 0 else "its normalised parts"
        steps.append(f"identified by {how}: {reply.fingerprint.value}")
        steps.append(f"judged: {reply.severity.explanation}")
    else:
        steps.append("only the compact row of this repeat was kept; the first events of its incident tell the rest")
    where = f" ({reply.incident_number})" if reply.incident_number else ""
    steps.append(f"disposition {row.disposition.name}: {row.reason}{where}")
    steps.extend(_stage(stage) for stage in reply.stages)
    steps.extend(
        f"for something else: {sent.channel} {sent.state} ({sent.reason}, {sent.attempts} attempts)"
        for sent in reply.deliveries
        if not sent.for_event
    )
    return steps


def _summary(stage: Stage) -> pb.StageSummary:
    at = times.maybe_timestamp(stage.at)
    return pb.StageSummary(stage=stage.name, state=stage.state, time=at, explanation=stage.explanation)


def _stage(stage: pb.StageSummary) -> str:
    when = f" at {stage.time.ToJsonString()}" if stage.HasField("time") else ""
    return f"{stage.stage} {stage.state.replace('_', ' ')}{when}: {stage.explanation}"
