"""Faults 14 and 28: callers that go away at any moment, and subscribers that stop reading."""

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass, field

import aiohttp
import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc.aio import AioRpcError, UnaryStreamCall
from incidentmanager.v1 import event_pb2, incident_pb2, incident_service_pb2, incident_service_pb2_grpc
from incidentmanager.v1 import ingest_service_pb2 as ingest
from incidentmanager.v1 import ingest_service_pb2_grpc as ingest_grpc

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import descriptors, percentile, resident, watched
from tests.support.server import RunningServer, running_server

CUT_SECONDS = 30
MOST_MIB_EACH = 6
MOST_MIB = 256
READ_ON = 2
"""So many of those that were cut read on, and then resume."""
CHANGES = 600
LARGE_CHANGES = 150
SMALL_WINDOW = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0)]
"""A connection of its own that buffers 64 KiB: what is stuck then lies in the server, where it is measured."""
Watch = UnaryStreamCall[incident_service_pb2.WatchIncidentsRequest, incident_pb2.IncidentChange]


@dataclass(slots=True)
class Follower:
    """What a subscriber got: the place of each change in the feed, when it came, and how the stream ended."""

    tokens: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    reason: str = ""
    told: str = ""

    async def read(self, call: Watch, until: int | None = None) -> None:
        """Reads until the stream ends, or so many changes have come in all."""
        with contextlib.suppress(AioRpcError):
            while until is None or len(self.tokens) < until:
                change = await call.read()
                if not isinstance(change, incident_pb2.IncidentChange):
                    break
                if change.HasField("incident"):
                    self.tokens.append(change.resume_token)
                    self.at.append(time.monotonic())
        if until is None:
            self._learn(await call.trailing_metadata())

    def _learn(self, metadata: grpc.aio.Metadata | None) -> None:
        for key, value in metadata or ():
            if key == "grpc-status-details-bin" and isinstance(value, bytes):
                for detail in status_pb2.Status.FromString(value).details:
                    info = error_details_pb2.ErrorInfo()
                    if detail.Unpack(info):
                        self.reason, self.told = info.reason, info.metadata["resume_token"]


def _watch(channel: grpc.aio.Channel, token: str = "") -> Watch:
    request = incident_service_pb2.WatchIncidentsRequest(resume_token=token)
    watch: Watch = incident_service_pb2_grpc.IncidentServiceStub(channel).WatchIncidents(request)
    return watch


SMALL = event_pb2.Event(source="chaos", title="x", severity="P4", description="y" * 4_000)
LARGE = event_pb2.Event(
    source="chaos",
    title="x",
    severity="P4",
    description="y" * 16_000,
    labels={f"l{at}": "v" * 1_000 for at in range(50)},
)


async def _open_incidents(
    channel: grpc.aio.Channel, number: int, name: str, like: event_pb2.Event = SMALL
) -> list[float]:
    """So many new ones; when each ten of them were acknowledged."""
    submit, done = ingest_grpc.IngestServiceStub(channel).SubmitEvents, []
    for start in range(0, number, 10):
        events = [event_pb2.Event.FromString(like.SerializeToString()) for _ in range(10)]
        for at, event in enumerate(events, start):
            event.dedup_key = f"{name}-{at}"
        await submit(ingest.SubmitEventsRequest(events=events))
        done.append(time.monotonic())
    return done


async def _cut(server: RunningServer) -> int:
    """How many watches the server has ended as too slow."""
    async with aiohttp.ClientSession(server.http) as http, http.get("/metrics") as page:
        text = await page.text()
    line = (
        r'incident_manager_calls_total\{code="RESOURCE_EXHAUSTED",method="WatchIncidents",transport="grpc"\} ([\d.]+)'
    )
    found = re.search(line, text)
    return int(float(found[1])) if found else 0


LIMIT = "<= 6 MB each and 256 MB in all, cut with a resume token in <= 30 s, others unaffected, no gap and no repeat"


@fault(28, "subscribers that stop reading", limit=LIMIT)
async def stuck(run: Run) -> Outcome:
    """All follow every incident. One reads all the time; of those that do not, two read on once they were cut."""
    return await _stuck(run, SMALL, CHANGES)


@fault(28, "subscribers that stop reading", part="large changes", limit=LIMIT)
async def stuck_on_large(run: Run) -> Outcome:
    """The same with changes of 66 KB."""
    return await _stuck(run, LARGE, LARGE_CHANGES)


