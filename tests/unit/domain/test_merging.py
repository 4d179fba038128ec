"""What a merge adds, taking it apart takes away again."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain import merging
from llm_incident_manager.domain.incident import FingerprintName, Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import HOUR, Instant
from tests.support.builders import NOW, make_incident

MOMENTS = st.integers(-HOUR, 0).map(lambda micros: Instant(NOW + micros))
LATER = Instant(NOW + HOUR)


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    first, last = sorted((draw(MOMENTS), draw(MOMENTS)))
    return make_incident(
        severity=draw(st.sampled_from(Severity)),
        state=draw(st.sampled_from([State.NEW, State.ACKNOWLEDGED, State.IN_PROGRESS, State.ESCALATED])),
        event_count=draw(st.integers(0, 50)),
        tokens=draw(st.integers(0, 1000)),
        users_affected=draw(st.integers(0, 9)),
        first_seen=first,
        last_seen=last,
    )


def counters(incident: Incident) -> tuple[object, ...]:
    return (incident.event_count, incident.tokens, *incident.extremes)


@given(incidents(), st.lists(incidents(), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_whatever_order_sources_leave_in_the_target_is_what_it_was(
    target: Incident, sources: list[Incident], chance: Random
) -> None:
    merged = merging.joined(target, sources, LATER)
    assert merged.event_count == target.event_count + sum(each.event_count for each in sources)
    assert merged.severity == min(each.severity for each in (target, *sources))
    assert merged.held == (*target.held, *(name for each in sources for name in each.held))
    closed = [merging.ended(each, target.id, merging.counts_of(each, {}), LATER) for each in sources]
    chance.shuffle(closed)
    while closed:
        leaving = closed.pop()
        merged = merging.parted(merged, leaving, closed, LATER)
    assert counters(merged) == counters(target)
    assert (merged.keys, merged.unmerge) == ((), None)


@given(incidents())
def test_a_source_comes_back_in_the_state_it_had(source: Incident) -> None:
    closed = merging.ended(source, make_incident().id, merging.counts_of(source, {}), LATER)
    assert (closed.state, closed.closed_at) == (State.CLOSED, LATER)
    back = merging.returned(closed, LATER)
    assert (back.state, back.merged_into, back.closed_at, back.unmerge) == (source.state, None, None, None)
    assert counters(back) == counters(source)
    assert back.revision == source.revision + 2


def test_fingerprints_of_several_are_counted_as_far_as_somebody_did() -> None:
    one, other = FingerprintName(1, "one"), FingerprintName(1, "other")
    incident = make_incident(keys=(one, other), event_count=9)
    assert merging.counts_of(incident, {one: 4}) == {one: 4, other: None}
