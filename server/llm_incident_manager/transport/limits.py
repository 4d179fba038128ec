"""Refuses who calls too often, or from an address that is not let in, and tells honest callers how they stand."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from llm_incident_manager.domain import limits
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.limits import NO_RULES, OPEN, Bucket, Gate, Rules, Scope, Tier
from llm_incident_manager.domain.rates import Permit, Rate
from llm_incident_manager.ports.rates import OwnRates, Rates
from llm_incident_manager.transport.call import Call, Proceed, source_of

T = TypeVar("T")

FORWARDED = "x-forwarded-for"
BATCH = "SubmitEvents"
"""The method whose calls count as often as they have events: once like any call, so that none is free whatever becomes
of it, and for the others once these are read."""


class Standing(NamedTuple):
    """How a caller stands with the narrowest of its limits, as X-RateLimit-* tell it."""

    limit: int
    remaining: int
    reset: float

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names and values; `reset` is in whole seconds, rounded up."""
        return (
            ("x-ratelimit-limit", str(self.limit)),
            ("x-ratelimit-remaining", str(self.remaining)),
            ("x-ratelimit-reset", str(-int(-self.reset // 1))),
        )


class Limiter:
    """Takes from the buckets of a call."""

    def __init__(
        self,
        rates: Rates,
        rules: Rules = NO_RULES,
        of_tenant: Callable[[TenantId], Tier | None] = lambda _: None,
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`rates` are those of all processes where there is a Redis; `of_tenant` is what a tenant has as its own;
        `refused` counts refusals by scope."""
        self._rates = rates
        self._rules = rules
        self._of_tenant = of_tenant
        self._refused = refused

    async def take(self, call: Call, cost: int, counted: int = 0) -> None:
        """Counts a call, or the events of one of which so many are counted already. Raises RATE_LIMITED."""
        permit, bucket = await self._ask(call, cost, counted)
        if bucket is None or permit is None or permit.allowed:
            return
        self._refused(bucket.scope)
        raise _limited(bucket, permit)

    async def wait(self, call: Call, cost: int) -> float:
        """As `take`, for a stream that is slowed down instead of refused: seconds until it may be tried again, or 0."""
        permit, _ = await self._ask(call, cost, 0)
        return 0.0 if permit is None or permit.allowed else permit.retry_after

    async def _ask(self, call: Call, cost: int, counted: int) -> tuple[Permit | None, Bucket | None]:
        """The permit of the first bucket that refuses, else of the narrowest one."""
        who = call.principal
        if who is None:
            raise LookupError("the call has no principal yet: identity must run first")
        first: tuple[Permit | None, Bucket | None] = (None, None)
        taken: list[Bucket] = []
        for bucket in limits.buckets(self._rules, who, call.method.name, self._of_tenant(who.tenant)):
            permit = await self._take(bucket, cost, counted)
            if bucket.scope is Scope.KEY:
                call.standing = Standing(bucket.tier.per_minute, permit.remaining, _reset(bucket.tier, permit))
            if not permit.allowed:
                for paid in taken:  # a call that is refused costs nothing, or one limit would use up another
                    await self._rates.give_back(_name(paid), paid.tier.rate, cost)
                return permit, bucket
            taken.append(bucket)
            first = first if first[0] is not None else (permit, bucket)
        return first

    async def _take(self, bucket: Bucket, cost: int, counted: int) -> Permit:
        """As if all had been taken at once: of a batch larger than the burst the full bucket that it needs is one
        without what was counted, and the next try counts that again."""
        rate, more = bucket.tier.rate, max(0, cost + counted - bucket.tier.burst) if counted else 0
        permit = await self._rates.take(_name(bucket), Rate(rate.per_second, rate.burst + more), cost)
        again = 0.0 if permit.allowed else permit.retry_after + counted / rate.per_second
        return Permit(permit.allowed, max(0, permit.remaining - more), again)


def _name(bucket: Bucket) -> str:
    return f"calls/{bucket.scope}/{bucket.name}"


def _reset(tier: Tier, permit: Permit) -> float:
    """Seconds until the bucket is full again."""
    return (tier.burst - permit.remaining) * 60 / tier.per_minute


def _limited(bucket: Bucket, permit: Permit) -> DomainError:
    tier = bucket.tier
    text = (
        f"more than {tier.per_minute} calls a minute, or {tier.burst} at once, for this {bucket.scope} (each event "
        f"of a batch counts): come back in {permit.retry_after:.1f} s, or ask for a larger tier"
    )
    metadata = {
        "scope": str(bucket.scope),
        "limit": str(tier.per_minute),
        "burst": str(tier.burst),
        "remaining": str(permit.remaining),
        "reset_ms": str(int(_reset(tier, permit) * 1000)),
    }
    return DomainError(ErrorReason.RATE_LIMITED, text, metadata, retry_after=max(permit.retry_after, 0.001))


class Source:
    """Refuses calls from addresses that are not let in, and from one that sends too many, before it is asked who
    calls."""

    name = "source"
    after = frozenset({"errors", "deadline"})

    def __init__(
        self,
        own: OwnRates,
        gate: Gate = OPEN,
        tier: Tier | None = None,
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`tier` is for every address (IPv6: its /64); None: as much as it likes. Each process counts, and protects,
        itself. Whoever sends from many addresses can make `own` forget, so that nobody else should count there."""
        self._own = own
        self._gate = gate
        self._tier = tier
        self._refused = refused

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Raises SOURCE_DENIED, RATE_LIMITED."""
        self.admit(call)
        return await proceed()

    def admit(self, call: Call, *, counts: bool = True) -> None:
        """Says where the call comes from. Raises SOURCE_DENIED and, when it counts, RATE_LIMITED."""
        peer = source_of(call.peer)
        call.source = self._gate.source(peer, call.metadata.get(FORWARDED, "")) if self._gate.proxies else peer
        if not self._gate.lets_in(call.source):
            self._refused("address")
            raise DomainError(ErrorReason.SOURCE_DENIED, "calls from this address are not taken")
        if counts and self._tier is not None:
            place = limits.place_of(call.source)
            permit = self._own.take_now(f"source/{place}", self._tier.rate)
            if not permit.allowed:
                self._refused(Scope.SOURCE)
                raise _limited(Bucket(Scope.SOURCE, place, self._tier), permit)


class Quota:
    """Refuses callers that are beyond their share. The other events of a batch are counted once it is read."""

    name = "quota"
    after = frozenset({"identity"})

    def __init__(self, limiter: Limiter) -> None:
        """Asks this limiter."""
        self._limiter = limiter

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Raises RATE_LIMITED."""
        call.limiter = self._limiter
        await self._limiter.take(call, 1)
        return await proceed()
