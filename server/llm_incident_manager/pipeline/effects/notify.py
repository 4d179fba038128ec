"""Tells people: sends what the route asked for, records each attempt, and tries again later what may yet succeed."""

import asyncio
from collections.abc import Callable, Sequence

from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.engines import notify
from llm_incident_manager.engines.breaker import Refuse
from llm_incident_manager.pipeline import failing, reading, summary
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports import deliveries, told
from llm_incident_manager.ports.changes import NOTIFY, Changes, DeliveryRow, OutboxRetry, OutboxRow
from llm_incident_manager.ports.channel import Channel, Notification, Receipt
from llm_incident_manager.ports.told import Happening
from llm_incident_manager.telemetry import logs, traces

NAME = "notify"
TOPIC = NOTIFY
ACTOR = "notifier"
DESTINATION = "channel {}"
"""What the breaker of a channel is called."""
AT_ONCE = 32
"""Sends under way at the same time."""
BEGIN_SECONDS = 12
"""What has not begun by then in a round is handed back unsent, so that no round outlives its lease: somebody else
would send everything again."""
SEND_SECONDS = 30
"""No send takes longer, whatever its channel does."""


async def run(rows: Sequence[OutboxRow], tools: Tools) -> None:
    """Sends each row that is ours once, then writes what became of those that still are.

    Raises before anything is sent for a row that cannot be read, or whose incident is gone.
    """
    begin_before, life = Instant(tools.clock.now() + BEGIN_SECONDS * SECOND), tools.life()
    async with tools.store.transaction() as tx:
        rows = await tx.still_leased(rows)
        incidents = await reading.incidents(tx.peek_each, ((row.tenant, row.incident_id) for row in rows))
    gate = asyncio.Semaphore(AT_ONCE)
    work = {row.id: (deliveries.of(row), incidents[row.incident_id]) for row in rows}

    def in_time() -> bool:
        return tools.clock.now() < begin_before and life is not None and tools.life() == life

    sends = [_send_in_time(row, *work[row.id], gate, in_time, tools) for row in rows]
    receipts = dict(zip(work, await asyncio.gather(*sends), strict=True))
    now = tools.clock.now()
    async with tools.store.transaction() as tx:
        changes = Changes()
        for row in await tx.still_leased(rows):
            _record(changes, row, work[row.id], receipts[row.id], now, tools)
        await tx.write(changes)
    tools.handled(TOPIC, changes.outbox_done)


async def _send_in_time(
    row: OutboxRow,
    delivery: DeliveryRow,
    incident: Incident,
    gate: asyncio.Semaphore,
    in_time: Callable[[], bool],
    tools: Tools,
) -> Receipt | Refuse | None:
    """None when its turn came too late, or when this process stood still and somebody else may have sent it."""
    async with gate:
        return await _send(row, delivery, incident, tools) if in_time() else None


async def _send(row: OutboxRow, delivery: DeliveryRow, incident: Incident, tools: Tools) -> Receipt | Refuse:
    channel = tools.channels.get(delivery.channel)
    if channel is None:
        return Receipt(ok=False, retryable=False, detail=f"channel {delivery.channel!r} is not configured any more")
    notification = Notification(
        id=delivery.id,
        tenant=row.tenant,
        incident_id=row.incident_id,
        dedup_key=delivery.dedup_key,
        reason=delivery.reason,
        at=delivery.created_at,
        payload=summary.of(incident),
        traceparent=row.traceparent,
    )
    with tools.breakers.call(DESTINATION.format(delivery.channel)) as visit:
        if isinstance(visit, Refuse):
            return visit
        with traces.child_of(row.traceparent), traces.span("notify.send", {"channel": delivery.channel}):
            receipt = await _guarded(channel, notification)
        visit.ok, visit.why = _well(receipt), receipt.detail
        return receipt


async def _guarded(channel: Channel, notification: Notification) -> Receipt:
    """A defect of one channel counts as a failed attempt; otherwise the rows of all channels would be sent again."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            return await channel.send(notification)
    except TimeoutError:
        return Receipt(ok=False, retryable=True, detail=f"no answer within {SEND_SECONDS} s")
    except Exception as error:  # noqa: BLE001  # whatever it is: logged, and given up after the last attempt
        logs.get("notify").error("notify.defect", notification=notification.id, error=repr(error), exc_info=error)
        return Receipt(ok=False, retryable=True, detail=f"defect: {type(error).__name__}")


def _well(receipt: Receipt) -> bool | None:
    """Whether the channel as such is well: it is when it refuses one message for good. One that is busy is there."""
    return None if receipt.busy else receipt.ok or not receipt.retryable


def _record(
    changes: Changes,
    row: OutboxRow,
    about: tuple[DeliveryRow, Incident],
    receipt: Receipt | Refuse | None,
    now: Instant,
    tools: Tools,
) -> None:
    if receipt is None:
        changes.outbox_retries.append(failing.hand_back(row))
        return
    delivery, incident = about
    if isinstance(receipt, Refuse):
        _hold(changes, row, delivery, receipt, now)
        return
    attempts = row.attempts + 1
    outcome = notify.decide(
        row.id,
        attempts,
        ok=receipt.ok,
        retryable=receipt.retryable,
        retry_after=receipt.retry_after,
        now=now,
        policy=tools.retry,
    )
    state = _note_outcome(changes, row, attempts, receipt, outcome, now)
    _count(delivery.channel, state, tools)
    error = "" if receipt.ok else receipt.detail
    changes.delivery_updates.append(delivery._replace(state=state, attempts=attempts, error=error, updated_at=now))
    if state is not DeliveryState.PENDING:
        told.tell(changes, tools.ids, incident, _happening(delivery, state, error, attempts), now)


def _hold(changes: Changes, row: OutboxRow, delivery: DeliveryRow, refused: Refuse, now: Instant) -> None:
    """Nothing was tried, so no attempt is used up."""
    error = f"held back: {refused.why}"
    changes.outbox_retries.append(OutboxRetry(row.id, row.fence, row.attempts, refused.until, error))
    changes.delivery_updates.append(delivery._replace(error=error, updated_at=now))


def _note_outcome(
    changes: Changes, row: OutboxRow, attempts: int, receipt: Receipt, outcome: notify.Outcome, now: Instant
) -> DeliveryState:
    match outcome:
        case notify.Sent():
            changes.outbox_done.append(row)
            return DeliveryState.SENT
        case notify.Again(due_at):
            changes.outbox_retries.append(OutboxRetry(row.id, row.fence, attempts, due_at, receipt.detail))
            return DeliveryState.PENDING
        case notify.GiveUp(why):
            error = f"{why}: {receipt.detail}"
            changes.outbox_retries.append(OutboxRetry(row.id, row.fence, attempts, now, error, dead=True))
            return DeliveryState.DEAD


def _count(channel: str, state: DeliveryState, tools: Tools) -> None:
    if state is DeliveryState.SENT:
        tools.metrics.notification_sent(channel)
    else:
        kind = "retryable" if state is DeliveryState.PENDING else "permanent"
        tools.metrics.notification_failed(channel, kind)


def _happening(delivery: DeliveryRow, state: DeliveryState, error: str, attempts: int) -> Happening:
    sent = state is DeliveryState.SENT
    text = f"{delivery.channel} was told: {delivery.reason}" if sent else f"{delivery.channel} not told: {error}"
    details = {
        "channel": delivery.channel,
        "reason": delivery.reason,
        "state": state,
        "attempts": str(attempts),
        "delivery": delivery.id,
    }
    return Happening(TimelineKind.NOTIFIED, ACTOR, text, details)
