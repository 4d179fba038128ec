"""The rows that record a batch: one for each accepted event, the names events bore, and how far producers came."""

from collections.abc import Iterator

from llm_incident_manager.domain.disposition import Disposition, EventResult, Reason
from llm_incident_manager.pipeline.batch import Batch, Item
from llm_incident_manager.ports.changes import (
    Claimed,
    EventRow,
    IdempotencyRow,
    ProducerKey,
    ProducerRow,
    SegmentRow,
)


def note(batch: Batch) -> None:
    """Adds the ledger rows of a batch whose live items all have results."""
    _settle_repeats(batch)
    accepted = batch.accepted()
    changes = batch.changes
    changes.events.extend(_row(item, item.result) for item in accepted if item.result is not None)
    changes.idempotency.extend(_names(accepted))
    if batch.claimed is not None:
        _note_producers(batch, batch.claimed)


def _settle_repeats(batch: Batch) -> None:
    """Repeats of a key first borne in this very batch have the first's outcome."""
    for item in batch.items:
        if item.same_as is not None and (first := item.same_as.result) is not None:
            item.result = EventResult(
                first.event_id, Disposition.DUPLICATE, Reason.SAME_IDEMPOTENCY_KEY, first.incident_id
            )


def _row(item: Item, result: EventResult) -> EventRow:
    own = item.event_id
    return EventRow(
        own,
        item.submission.tenant,
        result.incident_id,
        result.disposition,
        result.reason,
        item.event.event_time,
        item.submission.received_at,
        None if result.event_id == own else result.event_id,
    )


def _names(accepted: list[Item]) -> Iterator[IdempotencyRow]:
    for item in accepted:
        result = item.result
        if item.event.idempotency_key and result is not None and result.event_id == item.event_id:
            tenant, received = item.submission.tenant, item.submission.received_at
            yield IdempotencyRow(tenant, item.event.idempotency_key, item.event_id, result.incident_id, received)


def _note_producers(batch: Batch, claimed: Claimed) -> None:
    """Each producer's furthest sequence (a resend never takes it back) and the runs of its accepted events."""
    rows: dict[ProducerKey, ProducerRow] = {}
    for submission, items in batch.groups:
        claim = submission.producer
        if claim is None or submission.error is not None:
            continue
        before = rows.get(claim.key) or claimed.producers[claim.key]
        rows[claim.key] = ProducerRow(claim.key, claim.epoch, max(before.last_sequence, claim.last_sequence))
        fresh = [item for item in items if not item.stored]
        batch.changes.segments.extend(_segment(claim.key, run) for run in _runs(fresh))
    batch.changes.producers.extend(rows.values())


def _runs(items: list[Item]) -> Iterator[list[Item]]:
    """Items cut where a sequence number is missing (a rejected event)."""
    start = 0
    for at in range(1, len(items) + 1):
        if at == len(items) or items[at].sequence != items[at - 1].sequence + 1:
            yield items[start:at]
            start = at


def _segment(key: ProducerKey, run: list[Item]) -> SegmentRow:
    first = run[0]
    return SegmentRow(key, first.sequence, len(run), first.event_id, first.submission.received_at)
