"""A load that never gives up: events over a stream, by unary calls and by REST, each repeated until acknowledged.

Whatever is broken meanwhile, in the end every event that was begun has its acknowledgement in the log, so that the
store must hold exactly these: one less is lost, one more is doubled.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp

from chaos.acks import Ack, AckLog
from llm_incident_client import EventStream, IncidentClient, RetryPolicy, StreamOptions, pb
from llm_incident_client.core.retry import Backoff

QUICK = Backoff(timedelta(milliseconds=10), timedelta(milliseconds=200))
PATIENT = RetryPolicy(attempts=100_000, backoff=QUICK, attempt_timeout=timedelta(seconds=5))
FOREVER = timedelta(minutes=20)
ACCEPTED, REFUSED = 202, 400


@dataclass(frozen=True, slots=True)
class Shape:
    """How much of what. A stream hands over `frame` events every `pause` seconds."""

    problems: int = 60
    ends: float = 0.02
    frame: int = 50
    pause: float = 0.05
    unary: int = 3
    rest: int = 2
    patience: timedelta = timedelta(seconds=5)


class Load:
    """Clients of one server. `errors` are answers that no honest server gives to well-formed events."""

    def __init__(self, name: str, chance: random.Random, log: AckLog, shape: Shape = Shape()) -> None:
        """`name` tells the clients of several servers apart."""
        self._name = name
        self._chance = chance
        self._log = log
        self._shape = shape
        self._stopping = False
        self.repeated = 0
        self.errors: list[str] = []

    def event(self, key: str = "") -> pb.Event:
        """Mostly triggers, now and then the end of a problem: its next event must open a new incident."""
        problem, over = f"p{self._chance.randrange(self._shape.problems)}", self._chance.random() < self._shape.ends
        action = pb.Action.ACTION_RESOLVE if over else pb.Action.ACTION_TRIGGER
        title = "" if over else "it fails"
        return pb.Event(action=action, source="chaos", title=title, dedup_key=problem, idempotency_key=key)

    @asynccontextmanager
    async def running(self, grpc: str, http: str) -> AsyncIterator[None]:
        """Load while the block runs; afterwards all that was begun is seen through."""
        options = StreamOptions(backoff=QUICK, patience=self._shape.patience)
        client = IncidentClient(grpc, retries=PATIENT, deadline=FOREVER)
        timeout = aiohttp.ClientTimeout(total=self._shape.patience.total_seconds())
        async with (
            client,
            aiohttp.ClientSession(http, timeout=timeout) as session,
            client.event_stream(f"{self._name}-stream", options) as stream,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._over_the_stream(stream))
            for caller in range(self._shape.unary):
                group.create_task(self._by_unary_calls(client, caller))
            for caller in range(self._shape.rest):
                group.create_task(self._by_rest(session, caller))
            try:
                yield
            finally:
                self._stopping = True
        await self._log.flush()

    async def _over_the_stream(self, stream: EventStream) -> None:
        waiting: list[asyncio.Future[list[pb.EventResult]]] = []
        while not self._stopping:
            results = await stream.send_many([self.event() for _ in range(self._shape.frame)])
            results.add_done_callback(self._noted)
            waiting.append(results)
            await asyncio.sleep(self._shape.pause)
        await asyncio.gather(*waiting)

    def _noted(self, results: asyncio.Future[list[pb.EventResult]]) -> None:
        if results.cancelled() or results.exception() is not None:
            return
        self._log.note(*(Ack("stream", "", result.event_id) for result in results.result()))

    async def _by_unary_calls(self, client: IncidentClient, caller: int) -> None:
        number = 0
        while not self._stopping:
            key = f"{self._name}-unary-{caller}-{number}"
            answer = await client.submit_event(self.event(key))
            self._log.note(Ack("unary", key, answer.event_id))
            number += 1

    async def _by_rest(self, session: aiohttp.ClientSession, caller: int) -> None:
        number = 0
        while not self._stopping:
            key = f"{self._name}-rest-{caller}-{number}"
            event = self.event(key)
            body = {"action": pb.Action.Name(event.action), "source": event.source, "title": event.title}
            event_id = await self._posted(session, body | {"dedup_key": event.dedup_key, "idempotency_key": key})
            self._log.note(Ack("rest", key, event_id))
            number += 1

    async def _posted(self, session: aiohttp.ClientSession, body: dict[str, str]) -> str:
        """Posts until it is accepted; only the idempotency key keeps a repeat from counting."""
        while True:
            try:
                async with session.post("/api/v1/events", json=body) as reply:
                    if reply.status == ACCEPTED:
                        return str((await reply.json())["event_id"])
                    if REFUSED <= reply.status < 500 and reply.status not in (408, 409, 429):
                        self.errors.append(f"REST {reply.status}: {await reply.text()}")
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass  # the server was killed: counted like a refusal, and sent again
            self.repeated += 1
            await asyncio.sleep(self._chance.uniform(0.01, 0.1))


async def first_ack(grpc: str, key: str, log: AckLog, within: float = 30.0) -> None:
    """Returns once a server acknowledges an event of a client that has only just come."""
    hasty = RetryPolicy(attempts=100_000, backoff=QUICK, attempt_timeout=timedelta(seconds=1))
    async with IncidentClient(grpc, retries=hasty, deadline=timedelta(seconds=within)) as client:
        event = pb.Event(source="chaos", title="first", dedup_key="first", idempotency_key=key)
        log.note(Ack("unary", key, (await client.submit_event(event)).event_id))


async def filled(grpc: str, events: int, log: AckLog) -> None:
    """Stores so many events of a thousand problems as fast as a stream goes."""
    batch = 2_000
    async with IncidentClient(grpc) as client, client.event_stream("filling") as stream:
        waiting: list[asyncio.Future[list[pb.EventResult]]] = []
        for start in range(0, events, batch):
            batch_of: Sequence[pb.Event] = [
                pb.Event(source="chaos", title="stock", dedup_key=f"stock-{number % 1_000}")
                for number in range(start, min(start + batch, events))
            ]
            waiting.append(await stream.send_many(batch_of))
        for results in waiting:
            log.note(*(Ack("stream", "", result.event_id) for result in await results))
    await log.flush()
