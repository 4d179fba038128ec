"""Moments and stretches of time as the contract has them."""

from datetime import datetime, timedelta

from llm_incident_client import pb


def timestamp(moment: datetime) -> pb.Timestamp:
    """The timestamp of an aware datetime. Raises ValueError for one without a time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone: add one, for instance tzinfo=UTC")
    stamp = pb.Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def maybe_timestamp(moment: datetime | None) -> pb.Timestamp | None:
    """The same, or None: an absent field."""
    return None if moment is None else timestamp(moment)


def duration(stretch: timedelta) -> pb.Duration:
    """The duration of a stretch of time."""
    found = pb.Duration()
    found.FromTimedelta(stretch)
    return found
