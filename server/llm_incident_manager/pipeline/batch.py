"""What travels through BEFORE_ACK: submissions side by side, one item for each event, and what they become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from llm_incident_manager.domain.access import EVERYWHERE, Condition
from llm_incident_manager.domain.disposition import EventResult
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.fingerprint import Fingerprint
from llm_incident_manager.domain.ids import EventId, TenantId
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import BY_SYSTEM, Proof
from llm_incident_manager.engines import triage
from llm_incident_manager.engines.admission import Priority
from llm_incident_manager.ports.changes import Changes, Claimed, FingerprintKey, IdempotencyRow, ProducerKey
from llm_incident_manager.ports.seen import Name


@dataclass(frozen=True, slots=True)
class ProducerClaim:
    """A stream's right to write: its epoch, the sequence number of each event, and the first and last number of the
    frame (which may belong to rejected events that are not among them)."""

    key: ProducerKey
    epoch: int
    sequences: Sequence[int]
    first_sequence: int
    last_sequence: int


Identity = tuple[Fingerprint, FingerprintKey]
"""The fingerprint of an event and the key it has in its tenant."""


@dataclass(slots=True)
class Submission:
    """Valid events of one caller, in order. Stages prepare it (one identity and one judgement an event) while earlier
    batches commit. `actor` is the caller's subject, `proof` how that is known, `condition` what its caller may report
    for. `size` is what it holds in memory, in bytes, as nearly as its sender told. `connection` is the same object in
    all submissions of a sender that wants them in order and is no producer. Ends with one result an event, or with an
    error for all of them."""

    tenant: TenantId
    actor: str
    events: Sequence[Event]
    received_at: Instant
    traceparent: str = ""
    producer: ProducerClaim | None = None
    identities: Sequence[Identity] = ()
    judgements: Sequence[triage.Decision] = ()
    results: list[EventResult] = field(default_factory=list)
    error: DomainError | None = None
    size: int = 0
    priority: Priority = Priority.NORMAL
    proof: Proof = BY_SYSTEM
    condition: Condition = EVERYWHERE
    connection: object | None = None

    @property
    def sender(self) -> object | None:
        """Whose submissions keep their order: a producer, or a connection; None when it does not matter."""
        return self.connection if self.producer is None else self.producer.key


class Item:
    """One event on its way. Stages fill it in; `result` ends it."""

    __slots__ = (
        "action",
        "event",
        "event_id",
        "fingerprint",
        "judged",
        "key",
        "result",
        "same_as",
        "sequence",
        "stored",
        "submission",
    )

    event_id: EventId

    def __init__(
        self, submission: Submission, event: Event, identity: Identity, judged: triage.Decision, sequence: int
    ) -> None:
        """`sequence` is 0 outside streams. `stored`: its record existed before this batch. `same_as`: the earlier
        item of this batch with the same idempotency key."""
        self.submission = submission
        self.event = event
        self.fingerprint, self.key = identity
        self.judged = judged
        self.action = event.action
        self.sequence = sequence
        self.result: EventResult | None = None
        self.stored = False
        self.same_as: Item | None = None


class Known(NamedTuple):
    """Idempotency keys that need not be looked up, if the database is still the incarnation they are known of."""

    incarnation: str = ""
    rows: Mapping[Name, IdempotencyRow] = {}


@dataclass(slots=True)
class Batch:
    """One micro-batch: its items, what is known and what the database said about them, and what will be written."""

    groups: Sequence[tuple[Submission, list[Item]]]
    items: list[Item]
    now: Instant
    changes: Changes
    known: Known
    claimed: Claimed | None = None

    def live(self) -> list[Item]:
        """The items that no stage has ended yet, in order."""
        return [i for i in self.items if i.result is None and i.same_as is None and i.submission.error is None]

    def accepted(self) -> list[Item]:
        """The items that get a record in this batch, in order."""
        return [item for item in self.items if not item.stored and item.submission.error is None]

    def finish(self) -> None:
        """Gives every submission its results, in the order of its events."""
        for submission, items in self.groups:
            if submission.error is None:
                submission.results = [item.result for item in items if item.result is not None]


def gather(submissions: Sequence[Submission], changes: Changes, now: Instant, known: Known) -> Batch:
    """A fresh batch of prepared submissions that adds to `changes`; results of an earlier attempt are forgotten."""
    groups = [(submission, _items(submission)) for submission in submissions]
    return Batch(groups, [item for _, items in groups for item in items], now, changes, known)


def _items(submission: Submission) -> list[Item]:
    submission.results = []
    submission.error = None
    events, identities, judgements = submission.events, submission.identities, submission.judgements
    sequences = submission.producer.sequences if submission.producer else (0,) * len(events)
    each = zip(events, identities, judgements, sequences, strict=True)
    return [Item(submission, event, identity, judged, number) for event, identity, judged, number in each]
