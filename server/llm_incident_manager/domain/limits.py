"""How often a caller may call: which buckets a call takes from. `domain.rates` decides for each of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from llm_incident_manager.domain.access import Principal
from llm_incident_manager.domain.rates import Rate

Network = IPv4Network | IPv6Network
_SUBNET = 64
NOBODY = "anonymous"
"""How the principal of a server that asks nobody who they are is proven: it has no limits of its own."""


class Scope(StrEnum):
    """Whose bucket it is."""

    KEY = "key"
    SOURCE = "source"
    TENANT = "tenant"
    METHOD = "method"


class Tier(NamedTuple):
    """So many calls a minute for good, and up to `burst` at once. Each event of a batch counts as a call."""

    per_minute: int
    burst: int

    @property
    def rate(self) -> Rate:
        """As buckets go by it."""
        return Rate(self.per_minute / 60, self.burst)


class Bucket(NamedTuple):
    """What a call takes from."""

    scope: Scope
    name: str
    tier: Tier


@dataclass(frozen=True, slots=True)
class Rules:
    """The configured limits. A tier is named by the API key, else by `usual`; `tenant` is for all callers of a tenant
    together unless that has a limit of its own, `methods` for all calls of a method by one tenant; None and no entry:
    without limit."""

    tiers: Mapping[str, Tier] = field(default_factory=dict)
    usual: str = ""
    tenant: Tier | None = None
    methods: Mapping[str, Tier] = field(default_factory=dict)


NO_RULES = Rules()


def buckets(rules: Rules, who: Principal, method: str, of_tenant: Tier | None) -> Iterator[Bucket]:
    """What a call of this method takes from, the narrowest first; `of_tenant` is what all callers of this tenant have
    together, and each of them that names no tier at most."""
    everybody = rules.tenant
    if who.proven_by != NOBODY:
        everybody = of_tenant or everybody
        tier = rules.tiers.get(who.tier) or of_tenant or rules.tiers.get(rules.usual)
        if tier is not None:
            yield Bucket(Scope.KEY, f"{who.tenant}/{who.proven_by} {who.lasting}", tier)
    if (tier := rules.methods.get(method)) is not None:
        yield Bucket(Scope.METHOD, f"{who.tenant}/{method}", tier)
    if everybody is not None:
        yield Bucket(Scope.TENANT, who.tenant, everybody)


class Gate(NamedTuple):
    """Which addresses are let in: none of `deny`, and of `allow` if there are any. Addresses in `proxies` are believed
    what they say about whom they call for."""

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()
    proxies: tuple[Network, ...] = ()

    def lets_in(self, address: str) -> bool:
        """Whether calls from this address are taken; one that is not an IP address only when all are."""
        if not self.allow and not self.deny:
            return True
        try:
            ip = _unmapped(address)
        except ValueError:
            return not self.allow
        if any(ip in network for network in self.deny):
            return False
        return not self.allow or any(ip in network for network in self.allow)

    def source(self, peer: str, forwarded: str) -> str:
        """The address a call comes from: the peer's, or the last one in X-Forwarded-For that is no proxy of ours."""
        if not self.proxies or not _within(peer, self.proxies):
            return peer
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            if not _within(hop, self.proxies):
                return hop
        return peer


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        ip = _unmapped(address)
    except ValueError:
        return False
    return any(ip in network for network in networks)


def _unmapped(address: str) -> IPv4Address | IPv6Address:
    """The address; the IPv4 one of ::ffff:192.0.2.7. Raises ValueError."""
    ip = ip_address(address)
    return getattr(ip, "ipv4_mapped", None) or ip


def place_of(source: str) -> str:
    """The address, or the /64 of an IPv6 one: whoever has one of those addresses has them all."""
    try:
        ip = _unmapped(source.partition("%")[0])
    except ValueError:
        return source
    return str(IPv6Network((ip, _SUBNET), strict=False)) if isinstance(ip, IPv6Address) else str(ip)


OPEN = Gate()
