"""What is let in when more comes than fits, and when to come back otherwise. Every decision costs the same, however
much waits.

Three priorities share what is bounded. Reads that are much work stop first, events of no hurry next; P0 and P1 and what
people do to incidents keep a reserve that nothing else may touch. A tenant may hold so many times what is still free:
alone it gets nearly everything, and whoever comes beside it finds room without anybody having to be thrown out.
"""

from enum import StrEnum
from typing import NamedTuple

from llm_incident_manager.domain.rates import Rate
from llm_incident_manager.domain.severity import Severity

SHARE = 8
"""A tenant may hold so many times what is free: 8/9 of the buffer when it is alone, 8/17 each when they are two."""

LONGEST_WAIT = 30.0
SHORTEST_WAIT = 0.1
"""Seconds within which callers are asked to come back."""


class Priority(StrEnum):
    """Who goes first, and who gets in when it is tight."""

    URGENT = "urgent"
    """P0 and P1 events, and what people do to incidents."""
    NORMAL = "normal"
    """All other events, and reads of one thing."""
    DEFERRABLE = "deferrable"
    """Lists, searches and figures."""


class Reason(StrEnum):
    """What was full. Also a label of the metric `shed_total`."""

    BUFFER = "buffer"
    BYTES = "bytes"
    TENANT_SHARE = "tenant_share"
    TENANT_QUOTA = "tenant_quota"
    CALLS = "calls"
    WRITES = "writes"
    READS = "reads"
    SUBSCRIBERS = "subscribers"
    SENDING = "sending"
    CONNECTIONS = "connections"
    SESSIONS = "sessions"


class Room(NamedTuple):
    """How much may wait: events, their bytes, and the share of both that only what is urgent may take."""

    events: int
    size: int
    reserve: float


class Held(NamedTuple):
    """How much waits now: events and bytes of all, and events of the tenant that asks."""

    events: int
    size: int
    by_tenant: int


def priority(worst: Severity) -> Priority:
    """Of events that come together, by the worst of them: what is urgent takes the others along."""
    return Priority.URGENT if worst <= Severity.P1 else Priority.NORMAL


def into_buffer(room: Room, held: Held, events: int, size: int, urgency: Priority) -> Reason | None:
    """Whether so many events may wait with the others; why not, if not. An empty buffer takes anything."""
    if not held.events:
        return None
    part = open_to(urgency, room.reserve)
    free = int(room.events * part) - held.events
    if events > free:
        return Reason.BUFFER
    if held.size + size > room.size * part:
        return Reason.BYTES
    if held.by_tenant and held.by_tenant + events > SHARE * (free - events):
        return Reason.TENANT_SHARE
    return None


def open_to(urgency: Priority, reserve: float) -> float:
    """The part of something bounded that a priority may fill: all of it, all but the reserve, all but two of them."""
    match urgency:
        case Priority.URGENT:
            return 1.0
        case Priority.NORMAL:
            return 1.0 - reserve
        case Priority.DEFERRABLE:
            return 1.0 - 2 * reserve


def among_calls(limit: int, active: int, urgency: Priority, reserve: float) -> Reason | None:
    """Whether one call more may be at work beside so many; why not, if not."""
    return None if active < max(1, int(limit * open_to(urgency, reserve))) else Reason.CALLS


def come_back_in(backlog: int, rate: float, jitter: float) -> float:
    """Seconds until a backlog is gone at this rate (per second), plus up to half as much again, so that not all who
    were told come back at once. `jitter` in [0, 1). Without a rate yet it is a second."""
    wait = backlog / rate if rate > 0 else 1.0
    return round(min(LONGEST_WAIT, max(SHORTEST_WAIT, wait) * (1 + jitter / 2)), 3)


class Quota(NamedTuple):
    """What a tenant may send: events a second, 0 being without limit, and how many seconds' worth at once."""

    rate: float
    burst_seconds: float = 1.0


def rate(quota: Quota, urgency: Priority) -> Rate:
    """How fast the events of a tenant that has a quota may come. What is urgent has another burst beyond."""
    bursts = quota.burst_seconds * (2 if urgency is Priority.URGENT else 1)
    return Rate(quota.rate, max(1, round(quota.rate * bursts)))
