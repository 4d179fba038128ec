"""Judges addresses for those who connect by other means than HTTP. They get addresses and never a name, so that no
second answer of a name server leads them anywhere else."""

import asyncio
import socket
from collections.abc import Callable, Sequence

from aiohttp.abc import AbstractResolver

from llm_incident_manager.adapters.outbound.names import Names
from llm_incident_manager.domain import destinations
from llm_incident_manager.domain.destinations import Policy
from llm_incident_manager.ports.outbound import NotAllowed, OutboundFailed
from llm_incident_manager.telemetry.logs import Logger


class JudgedAddresses:
    """Implements ports.outbound.Addresses."""

    def __init__(
        self,
        policy: Policy,
        seconds: float,
        log: Logger,
        count: Callable[[str, str], None] = lambda *_: None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """A name server has so many seconds; `count` takes purpose and outcome of what went wrong; the `resolver` is
        the system's unless given."""
        self._policy = policy
        self._seconds = seconds
        self._log = log
        self._count = count
        self._names = resolver or Names()

    async def of(self, host: str, port: int, purpose: str) -> Sequence[str]:
        """The addresses that may be connected to now. Raises NotAllowed, OutboundFailed."""
        found = [host] if destinations.is_address(host) else await self._asked(host, port, purpose)
        allowed = [address for address in found if self._policy.judge(host, address).allowed]
        if not allowed:
            self._count(purpose, "not_allowed")
            remedy = "if the server may connect there, name the host or the network in outbound.allow"
            self._log.warning("outbound.not_allowed", purpose=purpose, host=host, addresses=found, remedy=remedy)
            raise NotAllowed("not allowed: outbound.allow does not name where it leads")
        return allowed

    async def close(self) -> None:
        """Waits for nobody."""
        await self._names.close()

    async def _asked(self, host: str, port: int, purpose: str) -> Sequence[str]:
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._names.resolve(host, port, socket.AF_UNSPEC)
        except (TimeoutError, OSError) as error:
            self._count(purpose, "failed")
            cause = "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
            self._log.warning("outbound.failed", purpose=purpose, host=host, cause=cause)
            raise OutboundFailed from error
        return [each["host"] for each in found]
