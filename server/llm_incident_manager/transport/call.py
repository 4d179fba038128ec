"""One call, whatever door it came through, and the one ordered chain it passes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from llm_incident_manager.domain.access import Principal
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.sending import Share

T = TypeVar("T")


def _unchecked(_: object) -> tuple[Violation, ...]:
    raise LookupError("the call has no checker yet: validate must run first")


@dataclass(slots=True)
class Call:
    """What is known about a call; hooks fill it in on the way, and a watch says where it could go on.

    `certificate` is the client's, in DER, and `tls` the version spoken, such as "TLSv1.3"; both empty without TLS.
    `source` is the address it comes from, behind proxies that are trusted; `standing` how it stands with its limits.
    """

    method: Method
    transport: str
    metadata: Mapping[str, str]
    peer: str
    time_left: float | None = None
    certificate: bytes = b""
    tls: str = ""
    request_id: str = ""
    traceparent: str = ""
    principal: Principal | None = None
    code: str = "OK"
    check: Callable[[Any], tuple[Violation, ...]] = _unchecked
    facts: dict[str, object] = field(default_factory=dict)
    resume_token: str = ""
    source: str = ""
    limiter: "Paces | None" = None
    standing: "Stands | None" = None
    share: Share | None = None

    @property
    def caller(self) -> Caller:
        """Who asks, for use cases. Raises LookupError before identity: a defect of the chain."""
        if self.principal is None:
            raise LookupError("the call has no principal yet: identity must run first")
        who = self.principal
        return Caller(who.tenant, who.subject, who.proven_by, who.credential, self.source, who.condition)

    async def count(self, events: int) -> None:
        """Counts the events of a batch; the call has counted as one of them. Raises RATE_LIMITED."""
        if self.limiter is not None and events > 1:
            await self.limiter.take(self, events - 1, counted=1)

    async def pace(self, events: int) -> None:
        """Returns when so many events of a stream may come."""
        while self.limiter is not None and (wait := await self.limiter.wait(self, events)):  # noqa: ASYNC110 - others take, too
            await asyncio.sleep(wait)

    async def hold(self, size: int) -> None:
        """Has room for so many bytes that are on their way to a subscriber. Raises Overloaded."""
        if self.share is not None:
            await self.share.hold(size)

    def left(self) -> None:
        """Nothing of the call is in memory any more. A door that lets subscribers in says so."""
        if self.share is not None:
            self.share.close()


class Stands(Protocol):
    """How a caller stands with its limits."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names and values."""
        ...


class Paces(Protocol):
    """Limits how often a caller calls."""

    async def take(self, call: Call, cost: int, counted: int = 0) -> None:
        """Counts; so many that belong to it are counted already. Raises RATE_LIMITED."""
        ...

    async def wait(self, call: Call, cost: int) -> float:
        """Counts, or tells how many seconds to wait."""
        ...


def source_of(peer: str) -> str:
    """The address of a peer without its port: `ipv4:192.0.2.7:4711`, `ipv6:[::1]:4711`, `192.0.2.7:4711`."""
    address = peer.removeprefix("ipv4:").removeprefix("ipv6:").replace("%5B", "[").replace("%5D", "]")
    return address.rpartition(":")[0].strip("[]")


Proceed = Callable[[], Awaitable[T]]


class Hook(Protocol):
    """One concern around a call, blind to its shape."""

    name: str
    after: frozenset[str]

    async def around(self, call: Call, proceed: Proceed[T], /) -> T:
        """Awaits `proceed`, which is the rest of the chain and the handler, and returns what it gives; or raises."""
        ...


class Chain:
    """Hooks in their order."""

    def __init__(self, hooks: tuple[Hook, ...]) -> None:
        """Raises ValueError when a hook stands before one it must come after, or a name occurs twice."""
        seen: set[str] = set()
        for hook in hooks:
            if hook.after - seen or hook.name in seen:
                raise ValueError(f"hook {hook.name} must come once, after {', '.join(sorted(hook.after))}")
            seen.add(hook.name)
        self._inwards = hooks
        self._outwards = tuple(reversed(hooks))

    @property
    def names(self) -> tuple[str, ...]:
        """The order, for people and tests."""
        return tuple(hook.name for hook in self._inwards)

    async def run(self, call: Call, work: Proceed[T]) -> T:
        """Runs `work` inside all hooks. Nested coroutines: a context manager for each would cost ten times as much."""
        proceed = work
        for hook in self._outwards:
            proceed = partial(hook.around, call, proceed)
        return await proceed()
