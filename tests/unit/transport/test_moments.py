"""Times and spans as JSON writes them: strict in, as protobuf prints them out."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.transport.rest.jsoncodec import moments
from llm_incident_manager.transport.rest.jsoncodec.problems import Unacceptable


@pytest.mark.parametrize(
    "value",
    [
        *("2026-11-21", "2026-11-21T20:38:51", "2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T20:60:00Z"),
        *("2026-11-21T20:38:51.1234567890Z", "20261121T203851Z", "٢026-11-21T20:38:51Z", "0000-01-01T00:00:00Z", 5, ""),
    ],
)
def test_a_time_that_is_not_rfc_3339_is_refused(value: object) -> None:
    with pytest.raises(Unacceptable):
        moments.parse_moment(value)


def test_a_time_beyond_the_calendar_once_in_utc_is_refused() -> None:
    with pytest.raises(Unacceptable) as caught:
        moments.parse_moment("0001-01-01T00:00:00+01:00")
    assert caught.value.problems[0].says == 'must lie in the years 0001 to 9999; got "0001-01-01T00:00:00+01:00"'


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("90s", 90, 0),
        ("1.5s", 1, 500_000_000),
        ("-0.000000001s", 0, -1),
        ("1h30m", 5400, 0),
        ("-1m1ms", -60, -1_000_000),
    ],
)
def test_a_span_is_read_with_any_unit(text: str, seconds: int, nanos: int) -> None:
    assert moments.parse_span(text) == {"seconds": seconds, "nanos": nanos}


@given(seconds=st.integers(-62_135_596_800, 253_402_300_799), nanos=st.sampled_from([0, 1, 10**6, 10**3, 999_999_999]))
def test_times_are_printed_as_protobuf_prints_them(seconds: int, nanos: int) -> None:
    assert moments.print_moment(seconds, nanos) == Timestamp(seconds=seconds, nanos=nanos).ToJsonString()


@pytest.mark.parametrize(
    "value", ["", "s", "1", "1x", "1s1", "-", "--1s", "+-1s", "1.s", ".5s", " 1s", "1s ", "1m-1s", 5]
)
def test_a_span_without_unit_or_sense_is_refused(value: object) -> None:
    with pytest.raises(Unacceptable):
        moments.parse_span(value)
