"""What stages and effects work with: ports, rules and settings, built once by the composition root."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from llm_incident_manager.domain import fingerprint
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.fingerprint import Fingerprint
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.policy import Route
from llm_incident_manager.domain.rules import MuteRule, RulePack
from llm_incident_manager.engines.notify import RetryPolicy
from llm_incident_manager.pipeline.numbers import Numbers
from llm_incident_manager.ports.changes import Changes, FingerprintKey
from llm_incident_manager.ports.channel import Channel
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.codec import Codec
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry.metrics import Metrics

Identity = tuple[Fingerprint, FingerprintKey]


class Identities:
    """Fingerprints of events, remembered by the raw fields they depend on: in a storm nearly all are known."""

    def __init__(self, *, enabled: bool, new_id: Callable[[], str], limit: int = 50_000) -> None:
        """`enabled=False` makes every event without a dedup_key a problem of its own, named by `new_id`."""
        self._enabled = enabled
        self._new_id = new_id
        self._limit = limit
        self._known: dict[tuple[str, ...], Identity] = {}

    def of(self, tenant: TenantId, event: Event) -> Identity:
        """The event's fingerprint and the key it has in its tenant."""
        raw = (tenant, *fingerprint.key_of(event))
        known = self._known.get(raw)
        if known is None:
            known = self._compute(tenant, event)
            if len(self._known) >= self._limit:
                self._known.clear()
            self._known[raw] = known
        return known if self._enabled or event.dedup_key else self._compute(tenant, event)

    def _compute(self, tenant: TenantId, event: Event) -> Identity:
        found = fingerprint.compute(event)
        if not self._enabled and not event.dedup_key:
            found = Fingerprint(found.version, self._new_id(), found.components)
        return found, FingerprintKey(tenant, found.version, found.value)


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything a stage or an effect may reach for."""

    store: Store
    clock: Clock
    ids: Ids
    codec: Codec
    numbers: Numbers
    identities: Identities
    rules: RulePack
    metrics: Metrics
    window: int
    historical_after: int
    route: Route
    retry: RetryPolicy
    channels: Mapping[str, Channel]
    mutes: tuple[MuteRule, ...] = ()
    wake: Callable[[Changes], None] = field(default=lambda _: None)
