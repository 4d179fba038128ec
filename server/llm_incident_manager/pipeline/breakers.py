"""The breakers of all destinations of this process: one for each channel, and one for each service that is asked."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from llm_incident_manager.domain import time
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.engines import breaker
from llm_incident_manager.engines.breaker import CLOSED, Breaker, Pass, Refuse, State, Thresholds
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.telemetry import logs


class Counts(Protocol):
    """Where counts go."""

    def breaker_is(self, destination: str, state: str) -> None:
        """It is in that state from now on."""
        ...

    def breaker_refused(self, destination: str) -> None:
        """It has refused a call."""
        ...


@dataclass(slots=True)
class Visit:
    """A call that was let in. Whoever makes it says what came of it; unsaid, nobody knows."""

    ok: bool | None = None
    why: str = ""


class Breakers:
    """Keeps them, by the names of their destinations."""

    def __init__(self, clock: Clock, thresholds: Thresholds, counts: Counts) -> None:
        """All are closed."""
        self._clock = clock
        self._thresholds = thresholds
        self._counts = counts
        self._held: dict[str, Breaker] = {}
        self._log = logs.get("breaker")

    @contextmanager
    def call(self, destination: str) -> Iterator[Visit | Refuse]:
        """For the length of a call: a Refuse when it must not be made."""
        held = self._held.get(destination, CLOSED)
        after, entered = breaker.enter(held, self._clock.now(), self._thresholds)
        self._keep(destination, held, after)
        if isinstance(entered, Refuse):
            self._counts.breaker_refused(destination)
            yield entered
            return
        visit = Visit()
        try:
            yield visit
        finally:
            self._left(destination, entered, visit)

    @property
    def away(self) -> Mapping[str, str]:
        """Destinations that are not called now, or are being tried, and why."""
        return {
            name: f"{held.state.replace('_', ' ')} since {time.rfc3339(held.since)}: {held.why}"
            if held.state is State.OPEN
            else f"{held.state.replace('_', ' ')}: {held.why}"
            for name, held in sorted(self._held.items())
            if held.state is not State.CLOSED
        }

    async def check(self) -> None:
        """Raises NOT_AVAILABLE naming those."""
        if away := self.away:
            text = "; ".join(f"{name} is {how}" for name, how in away.items())
            raise DomainError(ErrorReason.NOT_AVAILABLE, text, {"feature": ", ".join(away)})

    def _left(self, destination: str, entered: Pass, visit: Visit) -> None:
        held, now = self._held.get(destination, CLOSED), self._clock.now()
        after = breaker.leave(held, entered, now, self._thresholds, ok=visit.ok, why=visit.why)
        self._keep(destination, held, after)

    def _keep(self, destination: str, before: Breaker, after: Breaker) -> None:
        self._held[destination] = after
        if before.state is after.state:
            return
        self._counts.breaker_is(destination, after.state)
        level: Callable[..., None] = self._log.info if after.state is State.CLOSED else self._log.warning
        level("breaker.changed", destination=destination, state=after.state, before=before.state, why=after.why)
