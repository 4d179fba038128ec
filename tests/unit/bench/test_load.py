"""What the benchmarks send is what they claim, and their arithmetic is right."""

import json
from itertools import islice

from google.protobuf import json_format
from incidentmanager.v1 import event_pb2, ingest_service_pb2

from bench import benches, calls, events, frames, recorder, requests
from bench.recorder import Spec
from llm_incident_manager.domain.fingerprint import normalise_text
from llm_incident_manager.transport import contract

STORM = events.Mix(new_every=100)
ALL_NEW = events.Mix(new_every=1)


def sent(mix: events.Mix, count: int) -> list[event_pb2.Event]:
    return [event_pb2.Event.FromString(data) for data in islice(events.as_proto(mix), count)]


def test_every_event_of_the_new_mix_has_a_title_of_its_own_after_normalisation() -> None:
    assert len({normalise_text(event.title) for event in sent(ALL_NEW, 5_000)}) == 5_000


def test_one_event_of_a_hundred_of_a_storm_is_new_to_the_pool() -> None:
    pool = {normalise_text(events.phrase(number)) for number in range(events.POOL)}
    titles = [normalise_text(event.title).removesuffix(" after <n>") for event in sent(STORM, 5_000)]
    assert sum(title not in pool for title in titles) == 50


def test_idempotency_keys_differ() -> None:
    keys = {event.idempotency_key for event in sent(events.Mix(100, keys=True), 1_000)}
    assert len(keys) == 1_000
    assert {event.idempotency_key for event in sent(STORM, 100)} == {""}


def test_events_are_valid_and_of_realistic_size() -> None:
    check = contract.checkers()["incidentmanager.v1.IngestService/SubmitEvent"]
    made = sent(STORM, 300)
    assert [check(ingest_service_pb2.SubmitEventRequest(event=event)) for event in made] == [()] * 300
    assert 250 < sum(event.ByteSize() for event in made) / 300 < 400


def test_rest_sends_the_events_that_grpc_sends() -> None:
    for as_json, expected in zip(islice(events.as_json(STORM), 50), sent(STORM, 50), strict=True):
        event = json_format.ParseDict(json.loads(as_json), event_pb2.Event())
        event.event_time.CopyFrom(expected.event_time)  # made a moment later
        assert event == expected


def test_frames_go_to_the_streams_in_turn_and_number_events_without_a_gap() -> None:
    dealt = frames.prepare(Spec("frames", events=60, frame_events=10, streams=2))
    for stream, firsts in zip(dealt, ((0, 20, 40), (10, 30, 50)), strict=True):
        read = [ingest_service_pb2.StreamEventsRequest.FromString(frame.data).frame for frame in stream]
        assert [frame.first_sequence for frame in read] == [1, 11, 21]
        assert [len(frame.events) for frame in read] == [10, 10, 10]
        assert tuple(frame.first for frame in stream) == firsts


def test_a_call_is_a_request_of_the_contract() -> None:
    (data,) = calls.prepare(Spec("unary", events=1))
    assert ingest_service_pb2.SubmitEventRequest.FromString(data).event.title == sent(STORM, 1)[0].title


def test_a_request_says_its_length() -> None:
    (data,) = requests.prepare(Spec("rest", events=1))
    head, _, body = data.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head


def test_quantiles_weigh_their_samples() -> None:
    assert recorder.quantiles([(3.0, 1), (1.0, 98), (2.0, 1)]) == [1.0, 1.0, 2.0]
    assert recorder.quantiles([(float(n), 1) for n in range(1, 101)]) == [50.0, 95.0, 99.0]
    assert recorder.quantiles([]) == []


def test_only_what_is_answered_inside_the_window_counts_for_the_rate() -> None:
    seen = recorder.Recorder(starts=10.0, ends=20.0)
    seen.done(9.9, [(9.0, 5)])
    seen.done(10.5, [(9.9, 3)])
    seen.done(21.0, [(19.0, 2)])
    result = seen.result()
    assert (result["acknowledged"], result["in_window"], result["seconds"]) == (10, 3, 10.0)
    assert result["milliseconds"] == [2000.0, 2000.0, 2000.0]


def test_a_figure_brings_the_floor_it_is_held_against() -> None:
    assert benches.with_floors(["rest_single", "start"]) == ["start", "floor_rest", "rest_single"]
