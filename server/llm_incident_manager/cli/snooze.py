"""`incident snooze`: nobody is told for a while. A stretch of time counts from now, by the clock of this machine."""

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer

from llm_incident_manager.cli import aim, failures, related
from llm_incident_manager.cli.aim import Deed
from llm_incident_manager.domain import moments, time
from llm_incident_manager.domain.time import Instant

app = related.app  # each module of the group adds to that of the one before

_PART = re.compile(r"(\d+)([dhms])", re.ASCII)
_STRETCH = re.compile(r"(?:\d+[dhms])+", re.ASCII)
_UNITS = {"d": time.DAY, "h": time.HOUR, "m": time.MINUTE, "s": time.SECOND}


@aim.verb("snooze")
def snooze(
    until: Annotated[str, typer.Option("--until", help="A time such as 2026-11-23T08:00:00Z, or a date (UTC).")] = "",
    stretch: Annotated[str, typer.Option("--for", help="How long, for instance 2h, 90m or 1d12h.")] = "",
) -> Deed:
    """Tell nobody of an open incident for a while, unless it gets worse; or with --filter of all that match."""
    from llm_incident_client import pb
    from llm_incident_manager.adapters.clock import SystemClock

    moment = _moment(until, stretch, SystemClock().now())
    words = pb.ApplySnooze()
    words.until.FromDatetime(moment)
    return Deed(lambda on: on.client.snooze(on.incident_id, moment, actor=on.actor, etag=on.etag), words)


def _moment(until: str, stretch: str, now: Instant) -> datetime:
    """When the snooze ends. Raises BadUsage."""
    if bool(until) == bool(stretch):
        raise failures.BadUsage("until when? Give --until TIME or --for STRETCH, one of them")
    if stretch:
        return time.to_datetime(now) + timedelta(microseconds=span(stretch))
    try:
        return time.to_datetime(moments.parse(until).first)
    except ValueError as error:
        raise failures.BadUsage(f"--until: {error}") from error


def span(text: str, option: str = "--for") -> int:
    """Microseconds of a stretch of time such as 1d12h, that `option` was given. Raises BadUsage."""
    if not _STRETCH.fullmatch(text):
        raise failures.BadUsage(f"{option} {text!r} is no stretch of time: write for instance 2h, 90m or 1d12h")
    found = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if not 0 < found <= 3_660 * time.DAY:
        raise failures.BadUsage(f"{option} {text!r} is not between a second and ten years")
    return found