async def _stuck(run: Run, like: event_pb2.Event, changes: int) -> Outcome:
    number, slow = run.size(30, 500), run.size(5, 20)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(config=f"watch: {{slow_after_secs: {slow}}}"))
        desk, *channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(server.grpc, options=SMALL_WINDOW))
            for _ in range(number + 1)
        ]
        await _open_incidents(desk, changes, "warm", like)
        healthy, calls = Follower(), [_watch(channel) for channel in channels]
        await asyncio.gather(*(call.read() for call in calls))
        following = asyncio.create_task(healthy.read(first := _watch(desk)))
        async with watched(server, every=0.1) as seen:
            acked = await _open_incidents(desk, changes, "stuck", like)
            started = time.monotonic()
            while (cut := await _cut(server)) < number and time.monotonic() - started < CUT_SECONDS + 5:
                await asyncio.sleep(0.1)
            took = time.monotonic() - started
        wrong = [problem for call in calls[:READ_ON] for problem in await _resumed(desk, call, healthy)]
        first.cancel()
        await asyncio.gather(following, return_exceptions=True)
    lags = [1_000 * max(0.0, at - acked[place // 10]) for place, at in enumerate(healthy.at[: 10 * len(acked)])]
    figures = [
        Figure("stuck", number),
        Figure("memory each", seen.grown / number, "MiB", most=MOST_MIB_EACH),
        Figure("memory of all", seen.grown, "MiB", most=MOST_MIB),
        Figure("cut off", cut, least=number),
        Figure("the last of them after", took, "s", most=CUT_SECONDS),
        Figure("a reader's changes", len(healthy.tokens), least=changes),
        Figure("its p99 behind the commit", percentile(lags, 0.99), "ms", most=1_000),
    ]
    return Outcome(figures, changes, wrong=wrong)


async def _resumed(channel: grpc.aio.Channel, call: Watch, whole: Follower) -> list[str]:
    """What is wrong with a subscriber that reads on after it was cut, and then resumes where it was told."""
    follower = Follower()
    async with asyncio.timeout(30):
        await follower.read(call)
        if follower.reason != "SLOW_SUBSCRIBER" or not follower.told:
            return [f"the stream ended with {follower.reason!r} and token {follower.told!r}"]
        again = _watch(channel, follower.told)
        await follower.read(again, until=len(whole.tokens))
        again.cancel()
    return [] if follower.tokens == whole.tokens else ["what it got before and after is not what happened"]


@fault(14, "callers that go away at any moment", limit="memory, descriptors and work under way back where they were")
async def cancelled(run: Run) -> Outcome:
    """Events, lists, verbs and watches, each cancelled after a random time, on SQLite."""
    number = run.size(1_000, 10_000)
    async with running_server() as server, grpc.aio.insecure_channel(server.grpc) as channel:
        await _cancel_all(run, channel, 300)
        await _quiet(server)
        memory, files = resident(server), descriptors(server)
        await _cancel_all(run, channel, number)
        busy = await _quiet(server)
        await _open_incidents(channel, 10, "afterwards")
        figures = [
            Figure("cancelled", number),
            Figure("memory of before", 100 * resident(server) / memory, "%", most=run.size(115, 105)),
            Figure("descriptors more than before", descriptors(server) - files, most=2),
            Figure("streams left open", busy, most=0),
        ]
    return Outcome(figures)


async def _cancel_all(run: Run, channel: grpc.aio.Channel, number: int) -> None:
    events, incidents = ingest_grpc.IngestServiceStub(channel), incident_service_pb2_grpc.IncidentServiceStub(channel)
    at_once = asyncio.Semaphore(20)

    async def one(place: int) -> None:
        event = event_pb2.Event(source="chaos", title="x", severity="P4", dedup_key=f"gone-{place % 50}")
        calls = (
            lambda: events.SubmitEvent(ingest.SubmitEventRequest(event=event)),
            lambda: events.SubmitEvent(ingest.SubmitEventRequest(event=event, request_id=f"{run.seed}-{place}")),
            lambda: events.SubmitEvents(ingest.SubmitEventsRequest(events=[event] * 50)),
            lambda: incidents.ListIncidents(incident_service_pb2.ListIncidentsRequest(page_size=50)),
            lambda: incidents.CreateIncident(incident_service_pb2.CreateIncidentRequest(title="x", source="chaos")),
            lambda: incidents.WatchIncidents(incident_service_pb2.WatchIncidentsRequest(snapshot=True)),
        )
        async with at_once:
            call = run.chance.choice(calls)()
            await asyncio.sleep(run.chance.uniform(0, 0.03))
            call.cancel()

    await asyncio.gather(*(one(place) for place in range(number)))


async def _quiet(server: RunningServer) -> int:
    """Waits until nothing is under way; how many streams are left when that does not come."""
    left = -1
    for _ in range(100):
        async with aiohttp.ClientSession(server.http) as http, http.get("/metrics") as page:
            text = await page.text()
        streams = re.findall(r"incident_manager_streams_active\{[^}]*\} ([\d.]+)", text)
        left = int(sum(map(float, streams)))
        if left == 0:
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    return left
