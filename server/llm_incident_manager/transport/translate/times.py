"""Timestamps and durations."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from llm_incident_manager.domain.time import SECOND, Instant


def instant(timestamp: Timestamp) -> Instant:
    """Microseconds; nanoseconds are cut off."""
    return Instant(timestamp.seconds * SECOND + timestamp.nanos // 1000)


def timestamp(moment: Instant) -> Timestamp:
    """The timestamp of an instant."""
    seconds, rest = divmod(moment, SECOND)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def maybe_timestamp(moment: Instant | None) -> Timestamp | None:
    """The timestamp, or None: an absent field."""
    return None if moment is None else timestamp(moment)


def duration(micros: int) -> Duration:
    """The duration of that many microseconds."""
    seconds, rest = divmod(micros, SECOND)
    return Duration(seconds=seconds, nanos=rest * 1000)
