"""Decides whether a destination is called at all: not while it is known to be gone, and then by a few tries first.

    closed --failures in a row--> open --its time is over--> half open --successes in a row--> closed
                                    ^------------ a failed probe ----------|

A value: whoever holds it replaces it by what each decision and each outcome makes of it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from llm_incident_manager.domain.time import SECOND, Instant

PROBE_WAIT = 5 * SECOND
"""Who comes while a probe is under way comes again after so long."""


class State(StrEnum):
    """What a breaker does with calls: lets them through, refuses them, or tries one at a time."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """After so many failures in a row it opens, for so many microseconds; after so many successful probes in a row it
    closes again."""

    failures: int = 5
    successes: int = 2
    open_for: int = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Pass:
    """The call is made. A `probe` decides what becomes of a breaker that is half open."""

    probe: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """It is not made: it would most likely fail. `until` is when to come again."""

    until: Instant
    why: str


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where it stands. `count`: failures in a row while closed, successful probes while half open. `since` is when it
    opened, `probing` since when a probe is under way, `why` what the last failure was."""

    state: State = State.CLOSED
    count: int = 0
    since: Instant = Instant(0)  # noqa: RUF009  # a number
    probing: Instant | None = None
    why: str = ""


CLOSED = Breaker()


def enter(breaker: Breaker, now: Instant, thresholds: Thresholds) -> tuple[Breaker, Pass | Refuse]:
    """Whether a call is made now, and the breaker as it is with that."""
    if breaker.state is State.CLOSED:
        return breaker, Pass()
    if breaker.state is State.OPEN:
        until = min(breaker.since, now) + thresholds.open_for
        if now < until:
            return breaker, Refuse(Instant(until), _sentence(breaker))
        breaker = Breaker(State.HALF_OPEN, probing=now, why=breaker.why)
        return breaker, Pass(probe=True)
    # A probe that nobody has heard of for so long is lost: its process may have been stopped meanwhile.
    if breaker.probing is not None and now - breaker.probing < thresholds.open_for:
        wait = min(PROBE_WAIT, thresholds.open_for)
        return breaker, Refuse(Instant(now + wait), f"{_sentence(breaker)}, and is being tried")
    return replace(breaker, probing=now), Pass(probe=True)


def leave(
    breaker: Breaker, entered: Pass, now: Instant, thresholds: Thresholds, *, ok: bool | None, why: str = ""
) -> Breaker:
    """The breaker after a call that was let in: it succeeded, it failed for what `why` says, or (None) nobody knows.

    Calls that were under way when it opened change nothing any more; only probes do.
    """
    if breaker.state is State.CLOSED:
        return _closed(breaker, now, thresholds, ok=ok, why=why)
    if breaker.state is State.OPEN or not entered.probe:
        return breaker
    if ok is None:
        return replace(breaker, probing=None)
    if not ok:
        return Breaker(State.OPEN, since=now, why=why)
    count = breaker.count + 1
    return CLOSED if count >= thresholds.successes else replace(breaker, count=count, probing=None)


def _closed(breaker: Breaker, now: Instant, thresholds: Thresholds, *, ok: bool | None, why: str) -> Breaker:
    if ok is None:
        return breaker
    if ok:
        return CLOSED
    count = breaker.count + 1
    if count >= thresholds.failures:
        return Breaker(State.OPEN, since=now, why=why)
    return Breaker(count=count, why=why)


def _sentence(breaker: Breaker) -> str:
    return f"it failed too often (last: {breaker.why})" if breaker.why else "it failed too often"
