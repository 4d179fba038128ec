"""Which web sites' pages may open WebSockets. Decides; reads and writes nothing."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def foreign(headers: Mapping[str, str], allowed: Sequence[str]) -> str | None:
    """The web site whose page connects, when it is neither this server's own nor allowed. A browser would lend the page
    what it proves by: a client certificate, or its place on this machine. Programs name no origin."""
    origin = headers.get("origin")
    if origin is None or origin.lower() in (each.lower() for each in allowed):
        return None
    parts = urlsplit(origin)
    own = _with_port(headers.get("host", ""), parts.scheme)
    return None if parts.netloc and _with_port(parts.netloc, parts.scheme) == own else origin


def _with_port(host: str, scheme: str) -> str:
    """The host with the port that it means, which a browser leaves out when it is the usual one."""
    name, colon, port = host.lower().rpartition(":")
    return f"{name}:{port}" if colon and port.isdigit() else f"{host.lower()}:{_PORTS.get(scheme, 0)}"
