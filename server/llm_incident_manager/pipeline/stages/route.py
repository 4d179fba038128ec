"""Chooses who is told about a changed incident and asks for the notifications."""

from collections.abc import Sequence

import orjson

from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import DeliveryState, NotifyReason
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.engines import consult, notify, route
from llm_incident_manager.pipeline import reading
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports import analyses, deliveries, promises, told
from llm_incident_manager.ports.changes import (
    NOTIFY,
    ROUTED,
    Changes,
    DeliveryRow,
    OutboxRow,
    RouteRow,
)
from llm_incident_manager.ports.told import Happening

NAME = "route"
TOPIC = ROUTED
ACTOR = "router"

_WATCHED = frozenset({NotifyReason.OPENED, NotifyReason.SEVERITY_RAISED, NotifyReason.REOPENED, NotifyReason.UNMERGED})
"""Changes after which what the severity promises may be due at another moment, or again. A lower severity moves the
timer only when it is due: nothing is lost by looking too early."""


async def run(rows: Sequence[OutboxRow], tools: Tools) -> None:
    """Routes each row's incident in one transaction with what follows from it; only rows that are still ours."""
    now = tools.clock.now()
    async with tools.store.transaction() as tx:
        rows = await tx.still_leased(rows)
        changes = Changes(outbox_done=list(rows))
        routed = await reading.incidents(tx.peek_each, ((row.tenant, row.incident_id) for row in rows))
        for row in rows:
            if (incident := routed.get(row.incident_id)) is not None:
                _route(changes, row, incident, now, tools)
        await tx.write(changes)
    tools.handled(TOPIC, rows)
    tools.wake(changes)


def _route(changes: Changes, row: OutboxRow, incident: Incident, now: Instant, tools: Tools) -> None:
    asked = orjson.loads(row.payload)
    reason = NotifyReason(asked["reason"])
    if reason in _WATCHED:
        promises.watch(changes, incident, now, tools.sla)
    for question in consult.questions(incident, reason, tools.consulting.sources):
        analyses.ask(changes, tools.ids, incident, question, ACTOR, now)
    decision = route.decide(incident, reason, tools.route, now)
    if not incident.route:
        changes.routes.append(RouteRow(incident.tenant, incident.id, decision.route))
    if not incident.route or decision.reason is NotifyReason.SNOOZED:
        told.tell(changes, tools.ids, incident, _happening(decision, asked["reason"]), now)
    if isinstance(decision, route.Tell):
        for channel in decision.channels:
            key = notify.dedup_key(row.incident_id, asked["revision"], decision.reason)
            delivery = _delivery(row, decision, channel, key, tools.ids.new(now), now)
            changes.deliveries.append(delivery)
            changes.outbox.append(_work(row, delivery, tools.ids.new(now), now))


def _happening(decision: route.Tell | route.Quiet, asked: str) -> Happening:
    if isinstance(decision, route.Tell):
        text = f"Route {decision.route}: {', '.join(decision.channels)}"
        details = {"route": decision.route, "channels": ",".join(decision.channels)}
    else:
        text = f"Route {decision.route}: nobody is told ({decision.reason}); the reason would have been {asked}"
        details = {"route": decision.route, "reason": decision.reason, "asked": asked}
    return Happening(TimelineKind.ROUTED, ACTOR, text, details)


def _delivery(row: OutboxRow, decision: route.Tell, channel: str, key: str, name: str, now: Instant) -> DeliveryRow:
    return DeliveryRow(
        id=name,
        tenant=row.tenant,
        incident_id=row.incident_id,
        channel=channel,
        route=decision.route,
        reason=decision.reason,
        dedup_key=key,
        state=DeliveryState.PENDING,
        attempts=0,
        error="",
        created_at=now,
        updated_at=now,
    )


def _work(row: OutboxRow, delivery: DeliveryRow, name: str, now: Instant) -> OutboxRow:
    payload = orjson.dumps({name: getattr(delivery, name) for name in deliveries.FIELDS}).decode()
    lane = f"{row.incident_id}/{delivery.channel}"
    return OutboxRow(name, row.tenant, NOTIFY, lane, row.incident_id, payload, row.traceparent, now, due_at=now)
