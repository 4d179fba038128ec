"""Turns event messages into submissions: checks each, remembers what was rejected, puts results in order."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from operator import attrgetter
from time import perf_counter  # a stop-watch for metrics, not a source of time
from typing import Any

from google.protobuf.message import DecodeError, Message
from incidentmanager.v1 import event_pb2, ingest_service_pb2

from llm_incident_manager.domain import scope
from llm_incident_manager.domain.access import EVERYWHERE, Condition
from llm_incident_manager.domain.disposition import Disposition, EventResult, Reason, Violation
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.engines.admission import Priority
from llm_incident_manager.pipeline.batch import ProducerClaim, Submission
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport import inspect
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.checker import compile_checker, compile_twin
from llm_incident_manager.transport.handlers import glance, validity
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import events as translate
from llm_incident_manager.usecases.caller import Caller

CheckEvent = Callable[[Any], tuple[Violation, ...]]
Read = Callable[[event_pb2.Event, Instant], Event | None]
_check_submit = compile_checker(ingest_service_pb2.SubmitEventRequest.DESCRIPTOR)
_check_batch = compile_checker(ingest_service_pb2.SubmitEventsRequest.DESCRIPTOR)
_words = attrgetter("source", "kind", "severity")
_attributes, _metrics = attrgetter("attributes"), attrgetter("metrics")
MOST_CHECKED = 1_001
"""Events of a batch; one more than any may have."""
_is_broken_beside = compile_twin(ingest_service_pb2.SubmitEventRequest.DESCRIPTOR, frozenset({"event"}))


class Reception:
    """Turns messages into submissions: checks each event, remembers what was rejected, puts results in order."""

    def __init__(self, services: Services, check: CheckEvent) -> None:
        """`check` is the compiled checker of Event."""
        self._on = services
        self._check = check
        self.repeats = validity.Repeats()

    def sort(
        self, messages: Sequence[event_pb2.Event], condition: Condition, read: Read = validity.valid_event
    ) -> tuple[list[Event], list[int], dict[int, EventResult]]:
        """Valid events that the condition covers, with their places, and the results of the others by place. `read` is
        `valid_event` or, for messages that nobody looks at afterwards, that of Repeats."""
        now = self._on.clock.now()
        valid: list[Event] = []
        places: list[int] = []
        rejected: dict[int, EventResult] = {}
        for place, message in enumerate(messages):
            event = read(message, now)
            if event is None:
                rejected[place] = translate.rejected(self._violations(message))
            elif condition.narrows and (outside := scope.outside(condition, event.service, event.labels)) is not None:
                rejected[place] = translate.rejected((outside,), Reason.NOT_COVERED)
            else:
                valid.append(event)
                places.append(place)
        if rejected:
            self._on.metrics.events_decided(Disposition.REJECTED.name, len(rejected))
        return valid, places, rejected

    def _violations(self, message: event_pb2.Event) -> tuple[Violation, ...]:
        return (*self._check(message), *translate.missing(message), *inspect.violations(message))

    def announced(self, call: Call, messages: Sequence[Any]) -> AbstractAsyncContextManager[None]:
        """Before events are looked at closely. Refuses those that there is no room for, if a glance tells that none is
        urgent. Raises Overloaded."""
        return self._on.batcher.announced(call.caller.tenant, len(messages), lambda: self._are_calm(messages))

    def look_at(self, call: Call, message: event_pb2.Event) -> None:
        """As `announced`, for a single event, at which nobody has to wait to look. Raises Overloaded."""
        self._on.batcher.turn_away(call.caller.tenant, 1, lambda: self._are_calm((message,)))

    def glance(self, call: Call, data: bytes) -> None:
        """Before a SubmitEvents request is decoded: as `announced`, for a fifth of the work. Raises Overloaded."""
        batcher, tenant = self._on.batcher, call.caller.tenant
        if batcher.has_room(tenant, MOST_CHECKED):
            return
        try:
            number, events = glance.count(data)
        except DecodeError:
            return  # whoever decodes it says so
        batcher.turn_away(tenant, number, lambda: glance.is_calm(events, self._on.tools.judge.floor))

    def _are_calm(self, messages: Sequence[Any]) -> bool:
        """Reads as little as can be, and of events that say the same only one."""
        floor = self._on.tools.judge.floor
        if any(floor(*words) <= Severity.P1 for words in set(map(_words, messages))):
            return False
        return not (any(map(_attributes, messages)) or any(map(_metrics, messages)))

    def submission(
        self, call: Call, events: Sequence[Event], message: Message, producer: ProducerClaim | None = None
    ) -> Submission:
        """What goes to the pipeline; `message` is what the events came in."""
        caller, now = call.caller, self._on.clock.now()
        trace, size = call.traceparent, message.ByteSize()
        made = Submission(caller.tenant, caller.subject, events, now, trace, producer, size=size, proof=caller.proof)
        made.condition = caller.condition
        return made

    async def commit(self, submission: Submission) -> Sequence[EventResult]:
        """Results after the commit."""
        started = perf_counter()
        await self._on.batcher.submit(submission)
        self._on.metrics.acknowledged(perf_counter() - started)
        return submission.results

    @asynccontextmanager
    async def admitted(self, submission: Submission) -> AsyncIterator[None]:
        """While a unit of work takes the submission, which it prepares. What is urgent needs no place. Raises
        Overloaded."""
        self._on.runner.prepare(submission)
        async with self._on.batcher.admitted(submission):
            if submission.priority is Priority.URGENT:
                yield
                return
            async with self._on.door.writes.place(submission.priority):
                yield

    async def decide(self, tx: Transaction, submission: Submission, changes: Changes) -> Sequence[EventResult]:
        """Results of an admitted submission inside a unit of work, which also keeps the answer to a request id."""
        await self._on.runner.decide(tx, [submission], changes)
        if submission.error is not None:
            raise submission.error
        return submission.results

    def count(self, submission: Submission) -> None:
        """Counts what a unit of work has accepted, once it is committed."""
        dispositions = Counter(result.disposition for result in submission.results)
        self._on.runner.count(len(submission.events), dispositions, dispositions[Disposition.NEW])


def unnarrowed(call: Call) -> Caller:
    """Who asks, for a unit of work in which the pipeline decides: it looks after the condition event by event, and has
    to see what holds a fingerprint."""
    return replace(call.caller, condition=EVERYWHERE)


def submit_violations(request: ingest_service_pb2.SubmitEventRequest) -> tuple[Violation, ...]:
    """Everything that is wrong with a SubmitEvent request, what its event lacks included."""
    lacks = (*translate.missing(request.event), *inspect.violations(request.event)) if request.HasField("event") else ()
    named = tuple(Violation(f"event.{lack.field}", f"event.{lack.message}", lack.rule) for lack in lacks)
    return (*_check_submit(request), *named)


def check_submit(request: ingest_service_pb2.SubmitEventRequest) -> tuple[Violation, ...]:
    """What is wrong beside the event, and then with the event too; the handler judges the event as it translates it."""
    return () if request.HasField("event") and not _is_broken_beside(request) else submit_violations(request)


def check_batch(request: ingest_service_pb2.SubmitEventsRequest) -> tuple[Violation, ...]:
    """What is wrong with a SubmitEvents request. Of far too many events no more are looked at than show that."""
    if len(request.events) > MOST_CHECKED:
        request = ingest_service_pb2.SubmitEventsRequest(events=request.events[:MOST_CHECKED])
    return _check_batch(request)


def merged(
    count: int, places: Sequence[int], results: Sequence[EventResult], rejected: dict[int, EventResult]
) -> list[EventResult]:
    """One result for each of `count` events, in their order."""
    if not rejected:
        return list(results)
    accepted = dict(zip(places, results, strict=True))
    return [rejected[place] if place in rejected else accepted[place] for place in range(count)]
