"""How often callers may call, and from where."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field

from llm_incident_manager.config.problems import Problem, shown
from llm_incident_manager.config.values import Section
from llm_incident_manager.domain.limits import Gate, Rules, Tier

Network = IPv4Network | IPv6Network
Calls = Annotated[int, Field(ge=1, le=100_000_000)]


class RateTier(Section):
    """A limit: so many a minute for good, up to `burst` at once. Each event of a batch counts."""

    per_minute: Calls
    """Calls a minute."""
    burst: Calls
    """Calls at once."""

    def tier(self) -> Tier:
        """As the engine has it."""
        return Tier(self.per_minute, self.burst)


USUAL = {"standard": RateTier(per_minute=1_000, burst=100)}


class Limits(Section):
    """How often callers may call, and from where. Whoever needs no credential has no limit but that of its address."""

    tiers: Mapping[str, RateTier] = Field(default_factory=lambda: dict(USUAL))
    """Limits by name, one of which an API key may have: `bulk: {per_minute: 600000, burst: 20000}`."""
    usual_tier: str = "standard"
    """The tier of whoever has no other; empty: without limit."""
    source_per_minute: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    """Calls a minute from one address (IPv6: its /64), asked before who calls; 0: without limit. A twelfth of it at
    once."""
    tenant_per_minute: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    """Calls a minute of all callers of a tenant together; 0: without limit. A twelfth of it at once."""
    methods: Mapping[str, RateTier] = Field(default_factory=dict)
    """Limits of single methods for each tenant: `ListIncidents: {per_minute: 600, burst: 60}`."""
    allow: tuple[Network, ...] = ()
    """Only addresses in these networks are let in: `[10.0.0.0/8, "2001:db8::/32"]`; empty: all."""
    deny: tuple[Network, ...] = ()
    """Addresses in these networks are never let in."""
    trusted_proxies: tuple[Network, ...] = ()
    """From these networks the address in X-Forwarded-For counts as the caller's."""

    def rules(self) -> Rules:
        """Limits of callers, tenants and methods."""
        tiers = {name: tier.tier() for name, tier in self.tiers.items()}
        methods = {name: tier.tier() for name, tier in self.methods.items()}
        return Rules(tiers, self.usual_tier, _even(self.tenant_per_minute), methods)

    def gate(self) -> Gate:
        """Which addresses are let in."""
        return Gate(self.allow, self.deny, self.trusted_proxies)

    def of_source(self) -> Tier | None:
        """The limit of each address."""
        return _even(self.source_per_minute)


def _even(per_minute: int) -> Tier | None:
    return Tier(per_minute, max(1, per_minute // 12)) if per_minute else None


def conflicts(limits: Limits) -> Iterator[Problem]:
    """A usual tier that is not there."""
    if limits.usual_tier and limits.usual_tier not in limits.tiers:
        known = ", ".join(sorted(limits.tiers)) or "none"
        yield Problem("limits.usual_tier", shown(limits.usual_tier), "", f"give one of limits.tiers: {known}; or none")
