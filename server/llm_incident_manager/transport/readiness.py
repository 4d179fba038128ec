"""Whether this process can do its work now: each check is a named probe with a deadline, and says why not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.ports.stores import StoreBroken
from llm_incident_manager.transport.drain import Drain
from llm_incident_manager.transport.fresh import Fresh

PROBE_SECONDS = 2.0
Probe = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer: ready or not, and each check's own word."""

    ready: bool
    checks: Mapping[str, str] = field(default_factory=dict)

    @property
    def brief(self) -> Mapping[str, str]:
        """Which checks are not well, without the words, which name tenants and addresses."""
        return {name: word if word == "ok" else "not ok" for name, word in self.checks.items()}


class Probes:
    """The probes of a server."""

    def __init__(
        self,
        probes: Mapping[str, Probe],
        drain: Drain,
        notes: Mapping[str, str],
        optional: Mapping[str, Probe] | None = None,
    ) -> None:
        """`notes` are shown as they are, for instance that anonymous access is allowed. What the `optional` probes say
        is shown, too, and does not count: the server works without what they ask for."""
        self._probes = probes
        self._optional = optional or {}
        self._drain = drain
        self._notes = notes
        self._words = Fresh(self._asked)

    async def ask(self) -> Readiness:
        """What the probes say, or said a moment ago."""
        words = await self._words.get()
        checks = {**words, **self._notes}
        if self._drain.begun:
            checks["drain"] = "shutting down"
        well = all(words[name] == "ok" for name in self._probes)
        return Readiness(well and not self._drain.begun, checks)

    async def _asked(self) -> Mapping[str, str]:
        """Runs all probes side by side."""
        probes = {**self._optional, **self._probes}
        return dict(zip(probes, await asyncio.gather(*map(_word, probes.values())), strict=True))


async def _word(probe: Probe) -> str:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except TimeoutError:
        return f"no answer within {PROBE_SECONDS:g} s"
    except DomainError as error:
        return error.message
    except StoreBroken as error:
        return str(error)
    return "ok"
