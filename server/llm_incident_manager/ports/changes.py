"""What one transaction writes, as one value: the pipeline and every use case hand the store a `Changes`."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from llm_incident_manager.domain.analysis import Analysis
from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId
from llm_incident_manager.domain.incident import Holder, Incident, Tally
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.relations import Attachment, LinkRow
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import AuditRecord, ChangeKind, TimelineEntry
from llm_incident_manager.ports.access_store import AccessRow
from llm_incident_manager.ports.agent_store import AgentRow
from llm_incident_manager.ports.timers import TimerKey, TimerRetry, TimerRow

ROUTED = "incidents.routed"
NOTIFY = "incidents.notify"
CONSULT = "incidents.consult"
ACTIONS = "incidents.actions"
TOPICS = (ROUTED, NOTIFY, CONSULT, ACTIONS)
"""Work after the commit."""
RESERVED_TOPICS = ("incidents.raw", "incidents.classified")
"""Names kept for a log of events before the commit. Nothing is ever published there."""


class EventRow(NamedTuple):
    """The compact ledger row of one accepted event. `duplicate_of` names the event accepted first."""

    id: EventId
    tenant: TenantId
    incident_id: IncidentId | None
    disposition: Disposition
    reason: str
    event_time: Instant
    received_at: Instant
    duplicate_of: EventId | None


class BodyRow(NamedTuple):
    """The whole event, kept for the first of an incident and then a sample; `decision` is JSON that explains it."""

    event_id: EventId
    tenant: TenantId
    body: bytes
    decision: str


class FingerprintKey(NamedTuple):
    """What an open incident holds: events of the tenant with it belong to that incident."""

    tenant: TenantId
    version: int
    value: str


class KeyRow(NamedTuple):
    """A fingerprint and the incident that holds (or held) it."""

    key: FingerprintKey
    incident_id: IncidentId


class KeyMove(NamedTuple):
    """A held fingerprint that goes from one open incident to another (or stays), with how many events had it."""

    key: FingerprintKey
    before: IncidentId
    after: IncidentId
    event_count: int | None


class KeyCount(NamedTuple):
    """Events to add to the count of a fingerprint whose incident holds several."""

    key: FingerprintKey
    events: int


class EventMove(NamedTuple):
    """An event that belongs to another incident from now on."""

    event_id: EventId
    tenant: TenantId
    incident_id: IncidentId


class ProducerKey(NamedTuple):
    """A stream's owner: the same principal of a tenant under one name."""

    tenant: TenantId
    principal: str
    producer_id: str


class ProducerRow(NamedTuple):
    """How far a producer has come. `epoch` counts its streams; only the newest may write."""

    key: ProducerKey
    epoch: int
    last_sequence: int


class SegmentRow(NamedTuple):
    """A run of a producer's accepted events: sequence numbers and event ids both follow without a gap."""

    key: ProducerKey
    first_sequence: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    first_event_id: EventId
    at: Instant


class IdempotencyRow(NamedTuple):
    """An event's own name, and what became of the event that bore it first."""

    tenant: TenantId
    key: str
    event_id: EventId
    incident_id: IncidentId | None
    at: Instant


class AnswerRow(NamedTuple):
    """The answer to a request id, so that a repeat is answered alike. `digest` is of the method and the body."""

    tenant: TenantId
    request_id: str
    digest: bytes
    answer: bytes
    at: Instant


class TallyRow(NamedTuple):
    """Counters to add to an incident that is otherwise unchanged."""

    tenant: TenantId
    incident_id: IncidentId
    tally: Tally


class RouteRow(NamedTuple):
    """The route that was chosen for an incident; no change of its revision."""

    tenant: TenantId
    incident_id: IncidentId
    route: str


class ChangeRow(NamedTuple):
    """One material change of an incident, for watchers."""

    tenant: TenantId
    incident_id: IncidentId
    kind: ChangeKind
    at: Instant


class OutboxRow(NamedTuple):
    """Work for after the commit. Rows of one lane are done in order of their ids; `due_at` may lie ahead.

    `fence` counts the leases: whoever claims the row gets the next number, and older ones can change nothing any more.
    """

    id: str
    tenant: TenantId
    topic: str
    lane: str
    incident_id: IncidentId
    payload: str
    traceparent: str
    created_at: Instant
    due_at: Instant
    attempts: int = 0
    last_error: str = ""
    fence: int = 0


