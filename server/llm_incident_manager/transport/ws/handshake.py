"""What the headers of an upgrade say beside what those of any call do: pages of other web sites, and the credentials of
programs that cannot set headers. Decides; reads and writes nothing."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

SUBPROTOCOL = "incidentmanager.v1"
"""What the server speaks. A client that names subprotocols has to name it."""
_CREDENTIALS = {"bearer.": ("authorization", "Bearer "), "api-key.": ("x-api-key", "")}
"""Subprotocols that are none: a script in a browser has no other way to show who it is. The server never repeats them,
and unlike a query they stand in no log."""
_OF_THE_UPGRADE = ("sec-websocket-", "x-request-id", "x-request-timeout")
_PORTS = {"http": 80, "https": 443}


def metadata(headers: Mapping[str, str], subprotocols: Sequence[str]) -> dict[str, str]:
    """What the calls of the connection show: its headers, without those that are about the upgrade alone, and a
    credential that came as a subprotocol unless a header of its kind did."""
    shown = {name: value for name, value in headers.items() if not name.startswith(_OF_THE_UPGRADE)}
    for offered in subprotocols:
        for prefix, (name, scheme) in _CREDENTIALS.items():
            if offered.startswith(prefix):
                shown.setdefault(name, scheme + offered.removeprefix(prefix))
    return shown


def chosen(subprotocols: Sequence[str]) -> str | None:
    """The subprotocol to answer with."""
    return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None


def foreign_origin(headers: Mapping[str, str], allowed: Sequence[str]) -> str | None:
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
