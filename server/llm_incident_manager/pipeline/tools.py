"""What stages and effects work with: ports, rules and settings, built once by the composition root."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from llm_incident_manager.domain import fingerprint
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.policy import Route
from llm_incident_manager.domain.rules import MuteRule
from llm_incident_manager.domain.sla import TARGETS, Targets
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines.notify import RetryPolicy
from llm_incident_manager.engines.retention import KEEP_ALL, Policy
from llm_incident_manager.engines.triage import Judge
from llm_incident_manager.pipeline.batch import Identity
from llm_incident_manager.pipeline.breakers import Breakers
from llm_incident_manager.pipeline.consulting import Consulting
from llm_incident_manager.pipeline.numbers import Numbers
from llm_incident_manager.pipeline.seen import Seen
from llm_incident_manager.ports.changes import Changes, FingerprintKey, OutboxRow
from llm_incident_manager.ports.channel import Channel
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.codec import Codec
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.rates import OwnRates, Rates
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry.metrics import Metrics


class Identities:
    """Fingerprints of events, remembered by the fields they depend on: in a storm nearly all are known. Titles that
    differ only in their numbers meet in their normalised form."""

    def __init__(self, *, enabled: bool, new_id: Callable[[], str], limit: int = 50_000) -> None:
        """`enabled=False` makes every event without a dedup_key a problem of its own, named by `new_id`."""
        self._enabled = enabled
        self._new_id = new_id
        self._limit = limit
        self._known: dict[tuple[object, ...], Identity] = {}

    def of(self, tenant: TenantId, event: Event) -> Identity:
        """The event's fingerprint and the key it has in its tenant."""
        if not self._enabled and not event.dedup_key:
            alone = fingerprint.compute(event)._replace(value=self._new_id())
            return alone, FingerprintKey(tenant, alone.version, alone.value)
        known = self._known.get((tenant, fingerprint.key_of(event, event.title)))
        return known if known is not None else self._by_normalised_title(tenant, event)

    def _by_normalised_title(self, tenant: TenantId, event: Event) -> Identity:
        title = fingerprint.normalise_text(event.title)
        normalised = (tenant, fingerprint.key_of(event, title))
        known = self._known.get(normalised)
        if known is not None:
            return known
        found = fingerprint.compute(event, title)
        identity = (found, FingerprintKey(tenant, found.version, found.value))
        if len(self._known) >= self._limit:
            self._known.clear()
        self._known[normalised] = self._known[tenant, fingerprint.key_of(event, event.title)] = identity
        return identity


class DrawnIds:
    """Ids for one batch, drawn from their source in blocks: one costs a quarter of one made alone. Implements Ids."""

    def __init__(self, ids: Ids, block: int = 64) -> None:
        """Draws nothing yet."""
        self._ids = ids
        self._size = block
        self._block: Iterator[str] = iter(())

    def new(self, now: Instant) -> str:
        """One id; later calls give larger ones."""
        for drawn in self._block:
            return drawn
        self._block = iter(self._ids.consecutive(now, self._size))
        return next(self._block)

    def consecutive(self, now: Instant, count: int) -> Sequence[str]:
        """A run of its own, larger than all drawn before."""
        self._block = iter(())
        return self._ids.consecutive(now, count)


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything a stage or an effect may reach for."""

    store: Store
    clock: Clock
    ids: Ids
    codec: Codec
    numbers: Numbers
    identities: Identities
    judge: Judge
    metrics: Metrics
    window: int
    historical_after: int
    route: Route
    retry: RetryPolicy
    channels: Mapping[str, Channel]
    breakers: Breakers
    mutes: tuple[MuteRule, ...] = ()
    kept: Policy = KEEP_ALL
    lanes: int = 1
    """Transactions of one kind that may be under way at once: as many as the database works on side by side."""
    sla: Targets = field(default_factory=lambda: TARGETS)
    seen: Seen = field(default_factory=Seen)
    own_rates: OwnRates | None = None
    rates: Rates | None = None
    """Limits of this process, and those that other processes count together with it."""
    consulting: Consulting = field(default_factory=Consulting)
    wake: Callable[[Changes], None] = field(default=lambda _: None)
    life: Callable[[], int | None] = field(default=lambda: 0)
    """A number that stays the same while nobody can have taken this process for dead; None when somebody may have.
    Compared before anything is done that no fence can undo."""

    def handled(self, topic: str, rows: Sequence[OutboxRow]) -> None:
        """Records how long after their commit the rows of a topic were done. Call it when that is committed."""
        now = self.clock.now()
        for row in rows:
            self.metrics.outbox_handled(topic, max(0, now - row.created_at) / SECOND)
