"""What a client tells about its calls, for logs, metrics and traces, and an observer that logs.

Observers are called in the client's event loop, between two awaits: they must be quick and must not wait. What one
raises is logged with its traceback and disturbs neither the call nor the other observers.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from llm_incident_client.core import errors, retry
from llm_incident_client.core.breaker import State

T = TypeVar("T")
_log = logging.getLogger("llm_incident_client")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call is about to be made. `method` is for instance "SubmitEvent"; `number` is 1 for the first time."""

    method: str
    number: int


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt failed. `decision` says whether it is repeated, after how many seconds, and why."""

    method: str
    number: int
    error: errors.IncidentManagerError
    decision: retry.Again | retry.Stop


@dataclass(frozen=True, slots=True)
class Result:
    """A call is over. `seconds` include every wait and repeat; `error` is None when it succeeded."""

    method: str
    attempts: int
    seconds: float
    error: errors.IncidentManagerError | None = None


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """The circuit breaker changed its state."""

    old: State
    new: State


class Observer:
    """Told what happens to calls. Inherit from it and override what is of interest: the rest does nothing."""

    def on_attempt(self, attempt: Attempt) -> None:
        """Before each attempt."""

    def on_failure(self, failure: Failure) -> None:
        """After each attempt that failed."""

    def on_result(self, result: Result) -> None:
        """Once for each call, at its end. A call that was cancelled has none."""

    def on_breaker(self, change: BreakerChange) -> None:
        """When the circuit breaker opens, tries, or closes."""


class LogObserver(Observer):
    """Logs repeats and the breaker as warnings, and each call's end for debugging. Names no content and no secret."""

    def __init__(self, logger: logging.Logger = _log) -> None:
        """Writes to this logger, "llm_incident_client" unless told."""
        self._log = logger

    def on_failure(self, failure: Failure) -> None:
        """A warning when it is repeated; what is not is the caller's to tell."""
        if isinstance(failure.decision, retry.Again):
            again = failure.decision
            told = failure.method, failure.number, failure.error, again.delay, again.why
            self._log.warning("%s failed at attempt %d (%s), again in %.3f s: %s", *told)

    def on_result(self, result: Result) -> None:
        """For debugging."""
        word = "answered" if result.error is None else f"failed: {result.error.reason or result.error.code.name}"
        self._log.debug("%s %s after %.1f ms, attempt %d", result.method, word, 1e3 * result.seconds, result.attempts)

    def on_breaker(self, change: BreakerChange) -> None:
        """A warning."""
        self._log.warning("circuit breaker: %s, was %s", change.new, change.old)


class Observers:
    """Several observers as one."""

    __slots__ = ("_all",)

    def __init__(self, observers: Sequence[Observer]) -> None:
        """They are told in this order."""
        self._all = tuple(observers)

    def __bool__(self) -> bool:
        """Whether there is anybody to tell: without, nothing need be made that could be told."""
        return bool(self._all)

    def attempt(self, method: str, number: int) -> None:
        """Tells of an attempt."""
        for one in self._all:
            _tell(one.on_attempt, Attempt(method, number))

    def failure(self, failure: Failure) -> None:
        """Tells of a failure."""
        for one in self._all:
            _tell(one.on_failure, failure)

    def result(self, result: Result) -> None:
        """Tells of a result."""
        for one in self._all:
            _tell(one.on_result, result)

    def breaker(self, old: State, new: State) -> None:
        """Tells of a change."""
        for one in self._all:
            _tell(one.on_breaker, BreakerChange(old, new))


NOBODY = Observers(())
"""Nobody to tell."""


def _tell(hook: Callable[[T], None], what: T) -> None:
    try:
        hook(what)
    except Exception:  # noqa: BLE001 - whatever it is, it is the observer's: told, and of no concern to the call
        _log.exception("an observer failed in %s", hook)
