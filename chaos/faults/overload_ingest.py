"""Fault 26: more events than the server can take."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import grpc
from google.rpc import status_pb2
from grpc.aio import AioRpcError, UnaryUnaryMultiCallable
from incidentmanager.v1 import event_pb2, incident_service_pb2, incident_verbs_pb2, ingest_service_pb2

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import percentile, watched, worked
from tests.support.server import RunningServer, running_server

BATCH = 500
CALLERS = 16
CAPACITY_SECONDS = 4.0
TIMES = 3
RECOVERED_SECONDS = 0.25
MOST_MIB = 512
SHED = grpc.StatusCode.RESOURCE_EXHAUSTED
Raw = UnaryUnaryMultiCallable[bytes, bytes]


@dataclass(slots=True)
class Tally:
    """What became of calls of one kind, and how long those that succeeded took, in seconds."""

    sent: int = 0
    accepted: int = 0
    shed: int = 0
    without_hint: int = 0
    other: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    async def call(self, method: Raw, body: bytes) -> None:
        """One call."""
        self.sent += 1
        started = time.monotonic()
        try:
            await method(body, timeout=20)
        except AioRpcError as error:
            if error.code() is SHED:
                self.shed += 1
                self.without_hint += not hinted(error)
            else:
                self.other.append(f"{error.code().name}: {error.details()}")
        else:
            self.accepted += 1
            self.took.append(time.monotonic() - started)


def unary(channel: grpc.aio.Channel, name: str) -> Raw:
    """A method by its service and name, with bytes in and out: coding is no work for whoever makes the load."""
    method: Raw = channel.unary_unary(f"/incidentmanager.v1.{name}")
    return method


def hinted(error: AioRpcError) -> bool:
    """Whether a refusal says when to come back."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            details = status_pb2.Status.FromString(value).details
            return any(detail.type_url.endswith("google.rpc.RetryInfo") for detail in details)
    return False


_batches = itertools.count()


def _like(batch: str) -> bytes:
    events = [
        event_pb2.Event(source="chaos", title="too much", severity="P4", dedup_key=f"{batch}-{at}")
        for at in range(BATCH)
    ]
    return ingest_service_pb2.SubmitEventsRequest(events=events).SerializeToString()


_PLACEHOLDER = "problems"
_TEMPLATE = _like(_PLACEHOLDER)


def _batch() -> bytes:
    """Problems nobody has seen yet: much work behind the door, and next to none before it, where the same processors
    would do it."""
    return _TEMPLATE.replace(_PLACEHOLDER.encode(), b"%08d" % next(_batches))


