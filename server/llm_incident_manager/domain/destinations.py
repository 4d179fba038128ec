"""Where the server may connect to: a judgement about the very address, whatever name has led to it. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


class Why(StrEnum):
    """What a judgement rests on."""

    PUBLIC = "public"
    LISTED_NETWORK = "listed_network"
    LISTED_NAME = "listed_name"
    NOT_PUBLIC = "not_public"
    NOT_LISTED = "not_listed"
    NEVER_BY_NAME = "never_by_name"
    NO_ADDRESS = "no_address"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the server may connect, and why."""

    allowed: bool
    why: Why


_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),  # the last one is a cloud's own host in public clothes
    )
)
"""What IANA keeps for special purposes. Written down here, since Python's own lists differ between its versions."""
_UNICAST_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Of the unicast addresses, those for protocols (some carry an IPv4 address within) and for books."""
_NEVER_BY_NAME = tuple(
    map(ip_network, ("0.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "224.0.0.0/4", "240.0.0.0/4"))
) + tuple(map(ip_network, ("::/128", "64:ff9b::/96", "2002::/16", "fe80::/10", "fd00:ec2::/32", "ff00::/8")))
"""A name that is allowed never leads here: where clouds keep the credentials of their machines, for instance. Whoever
means it lists the network."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Policy:
    """Where the server may connect to. `names` are in lower case; `*.example.com` stands for all names below it."""

    networks: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()
    public: bool = True

    def judge(self, name: str, address: str) -> Verdict:
        """Whether to connect to `address`, to which `name` (the host of the URL) has led."""
        try:
            at = _unwrapped(ip_address(address))
        except ValueError:
            return Verdict(False, Why.NO_ADDRESS)
        if any(at in network for network in self.networks if network.version == at.version):
            return Verdict(True, Why.LISTED_NETWORK)
        if self._lists(name):
            never = any(at in network for network in _NEVER_BY_NAME if network.version == at.version)
            return Verdict(not never, Why.NEVER_BY_NAME if never else Why.LISTED_NAME)
        if not self.public:
            return Verdict(False, Why.NOT_LISTED)
        return Verdict(True, Why.PUBLIC) if is_public(at) else Verdict(False, Why.NOT_PUBLIC)

    def _lists(self, name: str) -> bool:
        known = name.lower().rstrip(".")
        below = known.split(".")
        return known in self.names or any(
            f"*.{'.'.join(below[start:])}" in self.names for start in range(1, len(below))
        )


EVERYWHERE = Policy((IPv4Network("0.0.0.0/0"), IPv6Network("::/0")))
"""For a person's own command line, which reaches what that person reaches anyway."""


def policy(entries: Iterable[str], *, public: bool) -> Policy:
    """What a list of hosts, addresses and networks allows. Raises ValueError, naming the entry and the remedy."""
    networks: list[Network] = []
    names: set[str] = set()
    for entry in entries:
        network = _network(entry)
        if network is None:
            names.add(_name(entry))
        else:
            networks.append(network)
    return Policy(tuple(networks), frozenset(names), public)


def is_public(address: Address) -> bool:
    """Whether the address is one of the internet's, not of a machine, a site, a cloud or a protocol."""
    at = _unwrapped(address)
    if isinstance(at, IPv4Address):
        return not any(at in network for network in _NOT_PUBLIC_4)
    return at in _UNICAST_6 and not any(at in network for network in _NOT_PUBLIC_6)


def is_odd(host: str) -> bool:
    """Whether a host is an address in other than its usual clothes, such as 2130706433, 0x7f.1 or 127.1: some readers
    take it for one, others for a name."""
    last = host.rstrip(".").rpartition(".")[2]
    return _NUMBER.match(last) is not None and not is_address(host)


def is_address(host: str) -> bool:
    """Whether a host is an address in its usual form."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address; names other than localhost count as reachable."""
    try:
        return _unwrapped(ip_address(host.strip("[]"))).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that the system really connects to when it is given a mapped one."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _network(entry: str) -> Network | None:
    try:
        return ip_network(entry.strip("[]"))
    except ValueError:
        if "/" not in entry and ":" not in entry:
            return None
    try:
        exact = ip_network(entry, strict=False)
    except ValueError:
        remedy = "give a host, an address or a network, such as hooks.example.com, 10.1.2.3 or 10.1.0.0/16"
        raise ValueError(f"{entry!r} is none: {remedy}, without scheme, port or path") from None
    raise ValueError(f"{entry!r} has bits beyond its network: write {exact}")


def _name(entry: str) -> str:
    name = entry.lower().rstrip(".")
    try:
        name = name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError:
        raise ValueError(f"{entry!r} is no host name") from None
    labels = name.removeprefix("*.").split(".")
    if len(name) > 253 or is_odd(name) or not all(map(_LABEL.match, labels)):
        raise ValueError(f"{entry!r} is no host name, address or network: give one such as hooks.example.com")
    return name
