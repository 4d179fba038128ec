"""What is let in when it is tight: one table for the buffer, one for calls, and the quota of a tenant over time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.adapters import rulepack
from llm_incident_manager.domain import rates
from llm_incident_manager.domain.rates import EMPTY_STATE, Rate
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines import admission
from llm_incident_manager.engines.admission import Held, Priority, Quota, Reason, Room
from llm_incident_manager.engines.triage import Judge
from tests.support.builders import make_event

ROOM = Room(events=100, size=1_000, reserve=0.2)
URGENT, NORMAL, DEFERRABLE = Priority.URGENT, Priority.NORMAL, Priority.DEFERRABLE


@pytest.mark.parametrize(
    ("severities", "urgency"),
    [
        ((), NORMAL),
        (("P2", "P4"), NORMAL),
        (("P1",), URGENT),
        (("P3", "P0", "P3"), URGENT),
        (("catastrophic",), NORMAL),
    ],
)
def test_events_are_as_urgent_as_the_worst_of_them(severities: tuple[str, ...], urgency: Priority) -> None:
    judge = Judge(rulepack.load())
    judged = [judge.decide(make_event(severity=word, kind="")) for word in severities]
    assert admission.priority(min((each.severity for each in judged), default=Severity.P4)) is urgency


def test_the_rules_make_an_event_urgent_that_its_sender_calls_harmless() -> None:
    judge = Judge(rulepack.load())
    kind = next(kind for kind, rule in judge.pack.kinds.items() if rule.floor is not None and rule.floor <= Severity.P1)
    assert admission.priority(judge.decide(make_event(severity="P4", kind=kind)).severity) is URGENT


@pytest.mark.parametrize(
    ("held", "events", "size", "urgency", "refused"),
    [
        (Held(0, 0, 0), 500, 5_000, NORMAL, None),  # an empty buffer takes anything, or it would never be taken
        (Held(70, 0, 0), 10, 0, NORMAL, None),
        (Held(70, 0, 0), 11, 0, NORMAL, Reason.BUFFER),  # from here on the reserve
        (Held(80, 0, 0), 20, 0, URGENT, None),
        (Held(80, 0, 0), 21, 0, URGENT, Reason.BUFFER),
        (Held(1, 700, 0), 1, 101, NORMAL, Reason.BYTES),
        (Held(1, 700, 0), 1, 101, URGENT, None),
        (Held(72, 0, 72), 1, 0, NORMAL, Reason.TENANT_SHARE),  # eight times of what is free is less than it would hold
        (Held(72, 0, 55), 1, 0, NORMAL, None),
        (Held(72, 0, 0), 8, 0, NORMAL, None),  # who holds nothing only needs room
        (Held(95, 0, 95), 1, 0, URGENT, Reason.TENANT_SHARE),
    ],
)
def test_the_buffer(held: Held, events: int, size: int, urgency: Priority, refused: Reason | None) -> None:
    assert admission.into_buffer(ROOM, held, events, size, urgency) is refused


@pytest.mark.parametrize(("active", "takes"), [(59, 3), (60, 2), (79, 2), (80, 1), (99, 1), (100, 0)])
def test_calls_stop_in_the_order_of_their_priority(active: int, takes: int) -> None:
    taken = [each for each in (URGENT, NORMAL, DEFERRABLE) if admission.among_calls(100, active, each, 0.2) is None]
    assert taken == [URGENT, NORMAL, DEFERRABLE][:takes]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 30), st.booleans()), max_size=60))
def test_a_newcomer_always_finds_room_beside_a_flood_and_the_bound_holds(sent: list[tuple[int, int, bool]]) -> None:
    room, holds = Room(10_000, 10**9, 0.2), dict.fromkeys(range(4), 0)
    for tenant, hundreds, urgent in sent:
        total, urgency = sum(holds.values()), URGENT if urgent else NORMAL
        if admission.into_buffer(room, Held(total, 0, holds[tenant]), 100 * hundreds, 0, urgency) is None:
            holds[tenant] += 100 * hundreds
    assert sum(holds.values()) <= room.events
    flood = max(holds.values())
    if flood == sum(holds.values()) > 0:  # one tenant alone did all it could
        assert admission.into_buffer(room, Held(flood, 0, 0), 10, 0, URGENT) is None


@pytest.mark.parametrize(
    ("backlog", "rate", "jitter", "seconds"),
    [
        (1_000, 500.0, 0.0, 2.0),
        (1_000, 500.0, 1.0, 3.0),
        (1, 1e6, 0.0, 0.1),
        (10**9, 1.0, 0.5, 30.0),
        (9, 0.0, 0.0, 1.0),
    ],
)
def test_the_hint_is_the_backlog_at_the_rate_it_empties(
    backlog: int, rate: float, jitter: float, seconds: float
) -> None:
    assert admission.come_back_in(backlog, rate, jitter) == seconds


@pytest.mark.parametrize(
    ("quota", "urgency", "burst"),
    [
        (Quota(100), NORMAL, 100),
        (Quota(100), URGENT, 200),
        (Quota(1_000, burst_seconds=0.1), NORMAL, 100),
        (Quota(0.5), NORMAL, 1),  # one event has to be possible
    ],
)
def test_a_quota_is_a_rate_with_a_seconds_worth_at_once_and_another_one_for_what_is_urgent(
    quota: Quota, urgency: Priority, burst: int
) -> None:
    assert admission.rate(quota, urgency) == Rate(quota.rate, burst)


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 50), st.booleans()), min_size=1, max_size=100))
def test_no_tenant_gets_more_than_its_rate_and_a_burst_and_another_one_for_what_is_urgent(
    arrivals: list[tuple[float, int, bool]],
) -> None:
    quota, state, passed, granted = Quota(100), EMPTY_STATE, 0.0, {NORMAL: 0, URGENT: 0}
    for pause, events, urgent in arrivals:
        passed += pause
        urgency = URGENT if urgent else NORMAL
        now = Instant(1_000 * SECOND + round(passed * SECOND))
        permit, state = rates.take(state, now, admission.rate(quota, urgency), events)
        granted[urgency] += events * permit.allowed
    assert granted[NORMAL] <= 100 * passed + 100 + 1e-3
    assert sum(granted.values()) <= 100 * passed + 200 + 1e-3
