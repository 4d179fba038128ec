"""What the headers of an upgrade say beside what those of any call do: pages of other web sites, and the credentials of
programs that cannot set headers. Decides; reads and writes nothing."""

from collections.abc import Mapping, Sequence

SUBPROTOCOL = "incidentmanager.v1"
"""What the server speaks. A client that names subprotocols has to name it."""
_CREDENTIALS = {"bearer.": ("authorization", "Bearer "), "api-key.": ("x-api-key", "")}
"""Subprotocols that are none: a script in a browser has no other way to show who it is. The server never repeats them,
and unlike a query they stand in no log."""
_OF_THE_UPGRADE = ("sec-websocket-", "x-request-id", "x-request-timeout")


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