class DeliveryRow(NamedTuple):
    """One notification and how far it is. (incident, dedup_key, channel) is unique."""

    id: str
    tenant: TenantId
    incident_id: IncidentId
    channel: str
    route: str
    reason: str
    dedup_key: str
    state: DeliveryState
    attempts: int
    error: str
    created_at: Instant
    updated_at: Instant


class OutboxRetry(NamedTuple):
    """A row whose work failed and is due again; with `dead` it is kept apart and not tried any more.

    Changes nothing when somebody else has claimed the row since: `fence` is that of our own lease.
    """

    id: str
    fence: int
    attempts: int
    due_at: Instant
    error: str
    dead: bool = False


@dataclass(slots=True)
class Changes:
    """Everything one transaction writes. Empty lists cost nothing; order within a list is kept. Of what is `breached`
    only the moments of its breaches are new, beside revision and time of the update: ten thousand may be at once."""

    events: list[EventRow] = field(default_factory=list)
    bodies: list[BodyRow] = field(default_factory=list)
    opened: list[Incident] = field(default_factory=list)
    changed: list[Incident] = field(default_factory=list)
    breached: list[Incident] = field(default_factory=list)
    tallies: list[TallyRow] = field(default_factory=list)
    routes: list[RouteRow] = field(default_factory=list)
    keys_taken: list[KeyRow] = field(default_factory=list)
    keys_released: list[KeyRow] = field(default_factory=list)
    keys_moved: list[KeyMove] = field(default_factory=list)
    key_counts: list[KeyCount] = field(default_factory=list)
    events_moved: list[EventMove] = field(default_factory=list)
    links: list[LinkRow] = field(default_factory=list)
    links_removed: list[LinkRow] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    attachments_removed: list[Attachment] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)
    audit: list[AuditRecord] = field(default_factory=list)
    feed: list[ChangeRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    outbox_done: list[OutboxRow] = field(default_factory=list)
    outbox_retries: list[OutboxRetry] = field(default_factory=list)
    dead_removed: list[OutboxRow] = field(default_factory=list)
    deliveries: list[DeliveryRow] = field(default_factory=list)
    delivery_updates: list[DeliveryRow] = field(default_factory=list)
    analyses: list[Analysis] = field(default_factory=list)
    timers: list[TimerRow] = field(default_factory=list)
    timers_removed: list[TimerKey] = field(default_factory=list)
    timers_done: list[TimerRow] = field(default_factory=list)
    timer_retries: list[TimerRetry] = field(default_factory=list)
    producers: list[ProducerRow] = field(default_factory=list)
    segments: list[SegmentRow] = field(default_factory=list)
    idempotency: list[IdempotencyRow] = field(default_factory=list)
    answers: list[AnswerRow] = field(default_factory=list)
    access: list[AccessRow] = field(default_factory=list)
    agents: list[AgentRow] = field(default_factory=list)

    def announced(self) -> list[ChangeRow]:
        """The rows of the change feed. Whoever follows it must hear of every incident written, so one that nobody
        spoke of is announced here."""
        told = {row.incident_id for row in self.feed}
        silent = [incident for incident in (*self.opened, *self.changed, *self.breached) if incident.id not in told]
        return [*self.feed, *(ChangeRow(i.tenant, i.id, ChangeKind.UPDATED, i.updated_at) for i in silent)]

    def absorb(self, other: "Changes") -> None:
        """Adds everything of another value behind what is here."""
        for each in fields(self):
            getattr(self, each.name).extend(getattr(other, each.name))


@dataclass(frozen=True, slots=True)
class Claims:
    """What an ingest transaction needs to know and hold before it decides. Taken in key order."""

    producers: tuple[ProducerKey, ...] = ()
    idempotency: tuple[tuple[TenantId, str], ...] = ()
    fingerprints: tuple[FingerprintKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """The answer to Claims: what exists. Incidents found are locked until the transaction ends. `counted`: fingerprints
    whose events are counted one by one, since their incident holds several. `incarnation` as Transaction tells it, or
    empty when no idempotency key was asked for."""

    producers: Mapping[ProducerKey, ProducerRow]
    idempotency: Mapping[tuple[TenantId, str], IdempotencyRow]
    holders: Mapping[FingerprintKey, Holder]
    previous: Mapping[FingerprintKey, IncidentId]
    counted: AbstractSet[FingerprintKey] = frozenset()
    incarnation: str = ""
