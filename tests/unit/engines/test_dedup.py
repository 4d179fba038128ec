"""What counts as accepted before: a known idempotency key, a number already committed, a stream that was overtaken."""

import pytest

from llm_incident_manager.domain.disposition import Reason
from llm_incident_manager.domain.ids import EventId, IncidentId
from llm_incident_manager.domain.time import HOUR, Instant
from llm_incident_manager.engines import dedup

SEEN = dedup.Sighting(EventId("e"), IncidentId("i"))


def test_a_key_that_was_seen_makes_a_repeat_of_its_first_event() -> None:
    assert dedup.decide("k", SEEN) == dedup.Repeat(SEEN, Reason.SAME_IDEMPOTENCY_KEY)


@pytest.mark.parametrize(("key", "seen"), [("k", None), ("", None), ("", SEEN)], ids=["new key", "no key", "empty key"])
def test_an_event_without_a_known_key_is_fresh(key: str, seen: dedup.Sighting | None) -> None:
    assert dedup.decide(key, seen) == dedup.FRESH


@pytest.mark.parametrize(("sequence", "last", "resend"), [(1, 0, False), (7, 7, True), (6, 7, True), (8, 7, False)])
def test_a_resend_is_what_lies_at_or_below_the_last_sequence(sequence: int, last: int, resend: bool) -> None:
    assert dedup.is_resend(sequence, last) is resend


@pytest.mark.parametrize(("first", "last", "gap"), [(1, 0, False), (5, 7, False), (8, 7, False), (9, 7, True)])
def test_a_frame_that_skips_a_number_has_a_gap(first: int, last: int, gap: bool) -> None:
    assert dedup.has_gap(first, last) is gap


@pytest.mark.parametrize(("epoch", "current", "fenced"), [(1, 2, True), (2, 2, False), (3, 2, False)])
def test_a_stream_is_fenced_once_a_newer_one_opened(epoch: int, current: int, fenced: bool) -> None:
    assert dedup.is_fenced(epoch, current) is fenced


def test_a_cached_key_counts_for_less_long_than_the_database_keeps_it() -> None:
    assert dedup.still_counts(Instant(0), Instant(23 * HOUR - 1))
    assert not dedup.still_counts(Instant(0), Instant(23 * HOUR))


@pytest.mark.parametrize(
    ("names", "repeats", "asks"),
    [(0, 0, False), (1_000, 0, False), (1_000, 124, False), (1_000, 125, True), (1, 1, True)],
    ids=["nothing yet", "nobody repeats", "repeats are rare", "one in eight", "all"],
)
def test_others_are_asked_while_repeats_are_frequent(names: float, repeats: float, asks: bool) -> None:
    assert dedup.asks_others(names, repeats) is asks
