"""What detectors and guards find, as events. Builds messages; sends nothing, and judges no severity."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from llm_incident_client import pb
from llm_incident_client.core import times


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a finding is about. Findings of one kind about the same subject are one problem: they join one incident."""

    service: str = ""
    """The service that is hit first."""
    application: str = ""
    """The application or agent."""
    environment: str = ""
    """production, staging, development, …"""
    provider: str = ""
    """The model provider, for instance "openai"."""
    model: str = ""
    """The model as asked for: often an alias."""
    model_resolved: str = ""
    """The model that answered. Its date or version counts for nothing in recognising a problem."""
    deployment: str = ""
    """The deployment or endpoint of the model."""
    region: str = ""
    """The provider's region. No part of the identity."""
    template: str = ""
    """The prompt template."""

    known: Mapping[str, str] = field(init=False, repr=False, compare=False)
    """What is said, by the names of an event's fields. Made once, since a subject has many findings."""

    def __post_init__(self) -> None:
        """Remembers what is said."""
        said = {_IN_EVENTS.get(name, name): getattr(self, name) for name in _ASPECTS}
        object.__setattr__(self, "known", {name: text for name, text in said.items() if text})


_ASPECTS = tuple(one.name for one in fields(Subject) if one.init)
_IN_EVENTS = {"model": "model_requested"}
NOBODY = Subject()
"""A subject that says nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured value beside what is usual. Raises ValueError for a number that is not finite."""

    metric: str
    """Its name with its unit, for instance "latency_p95_seconds". The server's thresholds go by this name."""
    observed: float
    """What was measured."""
    baseline: float | None = None
    """What is usual, in the same unit; None when nobody knows yet."""
    limit: float | None = None
    """What was agreed, in the same unit; None without an agreement."""
    window: timedelta | None = None
    """Over which time it was measured."""
    samples: int = 0
    """Of how many single values; 0 when nobody counted."""

    def __post_init__(self) -> None:
        """Refuses NaN and infinity, which nothing can be compared with."""
        for name, value in (("observed", self.observed), ("baseline", self.baseline), ("limit", self.limit)):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} of {self.metric} is {value}: give a finite number, or leave the finding out")

    def metrics(self) -> dict[str, float]:
        """For an event: the value under its name, beside it what it is compared with as `…_baseline` and `…_limit`."""
        return metrics(self.metric, self.observed, self.baseline, self.limit, self.window, self.samples)

    def __str__(self) -> str:
        """For people: `7.2, usually 1.1`."""
        return compared(self.observed, self.baseline, self.limit)


def metrics(
    metric: str,
    observed: float,
    baseline: float | None,
    limit: float | None,
    window: timedelta | None,
    samples: int,
) -> dict[str, float]:
    """A measurement as an event's metrics; see Measured."""
    found = {metric: observed}
    if baseline is not None:
        found[f"{metric}_baseline"] = baseline
    if limit is not None:
        found[f"{metric}_limit"] = limit
    if window is not None:
        found["window_seconds"] = window.total_seconds()
    if samples:
        found["samples"] = samples
    return found


def compared(observed: float, baseline: float | None, limit: float | None) -> str:
    """For people: `7.2, usually 1.1`."""
    told = [plain(observed)]
    if baseline is not None:
        told.append(f"usually {plain(baseline)}")
    if limit is not None:
        told.append(f"agreed {plain(limit)}")
    return ", ".join(told)


def plain(value: float) -> str:
    """Six digits without an exponent: numbers in titles are recognised as such, so that they separate no problems."""
    return f"{Decimal(f'{value:.6g}'):f}"


@dataclass(slots=True, kw_only=True)
class Finding:
    """What every finding may say. A kind of finding adds its own fields, and says how they become an event.

    Not frozen, since making it is most of what reporting it costs; its event takes nothing of later changes.
    """

    subject: Subject = NOBODY
    """What it is about."""
    title: str = ""
    """One line for people; made from the values when empty. Numbers in it separate no problems, words do."""
    description: str = ""
    """More for people. No part of the identity."""
    severity: str = ""
    """In your words: P0..P4, critical, high, … The server's rules judge it when empty, and may only raise it."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Free key-value pairs."""
    event_time: datetime | None = None
    """When it was found, with a time zone; the moment of its arrival when None."""
    idempotency_key: str = ""
    """Names this very finding: a repeat within 24 hours is answered as a DUPLICATE."""
    dedup_key: str = ""
    """Names the problem: replaces what the server would recognise it by."""
    users_affected: int = 0
    """Users known to be affected."""
    runbook_url: str = ""
    """Where a responder reads what to do."""

    def event(self, source: str) -> pb.Event:
        """The event that reports it. Raises ValueError for an event_time without a time zone."""
        said: dict[str, Any] = {name: value for name, value in zip(_TOLD, _told(self), strict=True) if value}
        said |= self.subject.known
        if self.event_time is not None:
            said["event_time"] = times.timestamp(self.event_time)
        self._tell(said)
        return pb.Event(source=source, **said)

    def recovery(self, source: str) -> pb.Event:
        """The event that says it is over: it resolves the open incident that the finding opened or joined."""
        event = self.event(source)
        event.action = pb.Action.ACTION_RESOLVE
        event.idempotency_key = ""  # names the report, not its end
        return event

    def _tell(self, said: dict[str, Any]) -> None:
        """Adds the fields of an event that the kind of finding has to say; a title only if there is none."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it becomes an event")


_TOLD = tuple(one.name for one in fields(Finding) if one.name not in ("subject", "event_time"))
_told = attrgetter(*_TOLD)
