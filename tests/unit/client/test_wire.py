"""Frames put together by hand are the bytes that protobuf itself would write."""

from hypothesis import given
from hypothesis import strategies as st

from llm_incident_client import pb
from llm_incident_client.core import wire

TITLES = st.one_of(st.text(max_size=40), st.integers(4000, 4200).map(lambda size: "x" * size), st.just("y" * 70_000))


@given(first=st.integers(1, 2**62), titles=st.lists(TITLES, max_size=20))
def test_a_frame_of_serialised_events_is_the_message_protobuf_would_write(first: int, titles: list[str]) -> None:
    events = [pb.Event(source="s", title=title) for title in titles]
    built = wire.frame(first, [event.SerializeToString() for event in events])
    expected = pb.StreamEventsRequest(frame=pb.EventFrame(first_sequence=first, events=events))
    assert built == expected.SerializeToString()


def test_the_opening_names_the_producer() -> None:
    request = pb.StreamEventsRequest.FromString(wire.opening("edge-7"))
    assert request.open.producer_id == "edge-7"
