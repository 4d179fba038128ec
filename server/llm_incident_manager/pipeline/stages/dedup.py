"""Identifies events and ends those that were accepted before: resends of a stream, repeats of an idempotency key."""

from collections.abc import Mapping
from dataclasses import replace

from llm_incident_manager.domain.disposition import Disposition, EventResult, Reason
from llm_incident_manager.domain.errors import ProducerFenced, SequenceGap
from llm_incident_manager.domain.ids import EventId
from llm_incident_manager.engines import dedup
from llm_incident_manager.pipeline.batch import Batch, Item, Known, ProducerClaim, Submission
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.changes import Claimed, Claims, EventRow, ProducerKey, ProducerRow
from llm_incident_manager.ports.stores import Transaction

NAME = "dedup"


def prepare(submission: Submission, tools: Tools) -> None:
    """Fingerprints the events: needs no database, so it is done while earlier batches commit."""
    tenant, identify = submission.tenant, tools.identities.of
    submission.identities = [identify(tenant, event) for event in submission.events]


async def run(batch: Batch, tx: Transaction, tools: Tools) -> None:
    """Claims what the batch touches, then ends fenced submissions, resends and repeats. Gives the rest their ids."""
    batch.claimed = await _claimed(batch, tx)
    _refuse(batch, batch.claimed.producers)
    await _answer_resends(batch, tx, batch.claimed.producers)
    accepted = batch.accepted()
    for item, event_id in zip(accepted, tools.ids.consecutive(batch.now, len(accepted)), strict=True):
        item.event_id = EventId(event_id)
    _end_repeats(batch, batch.claimed)


async def _claimed(batch: Batch, tx: Transaction) -> Claimed:
    """What the database says, and what is known beside it unless the database has become another one."""
    if not batch.known.rows:
        return await tx.claim(_claims(batch))
    incarnation = await tx.incarnation()
    if incarnation != batch.known.incarnation:
        batch.known = Known()
    claimed = await tx.claim(_claims(batch))
    return replace(claimed, idempotency={**claimed.idempotency, **batch.known.rows}, incarnation=incarnation)


def _claims(batch: Batch) -> Claims:
    known = batch.known.rows
    unknown = [i for i in batch.items if (i.submission.tenant, i.event.idempotency_key) not in known]
    producers = {s.producer.key for s, _ in batch.groups if s.producer is not None}
    keyed = {(i.submission.tenant, i.event.idempotency_key) for i in unknown if i.event.idempotency_key}
    fingerprints = {item.key for item in unknown}
    return Claims(tuple(sorted(producers)), tuple(sorted(keyed)), tuple(sorted(fingerprints)))


def _refuse(batch: Batch, producers: Mapping[ProducerKey, ProducerRow]) -> None:
    """Ends frames of overtaken streams, and those that do not continue what is committed or comes before them here."""
    reached = {key: row.last_sequence for key, row in producers.items()}
    for submission, _ in batch.groups:
        claim = submission.producer
        if claim is None:
            continue
        last = reached[claim.key]
        if dedup.is_fenced(claim.epoch, current := producers[claim.key].epoch):
            submission.error = ProducerFenced(claim.key.producer_id, claim.epoch, current)
        elif dedup.has_gap(claim.first_sequence, last):
            submission.error = SequenceGap(last + 1, claim.first_sequence)
        else:
            reached[claim.key] = max(last, claim.last_sequence)


async def _answer_resends(batch: Batch, tx: Transaction, producers: Mapping[ProducerKey, ProducerRow]) -> None:
    """Events at or below the producer's last sequence get their stored disposition again."""
    for submission, items in batch.groups:
        claim = submission.producer
        if claim is None or submission.error is not None or not claim.sequences:
            continue
        last = producers[claim.key].last_sequence
        if dedup.is_resend(claim.sequences[0], last):
            resent = [item for item in items if dedup.is_resend(item.sequence, last)]
            await _answer(resent, claim, tx)


async def _answer(resent: list[Item], claim: ProducerClaim, tx: Transaction) -> None:
    first = resent[0].sequence
    rows = await tx.stored_events(claim.key, first, resent[-1].sequence - first + 1)
    for item in resent:
        row = rows[item.sequence - first]
        item.stored = True
        item.result = _FORGOTTEN if row is None else _result(row)


def _result(row: EventRow) -> EventResult:
    return EventResult(row.duplicate_of or row.id, row.disposition, Reason(row.reason), row.incident_id)


_FORGOTTEN = EventResult(None, Disposition.DUPLICATE, Reason.RECORD_EXPIRED)
"""For an event that was accepted so long ago that the way from its sequence number to its record is swept away."""


def _end_repeats(batch: Batch, claimed: Claimed) -> None:
    first: dict[tuple[str, str], Item] = {}
    for item in batch.live():
        key = item.event.idempotency_key
        if not key:
            continue
        name = (item.submission.tenant, key)
        seen = claimed.idempotency.get(name)
        match dedup.decide(key, seen and dedup.Sighting(seen.event_id, seen.incident_id)):
            case dedup.Repeat(of, reason):
                item.result = EventResult(of.event_id, Disposition.DUPLICATE, reason, of.incident_id)
            case dedup.Fresh() if name in first:
                item.same_as = first[name]
            case dedup.Fresh():
                first[name] = item
