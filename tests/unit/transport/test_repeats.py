"""Events that share fields are read faster only while enough of them do, and what is remembered is bounded."""

from incidentmanager.v1 import event_pb2

from llm_incident_manager.transport.handlers.validity import Repeats, valid_event
from tests.support.builders import NOW

LIMIT = 5


def reported(title: str, **fields: object) -> event_pb2.Event:
    return event_pb2.Event(source="sentinel", title=title, **fields)  # type: ignore[arg-type]  # names of its fields


def shares(repeats: Repeats, message: event_pb2.Event) -> bool:
    """Whether the reader knew what the message shares with others, which it then is left with."""
    expected = valid_event(message, NOW)
    assert repeats.valid_event(message, NOW) == expected
    return not message.title


def test_a_second_event_is_known_by_what_it_shares_with_the_first() -> None:
    repeats = Repeats(LIMIT)
    assert [shares(repeats, reported(title)) for title in ("one", "two", "three")] == [False, True, True]
    assert not shares(repeats, reported("four", severity="high"))


def test_it_stops_looking_where_nothing_is_shared_and_looks_again_later() -> None:
    repeats = Repeats(LIMIT)
    for number in range(LIMIT + 1):
        assert not shares(repeats, reported("one", labels={"pod": str(number)}))
    looked = [shares(repeats, reported("one", labels={"pod": "last"})) for _ in range(10 * LIMIT + 2)]
    assert looked == [False] * (10 * LIMIT + 1) + [True]


def test_it_goes_on_looking_where_more_is_found_than_not() -> None:
    repeats = Repeats(LIMIT)
    for number in range(3 * LIMIT):
        pod = {"pod": str(number)}
        assert [shares(repeats, reported("one", labels=pod)) for _ in range(3)] == [False, True, True]


def test_large_events_are_not_remembered() -> None:
    repeats = Repeats(LIMIT)
    labels = {f"name-{number}": "x" * 100 for number in range(20)}
    assert [shares(repeats, reported("one", labels=labels)) for _ in range(3)] == [False] * 3
