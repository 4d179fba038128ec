"""An incident keeps the times of its life in step with its state; times are exact and never naive."""

from datetime import datetime, timedelta

import pytest

from llm_incident_manager.domain import time
from llm_incident_manager.domain.incident import Incident, Resolution, ResolutionMethod
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.time import HOUR, MINUTE, Instant
from tests.support.builders import NOW, make_incident


def at(minutes: int) -> Instant:
    return Instant(NOW + minutes * MINUTE)


def lived() -> Incident:
    """Acknowledged after five minutes, resolved after an hour, closed after two."""
    new = make_incident(created_at=NOW, resolution=Resolution("ann", ResolutionMethod.MANUAL, "", "", NOW))
    acknowledged = new.moved(State.ACKNOWLEDGED, at(5))
    return acknowledged.moved(State.RESOLVED, at(60)).moved(State.CLOSED, at(120))


def test_each_step_records_its_time_and_how_long_it_took() -> None:
    incident = lived()
    times = (incident.acknowledged_at, incident.resolved_at, incident.closed_at, incident.updated_at)
    assert times == (at(5), at(60), at(120), at(120))
    assert (incident.time_to_acknowledge, incident.time_to_resolve) == (5 * MINUTE, HOUR)


def test_nothing_has_taken_time_before_it_happened() -> None:
    incident = make_incident()
    assert (incident.time_to_acknowledge, incident.time_to_resolve) == (None, None)


def test_a_second_acknowledgement_keeps_the_time_of_the_first() -> None:
    again = lived().moved(State.IN_PROGRESS, at(130)).moved(State.ACKNOWLEDGED, at(140))
    assert again.acknowledged_at == at(5)


def test_reopening_takes_back_the_end_and_how_it_was_resolved() -> None:
    reopened = lived().moved(State.IN_PROGRESS, at(130))
    assert (reopened.resolved_at, reopened.closed_at, reopened.resolution) == (None, None, None)
    assert reopened.is_open
    assert int(reopened.etag) == int(lived().etag) + 1


def test_durations_are_whole_microseconds() -> None:
    assert time.micros(timedelta(hours=1, microseconds=1)) == HOUR + 1


def test_a_moment_without_a_zone_names_no_instant() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        time.from_datetime(datetime(2026, 11, 21))  # noqa: DTZ001 - the point of the test
