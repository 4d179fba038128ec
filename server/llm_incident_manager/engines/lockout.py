"""Who has failed too often to prove who they are, and for how long that counts."""

from dataclasses import dataclass

from llm_incident_manager.domain.time import Instant

NEVER = Instant(0)


@dataclass(frozen=True, slots=True)
class Patience:
    """So many failures within `window` microseconds are one too many; what follows is refused for `pause`."""

    failures: int
    window: int
    pause: int


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures since a moment, and until when that locks out; not at all when that is NEVER."""

    since: Instant
    count: int
    until: Instant = NEVER


def after_failure(before: Failures | None, now: Instant, patience: Patience) -> Failures:
    """What is known after one more. Failures while locked out do not prolong it."""
    if before is not None and now < before.until:
        return before
    if before is None or before.until or now - before.since >= patience.window:
        before = Failures(now, 0)
    count = before.count + 1
    until = Instant(now + patience.pause) if count >= patience.failures else NEVER
    return Failures(before.since, count, until)


def wait(known: Failures | None, now: Instant) -> int:
    """For how many microseconds more it locks out; 0 when it does not."""
    return 0 if known is None else max(0, known.until - now)
