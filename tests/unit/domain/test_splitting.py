"""Which fingerprints go along when events leave: a sentence for each row."""

import pytest

from llm_incident_manager.domain.incident import FingerprintName
from llm_incident_manager.domain.splitting import Why, fates

A, B = FingerprintName(1, "a"), FingerprintName(1, "b")
HELD = (A, B)


@pytest.mark.parametrize(
    ("counts", "leaving", "unknown", "expected"),
    [
        # All events of one of two leave: it goes along.
        ({A: 3, B: 2}, {B: 2}, 0, [(B, True, Why.ALL_EVENTS_LEFT)]),
        # Some of its events remain.
        ({A: 3, B: 2}, {B: 1}, 0, [(B, False, Why.EVENTS_REMAIN)]),
        # An event without a body may have been its last one.
        ({A: 3, B: 2}, {B: 1}, 1, [(B, False, Why.EVENTS_UNKNOWN)]),
        # Nobody has counted its events.
        ({A: 3, B: None}, {B: 2}, 0, [(B, False, Why.EVENTS_UNKNOWN)]),
        # None of its events leaves: nothing is said of it.
        ({A: 3, B: 2}, {}, 5, []),
        # Both could go: one stays, or the incident would never see an event again.
        ({A: 1, B: 1}, {A: 1, B: 1}, 0, [(A, False, Why.EVENTS_REMAIN), (B, True, Why.ALL_EVENTS_LEFT)]),
    ],
)
def test_a_fingerprint_goes_along_only_when_all_its_events_surely_leave(
    counts: dict[FingerprintName, int | None],
    leaving: dict[FingerprintName, int],
    unknown: int,
    expected: list[tuple[FingerprintName, bool, Why]],
) -> None:
    assert [tuple(fate) for fate in fates(HELD, counts, leaving, unknown)] == expected
