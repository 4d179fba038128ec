"""What a timer that is due means, and when what failed is tried again."""

import pytest

from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.time import HOUR, SECOND, Instant
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.engines import timer
from llm_incident_manager.engines.timer import Lapse, Wake, Why
from tests.support.builders import NOW, make_incident


@pytest.mark.parametrize(
    ("fields", "late", "expected"),
    [
        # On time, or nearly so, nobody has to hear of it.
        ({"snoozed_until": NOW}, 0, Wake(0)),
        ({"snoozed_until": NOW}, 2 * SECOND, Wake(0)),
        # After an outage it means the same, and tells how late it was.
        ({"snoozed_until": NOW}, HOUR, Wake(HOUR)),
        # What was ended or woken meanwhile needs nothing.
        ({"snoozed_until": NOW, "state": State.RESOLVED}, 0, Lapse(Why.INCIDENT_OVER)),
        ({"snoozed_until": None}, 0, Lapse(Why.NOT_SNOOZED)),
    ],
)
def test_a_snooze_timer(fields: dict[str, object], late: int, expected: timer.Decision) -> None:
    assert timer.decide(TimerKind.SNOOZE, NOW, make_incident(**fields), Instant(NOW + late)) == expected


def test_a_timer_of_an_incident_that_is_gone_means_nothing() -> None:
    assert timer.decide(TimerKind.SNOOZE, NOW, None, NOW) == Lapse(Why.INCIDENT_GONE)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (2, 2), (5, 16), (12, 2_048), (13, 3_600), (999, 3_600)])
def test_waits_double_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert timer.again(attempts, NOW) == NOW + seconds * SECOND