async def _at(rate: float, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
    """Open loop: calls begin when they are due, whatever became of those before."""
    began, number = time.monotonic(), 0
    async with asyncio.TaskGroup() as group:
        while (now := time.monotonic() - began) < seconds:
            while number < now * rate:
                group.create_task(_awaited(call()))
                number += 1
            await asyncio.sleep(0.005)


async def _awaited(call: Awaitable[None]) -> None:
    await call


class Pace(NamedTuple):
    """Events that got through in a second, and in a second of the server's processor time."""

    per_second: float
    per_work: float


async def _capacity(server: RunningServer, submit: Raw, beside: "_Beside", seconds: float) -> Pace:
    """What gets through when callers wait for their answers, beside what has to get through."""
    tally, ends, before = Tally(), time.monotonic() + seconds, worked(server)

    async def caller() -> None:
        while time.monotonic() < ends:
            await tally.call(submit, _batch())

    started = time.monotonic()
    await asyncio.gather(beside.run(seconds), *(caller() for _ in range(CALLERS)))
    events = tally.accepted * BATCH
    return Pace(events / (time.monotonic() - started), events / (worked(server) - before))


async def _recovered(submit: Raw) -> float:
    """Seconds until events of no hurry get in promptly again, five times in a row."""
    started, prompt = time.monotonic(), 0
    while prompt < 5 and time.monotonic() - started < 60:
        tally = Tally()
        await tally.call(submit, _batch())
        prompt = prompt + 1 if tally.took and tally.took[0] < RECOVERED_SECONDS else 0
        await asyncio.sleep(0.05)
    return time.monotonic() - started


GOOD = "goodput >= 90 % of capacity, the rest refused with a hint; P0 and acknowledgements 100 %; recovery <= 10 s"


@fault(26, "three times as many events as the server can take", limit=GOOD)
async def too_much(run: Run) -> Outcome:
    """Batches of no hurry at three times the capacity; beside them P0 events and acknowledgements."""
    seconds = run.size(10, 300)
    async with running_server(config="log: {level: warning}") as server, _channel(server) as channel:
        submit = unary(channel, "IngestService/SubmitEvents")
        beside = await _Beside.begun(channel)
        await _capacity(server, submit, beside, 1.0)
        before = await _capacity(server, submit, beside, CAPACITY_SECONDS)
        flood = Tally()
        async with watched(server, every=0.1) as seen:
            started, work = time.monotonic(), worked(server)
            async with asyncio.TaskGroup() as group:
                group.create_task(_at(TIMES * before.per_second / BATCH, seconds, lambda: flood.call(submit, _batch())))
                group.create_task(beside.run(seconds))
            goodput = flood.accepted * BATCH / (time.monotonic() - started)
            per_work = flood.accepted * BATCH / (worked(server) - work)
        back = await _recovered(submit)
        after = await _capacity(server, submit, beside, CAPACITY_SECONDS)
    wrong = [*dict.fromkeys((*flood.other, *beside.urgent.other, *beside.acks.other))][:5]
    capacity, of_work = ((one + other) / 2 for one, other in zip(before, after, strict=True))
    least = run.size(80, 90)  # seconds on a machine that has other work too; in the long profile it has none
    figures = [
        Figure("capacity", capacity, "ev/s"),
        Figure("offered", flood.sent * BATCH / seconds, "ev/s"),
        Figure("goodput of capacity", 100 * goodput / capacity, "%", least=run.size(0, 90)),
        Figure("the same by the server's processor time", 100 * per_work / of_work, "%", least=least),
        Figure("shed", flood.shed * BATCH / seconds, "ev/s"),
        Figure("refusals without a hint", flood.without_hint, most=0),
        Figure("P0 accepted", 100 * beside.urgent.accepted / beside.urgent.sent, "%", least=100),
        Figure("acknowledgements accepted", 100 * beside.acks.accepted / beside.acks.sent, "%", least=100),
        Figure("p99 of P0", 1_000 * percentile(beside.urgent.took, 0.99), "ms"),
        Figure("memory", seen.peak, "MiB", most=MOST_MIB),
        Figure("recovered after", back, "s", most=10),
    ]
    return Outcome(figures, flood.accepted * BATCH + beside.urgent.accepted, wrong=wrong)


def _channel(server: RunningServer) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(server.grpc, options=[("grpc.max_receive_message_length", -1)])


@dataclass(slots=True)
class _Beside:
    """What has to get through: P0 events and acknowledgements."""

    channel: grpc.aio.Channel
    incidents: Sequence[str]
    urgent: Tally = field(default_factory=Tally)
    acks: Tally = field(default_factory=Tally)

    @classmethod
    async def begun(cls, channel: grpc.aio.Channel) -> "_Beside":
        """With incidents that can be acknowledged."""
        create = unary(channel, "IncidentService/CreateIncident")
        made = []
        for number in range(20):
            request = incident_service_pb2.CreateIncidentRequest(
                title=f"to be taken {chr(97 + number)}", source="chaos"
            )
            reply = await create(request.SerializeToString())
            made.append(incident_service_pb2.CreateIncidentResponse.FromString(reply).incident_id)
        return cls(channel, made)

    async def run(self, seconds: float) -> None:
        """Twenty P0 events and five acknowledgements a second."""
        submit = unary(self.channel, "IngestService/SubmitEvent")
        acknowledge = unary(self.channel, "IncidentService/Acknowledge")
        event = event_pb2.Event(source="chaos", title="the house is on fire", severity="P0")
        body = ingest_service_pb2.SubmitEventRequest(event=event).SerializeToString()

        def one() -> Awaitable[None]:
            incident = self.incidents[self.acks.sent % len(self.incidents)]
            request = incident_verbs_pb2.AcknowledgeRequest(incident_id=incident, actor="ann")
            return self.acks.call(acknowledge, request.SerializeToString())

        async with asyncio.TaskGroup() as group:
            group.create_task(_at(20, seconds, lambda: self.urgent.call(submit, body)))
            group.create_task(_at(5, seconds, one))
