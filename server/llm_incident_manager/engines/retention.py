"""Decides what has been kept long enough, and what goes early because the disk fills up. Deletes nothing."""

from typing import NamedTuple

from llm_incident_manager.domain.retention import Expiring
from llm_incident_manager.domain.time import DAY, Instant

RESENT = DAY
"""A producer may resend an event this long and gets its first answer, so its row stays, however full the disk."""

LOW_WATER = 0.9
"""Once above the limit, deleting goes on until so much of it is left: rather seldom and more at once."""


class Policy(NamedTuple):
    """How long things are kept, in microseconds, and how large the database may grow; 0 is for ever, and any size."""

    events: int = 0
    incidents: int = 0
    audit: int = 0
    most_bytes: int = 0


KEEP_ALL = Policy()


class Expiry(NamedTuple):
    """Delete what is older than `before`, while the database is larger than `above` bytes."""

    what: Expiring
    before: Instant
    above: int
    reason: str


_AGES = (
    (Expiring.BODIES, "events"),
    (Expiring.EVENTS, "events"),
    (Expiring.CHANGES, "events"),
    (Expiring.INCIDENTS, "incidents"),
    (Expiring.AUDIT, "audit"),
)


def by_age(policy: Policy, now: Instant) -> tuple[Expiry, ...]:
    """What is past its time, in the order in which it goes."""
    kept = [(what, name, getattr(policy, name)) for what, name in _AGES]
    return tuple(
        Expiry(what, Instant(now - age), 0, f"retention.{name}_days: older than {age / DAY:g} days")
        for what, name, age in kept
        if age
    )


def by_size(policy: Policy, now: Instant, size: int) -> tuple[Expiry, ...]:
    """What goes although its time has not come, oldest first: bodies, then ledger rows. Open incidents never do."""
    if not policy.most_bytes or size <= policy.most_bytes:
        return ()
    low = int(policy.most_bytes * LOW_WATER)
    reason = f"retention.max_bytes: {size} bytes used, {policy.most_bytes} allowed"
    return (
        Expiry(Expiring.BODIES, now, low, reason),
        Expiry(Expiring.FINISHED_EVENTS, Instant(now - RESENT), low, reason),
    )


def passed(policy: Policy, made: Instant, now: Instant) -> bool:
    """Whether an event of that time has certainly been deleted for its age."""
    return bool(policy.events) and made < now - policy.events
