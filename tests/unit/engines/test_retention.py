"""What retention decides: what is past its time, what goes early, and what no limit touches."""

from llm_incident_manager.domain.retention import Expiring
from llm_incident_manager.domain.time import DAY, Instant
from llm_incident_manager.engines.retention import Policy, by_age, by_size, passed

NOW = Instant(1_000 * DAY)
BODIES, EVENTS, CHANGES = Expiring.BODIES, Expiring.EVENTS, Expiring.CHANGES


def test_nothing_is_past_its_time_when_everything_is_kept() -> None:
    assert by_age(Policy(), NOW) == ()
    assert by_size(Policy(), NOW, 10**15) == ()


def test_each_length_decides_about_its_own_records() -> None:
    expired = [(e.what, NOW - e.before) for e in by_age(Policy(30 * DAY, 90 * DAY, 365 * DAY), NOW)]
    assert expired[:3] == [(BODIES, 30 * DAY), (EVENTS, 30 * DAY), (CHANGES, 30 * DAY)]
    assert expired[3:] == [(Expiring.INCIDENTS, 90 * DAY), (Expiring.AUDIT, 365 * DAY)]
    assert [e.what for e in by_age(Policy(incidents=DAY), NOW)] == [Expiring.INCIDENTS]
    assert [e.what for e in by_age(Policy(audit=DAY), NOW)] == [Expiring.AUDIT]


def test_what_goes_says_which_setting_wants_it() -> None:
    assert by_age(Policy(events=7 * DAY), NOW)[0].reason == "retention.events_days: older than 7 days"
    assert by_size(Policy(most_bytes=100), NOW, 101)[0].reason == "retention.max_bytes: 101 bytes used, 100 allowed"


def test_age_does_not_ask_for_the_size() -> None:
    assert {e.above for e in by_age(Policy(DAY, DAY, DAY, 100), NOW)} == {0}


def test_a_full_disk_loses_bodies_first_then_rows_that_nobody_resends_down_to_the_low_water_mark() -> None:
    policy = Policy(most_bytes=1_000)
    assert by_size(policy, NOW, 1_000) == ()
    bodies, rows = by_size(policy, NOW, 1_001)
    assert (bodies.what, bodies.before, bodies.above) == (BODIES, NOW, 900)
    assert (rows.what, rows.before, rows.above) == (Expiring.FINISHED_EVENTS, NOW - DAY, 900)


def test_an_event_has_passed_only_when_there_is_a_limit_and_it_is_older() -> None:
    assert passed(Policy(events=DAY), Instant(NOW - DAY - 1), NOW)
    assert not passed(Policy(events=DAY), Instant(NOW - DAY), NOW)
    assert not passed(Policy(incidents=DAY), Instant(0), NOW)
