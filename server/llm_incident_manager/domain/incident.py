"""The incident: one problem and where it stands. Values only; `moved`, `changed` and `counted` give the next one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple, Self

from llm_incident_manager.domain.fingerprint import Fingerprint
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.lifecycle import State, is_open
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.time import Instant


class ResolutionMethod(StrEnum):
    """How an incident was brought to its end."""

    MANUAL = "MANUAL"
    AUTOMATED = "AUTOMATED"
    AUTO_ASSISTED_MANUAL = "AUTO_ASSISTED_MANUAL"


@dataclass(frozen=True, slots=True)
class Resolution:
    """How an incident ended."""

    resolved_by: str
    method: ResolutionMethod
    notes: str
    root_cause: str
    at: Instant


class Tally(NamedTuple):
    """What events add to an incident without changing it: counts, sums, and when they happened."""

    event_count: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    users_affected: int = 0
    first_seen: Instant | None = None
    last_seen: Instant | None = None


class FingerprintName(NamedTuple):
    """A fingerprint without its components: what an incident holds."""

    version: int
    value: str


class Extremes(NamedTuple):
    """Counters that cannot be subtracted again."""

    users_affected: int
    first_seen: Instant
    last_seen: Instant
    first_received: Instant


class Unmerge(NamedTuple):
    """What taking a merge apart restores. Of an incident that was merged into another one: the state it had, and how
    many events each fingerprint had that it held (None: not counted). Of the other one: its own extremes."""

    state: State | None = None
    counts: tuple[int | None, ...] = ()
    extremes: Extremes | None = None


class Holder(NamedTuple):
    """An open incident in short: what most events, which only count it up, need to know of it."""

    id: IncidentId
    tenant: TenantId
    state: State
    severity: Severity
    event_count: int
    first_seen: Instant
    last_seen: Instant


@dataclass(slots=True)
class Incident:
    """One problem. `revision` counts material changes (the etag); repeats only move the counters. `keys` is empty while
    it holds its own fingerprint and no other.

    Treat it as frozen. It is not declared so, because making one would take five times as long.
    """

    id: IncidentId
    tenant: TenantId
    number: str
    state: State
    severity: Severity
    incident_type: IncidentType
    kind: str
    source: str
    title: str
    description: str
    fingerprint: Fingerprint
    created_at: Instant
    updated_at: Instant
    first_seen: Instant
    last_seen: Instant
    labels: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    affected_services: tuple[str, ...] = ()
    environment: str = ""
    application: str = ""
    provider: str = ""
    model: str = ""
    deployment: str = ""
    runbook_url: str = ""
    assignees: tuple[str, ...] = ()
    route: str = ""
    event_count: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    users_affected: int = 0
    historical: bool = False
    recurred: bool = False
    previous_id: IncidentId | None = None
    merged_into: IncidentId | None = None
    resolution: Resolution | None = None
    acknowledged_at: Instant | None = None
    resolved_at: Instant | None = None
    closed_at: Instant | None = None
    first_received_at: Instant | None = None
    keys: tuple[FingerprintName, ...] = ()
    unmerge: Unmerge | None = None
    snoozed_until: Instant | None = None
    acknowledge_breached_at: Instant | None = None
    resolve_breached_at: Instant | None = None
    revision: int = 1
    traceparent: str = field(default="", compare=False)

    @property
    def is_open(self) -> bool:
        """Whether it still needs somebody."""
        return is_open(self.state)

    def is_snoozed(self, now: Instant) -> bool:
        """Whether nobody is to be told of it yet."""
        return self.snoozed_until is not None and now < self.snoozed_until

    @property
    def holder(self) -> Holder:
        """The incident in short."""
        return Holder(
            self.id, self.tenant, self.state, self.severity, self.event_count, self.first_seen, self.last_seen
        )

    @property
    def time_to_acknowledge(self) -> int | None:
        """From its creation to its first acknowledgement, in microseconds; None before."""
        return None if self.acknowledged_at is None else self.acknowledged_at - self.created_at

    @property
    def time_to_resolve(self) -> int | None:
        """From its creation to its resolution, in microseconds; None while it is not resolved."""
        return None if self.resolved_at is None else self.resolved_at - self.created_at

    @property
    def held(self) -> tuple[FingerprintName, ...]:
        """The fingerprints it holds while it is open: its own, or those that merges and splits have left it with."""
        return self.keys or (FingerprintName(self.fingerprint.version, self.fingerprint.value),)

    @property
    def extremes(self) -> Extremes:
        """Its counters that are no sums."""
        return Extremes(self.users_affected, self.first_seen, self.last_seen, self.first_received)

    @property
    def first_received(self) -> Instant:
        """When its earliest event was received; without a note of that, when it was opened."""
        return self.created_at if self.first_received_at is None else self.first_received_at

    @property
    def etag(self) -> str:
        """Changes with each material change."""
        return str(self.revision)

    def counted(self, tally: Tally) -> Self:
        """The incident with a tally added; not a material change."""
        return replace(
            self,
            event_count=self.event_count + tally.event_count,
            tokens=self.tokens + tally.tokens,
            cost_usd=self.cost_usd + tally.cost_usd,
            users_affected=max(self.users_affected, tally.users_affected),
            first_seen=min(self.first_seen, self.first_seen if tally.first_seen is None else tally.first_seen),
            last_seen=max(self.last_seen, self.last_seen if tally.last_seen is None else tally.last_seen),
        )

    def changed(self, now: Instant, **fields: object) -> Self:
        """The incident with some fields replaced and its revision moved on."""
        return replace(self, updated_at=now, revision=self.revision + 1, **fields)  # type: ignore[arg-type]  # replace() checks names at run time

    def moved(self, state: State, now: Instant) -> Self:
        """The incident in another state, with the times that go with it."""
        times: dict[str, object] = {}
        if state is State.ACKNOWLEDGED and self.acknowledged_at is None:
            times["acknowledged_at"] = now
        elif state is State.RESOLVED:
            times["resolved_at"] = now
        elif state is State.CLOSED:
            times["closed_at"] = now
        elif not is_open(self.state):
            times.update(resolved_at=None, closed_at=None, resolution=None)
        return self.changed(now, state=state, **times)
