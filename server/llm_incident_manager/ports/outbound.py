"""The ways out: by HTTP for webhooks, the keys of issuers, and whatever else the server asks of others; and the judge
of where other protocols may lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `purpose` is a word for logs and metrics; `timeout` in seconds, None for the usual one. Without
    `reads` only the status counts, and nobody waits for a body."""

    url: str
    purpose: str
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    reads: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class OutboundError(Exception):
    """There is no answer. The message may be shown to whoever chose the URL: it tells nothing of what is there."""


class NotAllowed(OutboundError):
    """The settings do not let the server connect there, or the URL cannot be used at all. Trying again is no use."""


class OutboundFailed(OutboundError):
    """No answer came, not in time, or one that is too large. The log knows more."""

    def __init__(self) -> None:
        """Says the same of a closed port, a lost packet and a wrong certificate."""
        super().__init__("failed: the server's log says why")


class OutboundRefused(Exception):
    """The way out cannot be opened as the settings want it; the message names the key and the remedy."""


class Outbound(Protocol):
    """Sends requests, and connects to nothing that it may not connect to."""

    async def send(self, request: Request) -> Answer:
        """One request, without following redirects. Raises NotAllowed, OutboundFailed."""
        ...

    async def close(self) -> None:
        """Gives back connections; a later request opens new ones."""
        ...


class Addresses(Protocol):
    """Where a host leads, for whoever connects by other means: only to what is told here, and by no name."""

    async def of(self, host: str, port: int, purpose: str) -> Sequence[str]:
        """The addresses that may be connected to now, in the name server's order. `purpose` is a word for the log.
        Raises NotAllowed, OutboundFailed."""
        ...
