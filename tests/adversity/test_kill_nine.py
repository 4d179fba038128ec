"""The server is killed as by a power cut, again and again under load: what it acknowledged is there, and only once."""

import asyncio
import random
from datetime import timedelta

import pytest

from llm_incident_client import EventStream, IncidentClient, RetryPolicy, StreamOptions, pb
from llm_incident_client.core.retry import Backoff
from tests.support.books import books_of
from tests.support.server import RunningServer, running_server
from tests.support.sizes import size
from tests.support.waiting import until

KILLS = size(6, 20)
PROBLEMS = 60
QUICK = Backoff(timedelta(milliseconds=10), timedelta(milliseconds=200))


class Load:
    """Events over a stream and by single calls, until told to stop; remembers what was acknowledged."""

    def __init__(self) -> None:
        self.rng = random.Random(42)
        self.stopping = False
        self.streamed: list[asyncio.Future[list[pb.EventResult]]] = []
        self.sent = 0
        self.single: dict[str, pb.SubmitEventResponse] = {}

    def event(self, key: str = "") -> pb.Event:
        """Mostly triggers, now and then the end of a problem: its next event must open a new incident."""
        problem, over = f"p{self.rng.randrange(PROBLEMS)}", self.rng.random() < 0.02
        action = pb.Action.ACTION_RESOLVE if over else pb.Action.ACTION_TRIGGER
        return pb.Event(
            action=action, source="proof", title="" if over else "it fails", dedup_key=problem, idempotency_key=key
        )

    async def over_the_stream(self, stream: EventStream) -> None:
        while not self.stopping:
            batch = [self.event() for _ in range(50)]
            self.streamed.append(await stream.send_many(batch))
            self.sent += len(batch)
            await asyncio.sleep(0.005)

    async def by_single_calls(self, client: IncidentClient, caller: int) -> None:
        number = 0
        while not self.stopping:
            key = f"single-{caller}-{number}"
            self.single[key] = await client.submit_event(self.event(key))
            number += 1

    async def reaches(self, acknowledged: int) -> None:
        await until(lambda: self.acknowledged() >= acknowledged, seconds=20)

    def acknowledged(self) -> int:
        return len(self.single) + sum(batch.done() for batch in self.streamed)


@pytest.mark.slow
async def test_killed_at_random_moments_it_keeps_every_acknowledged_event_exactly_once() -> None:
    load = Load()
    patient = RetryPolicy(attempts=1000, backoff=QUICK, attempt_timeout=timedelta(seconds=5))
    async with running_server() as server:
        client = IncidentClient(server.grpc, retries=patient, deadline=timedelta(seconds=60))
        async with client, client.event_stream("load", StreamOptions(backoff=QUICK)) as stream:
            async with asyncio.TaskGroup() as group:
                group.create_task(load.over_the_stream(stream))
                for caller in range(4):
                    group.create_task(load.by_single_calls(client, caller))
                await kill_again_and_again(server, load)
                load.stopping = True
            await stream.flush()
        assert await server.terminate() == 0
        assert_books_agree(server, load)


async def kill_again_and_again(server: RunningServer, load: Load) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(load.rng.uniform(0.02, 0.8))
        await server.kill()
        enough = load.acknowledged() + 1
        await server.restart()
        await load.reaches(enough)  # it works again before the next blow


def assert_books_agree(server: RunningServer, load: Load) -> None:
    streamed = [result for batch in load.streamed for result in batch.result()]
    assert len(streamed) == load.sent
    ids = {result.event_id for result in streamed} | {answer.event_id for answer in load.single.values()}
    assert len(ids) == load.sent + len(load.single), "an event without an id, or two with the same"
    with books_of(server.data) as books:
        kept = books.event_ids()
        assert ids <= kept, "an acknowledged event is lost"
        # A call whose answer was lost with the server was repeated under its request id: nothing is left over.
        assert kept == ids, "an event was applied twice"
        assert books.fingerprints_open_twice() == []
        assert books.open_without_key() == 0
        assert books.keys_of_nothing_open() == 0
