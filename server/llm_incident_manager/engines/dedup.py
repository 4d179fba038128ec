"""Decides whether an event was accepted before. Knows neither cache nor database; the stage looks things up."""

from dataclasses import dataclass

from llm_incident_manager.domain.disposition import Reason
from llm_incident_manager.domain.ids import EventId, IncidentId
from llm_incident_manager.domain.time import HOUR, Instant

REMEMBERED = 23 * HOUR
"""Keys count for 24 hours; a cache forgets them before the database does."""
FREQUENT = 1 / 8
"""Share of repeats from which asking and telling other processes saves more than it costs."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The event that first bore an idempotency key."""

    event_id: EventId
    incident_id: IncidentId | None


@dataclass(frozen=True, slots=True)
class Fresh:
    """The event goes on."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """The event was accepted before, as `of`."""

    of: Sighting
    reason: Reason = Reason.SAME_IDEMPOTENCY_KEY


FRESH = Fresh()


def decide(idempotency_key: str, seen: Sighting | None) -> Fresh | Repeat:
    """A repeat when the key was seen within its 24 hours; an event without a key is always fresh."""
    if not idempotency_key or seen is None:
        return FRESH
    return Repeat(seen)


def still_counts(at: Instant, now: Instant) -> bool:
    """Whether a cached key, first borne at `at`, may still be answered from the cache."""
    return now - at < REMEMBERED


def asks_others(names: float, repeats: float) -> bool:
    """Whether what other processes have seen is worth asking for: of the `names` seen lately, `repeats` were known."""
    return repeats > 0 and repeats >= names * FREQUENT


def is_resend(sequence: int, last_sequence: int) -> bool:
    """Whether a stream's event was committed before: it gets its stored disposition again."""
    return sequence <= last_sequence


def has_gap(first_sequence: int, last_sequence: int) -> bool:
    """Whether a frame begins behind events that were never committed, as when the frame before it failed. Taking it
    would make these look committed when they are sent again."""
    return first_sequence > last_sequence + 1


def is_fenced(epoch: int, current: int) -> bool:
    """Whether a newer stream of the producer has taken over."""
    return epoch < current
