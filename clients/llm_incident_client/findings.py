"""What detectors and guards find, as events. Builds messages; sends nothing, and judges no severity."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

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

    def fill(self, event: pb.Event) -> None:
        """Writes itself into an event."""
        event.service, event.application, event.environment = self.service, self.application, self.environment
        event.provider, event.deployment, event.region = self.provider, self.deployment, self.region
        event.model_requested, event.model_resolved, event.template = self.model, self.model_resolved, self.template


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
        for name in ("observed", "baseline", "limit"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} of {self.metric} is {value}: give a finite number, or leave the finding out")

    @property
    def excess(self) -> float | None:
        """How far above its baseline it is, as a share of the baseline: 1.0 is twice as much; None without one."""
        return None if not self.baseline else self.observed / self.baseline - 1.0

    def fill(self, event: pb.Event) -> None:
        """Writes itself into an event's metrics, beside the metric as `…_baseline`, `…_limit` and so on."""
        event.metrics[self.metric] = self.observed
        if self.baseline is not None:
            event.metrics[f"{self.metric}_baseline"] = self.baseline
        if self.limit is not None:
            event.metrics[f"{self.metric}_limit"] = self.limit
        if self.window is not None:
            event.metrics["window_seconds"] = self.window.total_seconds()
        if self.samples:
            event.metrics["samples"] = self.samples

    def __str__(self) -> str:
        """For people: `7.2, usually 1.1`."""
        told = [plain(self.observed)]
        if self.baseline is not None:
            told.append(f"usually {plain(self.baseline)}")
        if self.limit is not None:
            told.append(f"agreed {plain(self.limit)}")
        return ", ".join(told)


def plain(value: float) -> str:
    """Six digits without an exponent: numbers in titles are recognised as such, so that they separate no problems."""
    return f"{Decimal(f'{value:.6g}'):f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What every finding may say. A kind of finding adds its own fields, and says how they become an event."""

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
        event = pb.Event(
            source=source,
            title=self.title,
            description=self.description,
            severity=self.severity,
            labels=self.labels,
            idempotency_key=self.idempotency_key,
            dedup_key=self.dedup_key,
            users_affected=self.users_affected,
            runbook_url=self.runbook_url,
        )
        if self.event_time is not None:
            event.event_time.CopyFrom(times.timestamp(self.event_time))
        self.subject.fill(event)
        self._fill(event)
        return event

    def recovery(self, source: str) -> pb.Event:
        """The event that says it is over: it resolves the open incident that the finding opened or joined."""
        event = self.event(source)
        event.action = pb.Action.ACTION_RESOLVE
        event.idempotency_key = ""  # names the report, not its end
        return event

    def _fill(self, event: pb.Event) -> None:
        """Writes what the kind of finding adds; the title only if there is none."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it becomes an event")
