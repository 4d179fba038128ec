"""The pipeline on a real embedded database with time in our hands: no threads, no ports, no waiting."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from llm_incident_manager.adapters import rulepack
from llm_incident_manager.adapters.codec.events import EventCodec
from llm_incident_manager.adapters.executor import InlineExecutor
from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.adapters.sqlite import store as sqlite
from llm_incident_manager.domain.disposition import EventResult
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import Route
from llm_incident_manager.domain.rules import MuteRule
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.sla import Target, Targets
from llm_incident_manager.domain.time import DAY, HOUR, MINUTE, SECOND, Instant
from llm_incident_manager.engines.breaker import Thresholds
from llm_incident_manager.engines.notify import RetryPolicy
from llm_incident_manager.engines.triage import Judge
from llm_incident_manager.pipeline import assembly
from llm_incident_manager.pipeline.batch import ProducerClaim, Submission
from llm_incident_manager.pipeline.breakers import Breakers
from llm_incident_manager.pipeline.numbers import Numbers
from llm_incident_manager.pipeline.outbox import Pump
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.pipeline.timers import Timers
from llm_incident_manager.pipeline.tools import Identities, Tools
from llm_incident_manager.ports.channel import Notification, Receipt
from llm_incident_manager.ports.stores import IncidentQuery, Store
from llm_incident_manager.telemetry.metrics import Metrics
from tests.support.builders import NOW, TENANT

SENT = Receipt(ok=True)

PATIENT: Targets = dict.fromkeys(Severity, Target(None, 10_000 * DAY))
"""Promises that no test breaks which is about something else."""


@dataclass
class HeldClock:
    """Stands still until it is moved."""

    at: Instant = NOW

    def now(self) -> Instant:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at = Instant(self.at + int(seconds * SECOND))

    def forward(self, micros: int) -> None:
        self.at = Instant(self.at + micros)


@dataclass
class Recorder:
    """A channel that records what it was given and answers what it is told to."""

    name: str = "recorder"
    sent: list[Notification] = field(default_factory=list)
    answers: list[Receipt] = field(default_factory=list)

    async def send(self, notification: Notification) -> Receipt:
        self.sent.append(notification)
        return self.answers.pop(0) if self.answers else SENT

    async def close(self) -> None:
        """Has nothing to give back."""


@dataclass
class World:
    """A pipeline and everything around it."""

    store: Store
    clock: HeldClock
    tools: Tools
    channel: Recorder

    async def submit(self, *events: Event, producer: ProducerClaim | None = None) -> Sequence[EventResult]:
        """Results of events that arrive together. Raises what the submission ended with."""
        submission = Submission(TENANT, "dev", events, self.clock.now(), producer=producer)
        await self.submit_all(submission)
        if submission.error is not None:
            raise submission.error
        return submission.results

    async def submit_all(self, *submissions: Submission) -> None:
        """Several submissions in one batch."""
        runner = Runner(self.tools)
        for submission in submissions:
            runner.prepare(submission)
        await runner.commit(submissions)

    async def settle(self) -> None:
        """Everything that is due after the commit is done."""
        handlers = (*assembly.AFTER_COMMIT, *assembly.EFFECTS)
        timers = Timers(self.tools, "test")
        pumps = [Pump(handler, self.tools, "test", lambda: False) for handler in handlers]
        while await timers.once() + sum([await pump.once() for pump in pumps]):
            pass

    async def incidents(self) -> Sequence[Incident]:
        """All incidents, oldest first."""
        found = await self.store.incidents(IncidentQuery(TENANT, limit=1_000))
        return sorted(found, key=lambda incident: incident.id)

    async def incident(self) -> Incident:
        """The only incident."""
        (only,) = await self.incidents()
        return only


@asynccontextmanager
async def a_world(
    *,
    fingerprints: bool = True,
    mutes: tuple[MuteRule, ...] = (),
    min_severity: Severity = Severity.P3,
    sla: Targets = PATIENT,
    store: Store | None = None,
) -> AsyncIterator[World]:
    """A world with an empty database, or on a store that whoever opened it closes."""
    opened = store or await sqlite.open_store(sqlite.Options(None, InlineExecutor), Uuid7().new(NOW), NOW)
    try:
        yield world_on(opened, fingerprints=fingerprints, mutes=mutes, min_severity=min_severity, sla=sla)
    finally:
        if store is None:
            await opened.close()


def world_on(
    store: Store,
    *,
    fingerprints: bool = True,
    mutes: tuple[MuteRule, ...] = (),
    min_severity: Severity = Severity.P3,
    sla: Targets = PATIENT,
) -> World:
    """A world around a store."""
    clock, ids, channel, metrics = HeldClock(), Uuid7(), Recorder(), Metrics("test")
    tools = Tools(
        store=store,
        clock=clock,
        ids=ids,
        codec=EventCodec(),
        numbers=Numbers(store, at_once=2),
        identities=Identities(enabled=fingerprints, new_id=lambda: ids.new(clock.now())),
        judge=Judge(rulepack.load()),
        metrics=metrics,
        window=15 * MINUTE,
        historical_after=HOUR,
        route=Route("default", (channel.name,), min_severity),
        retry=RetryPolicy(),
        channels={channel.name: channel},
        breakers=Breakers(clock, Thresholds(), metrics),
        mutes=mutes,
        sla=sla,
    )
    return World(store, clock, tools, channel)
