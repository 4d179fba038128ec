"""Who calls: the first credential that is shown, in a stated order, decides; a wrong one is refused even when another
would do. While a stream is open its principal is looked at again and again, since a credential may be revoked."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from llm_incident_manager.domain.access import Principal
from llm_incident_manager.domain.errors import Unauthenticated
from llm_incident_manager.transport.call import Call, Proceed, source_of
from llm_incident_manager.transport.guard import Guard

T = TypeVar("T")

LOOK_AGAIN_SECONDS = 2.0
"""Between two looks at the principals of open streams."""


class Authenticator(Protocol):
    """Knows one kind of credential."""

    name: str

    def shown(self, call: Call) -> bool:
        """Whether the call shows a credential of this kind, good or bad."""
        ...

    async def principal(self, call: Call) -> Principal:
        """Whose it is. Raises Unauthenticated."""
        ...

    async def still(self, principal: Principal) -> bool:
        """Whether that principal, which this kind of credential has proven, is still let in."""
        ...


class OpenStreams:
    """The streams that are open, and the principals on whose behalf they are."""

    def __init__(
        self,
        authenticators: Sequence[Authenticator],
        admits: Callable[[Principal], bool],
        refused: Callable[[bytes], bool] = lambda _: False,
        every: float = LOOK_AGAIN_SECONDS,
    ) -> None:
        """`admits` says whether a principal is let in, whatever it has shown, and `refused` whether a certificate (DER)
        is not, whatever was shown beside it; `every` in seconds."""
        self._admits = admits
        self.refused = refused
        self._known = {authenticator.name: authenticator for authenticator in authenticators}
        self._open: dict[tuple[Principal, bytes], set[asyncio.Timeout]] = defaultdict(set)
        self._every = every

    @contextmanager
    def one(self, principal: Principal, certificate: bytes, end: asyncio.Timeout) -> Iterator[None]:
        """While a stream is open; `end` is brought forward when its principal, or the certificate of its connection, is
        not let in any more."""
        whose = (principal, certificate)
        ends = self._open[whose]
        ends.add(end)
        try:
            yield
        finally:
            ends.discard(end)
            if not ends:
                self._open.pop(whose, None)

    async def run(self) -> None:
        """Looks again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            await self.look()

    async def look(self) -> None:
        """Ends the streams of all who are not let in any more."""
        for whose in tuple(self._open):
            if not await self._still(*whose):
                for end in tuple(self._open.get(whose, ())):
                    end.reschedule(0)

    async def _still(self, principal: Principal, certificate: bytes) -> bool:
        if certificate and self.refused(certificate):
            return False
        known = self._known.get(principal.proven_by)
        return self._admits(principal) and (known is None or await known.still(principal))


class Identity:
    """Says who calls."""

    name = "identity"
    after = frozenset({"errors", "deadline"})

    def __init__(
        self,
        authenticators: Sequence[Authenticator],
        streams: OpenStreams,
        guard: Guard,
        anonymous: Principal | None = None,
    ) -> None:
        """`authenticators` in the order in which they are asked; `guard` has the last word; `anonymous` is who shows no
        credential at all, None where nobody may."""
        self._authenticators = tuple(authenticators)
        self._streams = streams
        self._guard = guard
        self._anonymous = anonymous

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Sets the principal. Raises Unauthenticated, for a stream also later; TenantSuspended, RATE_LIMITED."""
        principal = call.principal = await self.who(call)
        if not call.method.response_streaming:
            return await proceed()
        end = asyncio.timeout(None)
        try:
            async with end:
                with self._streams.one(principal, call.certificate, end):
                    return await proceed()
        except TimeoutError as ended:
            if not end.expired():
                raise
            raise Unauthenticated(again=True) from ended

    async def who(self, call: Call) -> Principal:
        """Who calls. Raises Unauthenticated, TenantSuspended, RATE_LIMITED."""
        principal = await self._proven(call)
        self._guard.passed(principal, _source(call))
        return principal

    async def _proven(self, call: Call) -> Principal:
        if call.certificate and self._streams.refused(call.certificate):
            call.facts["cause"] = "revoked"
            raise self._guard.failed("mtls", Unauthenticated("revoked"), _source(call))
        for authenticator in self._authenticators:
            if authenticator.shown(call):
                try:
                    return await authenticator.principal(call)
                except Unauthenticated as refused:
                    call.facts["cause"] = refused.cause
                    raise self._guard.failed(authenticator.name, refused, _source(call)) from refused
        if self._anonymous is None:
            raise Unauthenticated
        return self._anonymous


def _source(call: Call) -> str:
    """Where the call comes from: what a hook before us has found out, else whoever is at the other end of the line."""
    return call.source or source_of(call.peer)
