"""Server and database are killed again and again under load: what was acknowledged is there, and only once."""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import pytest

from llm_incident_client import EventStream, IncidentClient, RetryPolicy, StreamOptions, pb
from llm_incident_client.core.retry import Backoff
from tests.support.books import Books, books_in, books_of
from tests.support.command import command
from tests.support.postgres import DURABLE, Cluster
from tests.support.server import RunningServer, running_server
from tests.support.sizes import size
from tests.support.waiting import until

KILLS = size(6, 20)
POSTGRES_KILLS = size(6, 100)
Blow = Callable[[], Awaitable[None]]
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


@pytest.fixture
def durable() -> Iterator[Cluster]:
    """A PostgreSQL of the test's own that keeps what it confirms."""
    server = Cluster.in_new_folder(DURABLE)
    yield server
    server.remove()


@pytest.mark.slow
async def test_killed_at_random_moments_it_keeps_every_acknowledged_event_exactly_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with running_server() as server:
        load = await loaded(server, KILLS, [lambda: kill(server)])
        with books_of(server.data) as books, capsys.disabled():
            assert_books_agree("SQLite", books, load, KILLS)
        await assert_ledger_adds_up({"DATABASE_URL": f"sqlite:///{server.data}"}, load)


@pytest.mark.slow
async def test_with_postgresql_killed_as_well_every_acknowledged_event_is_kept_exactly_once(
    durable: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    database = durable.create()

    async def kill_database() -> None:
        await asyncio.to_thread(durable.kill)
        await asyncio.to_thread(durable.start)

    async with running_server(env={"DATABASE_URL": durable.dsn(database)}) as server:
        load = await loaded(server, POSTGRES_KILLS, [lambda: kill(server), kill_database])
        with capsys.disabled():
            assert_books_agree("PostgreSQL", books_in(durable, database), load, POSTGRES_KILLS)
        await assert_ledger_adds_up({"DATABASE_URL": durable.dsn(database)}, load)


async def loaded(server: RunningServer, kills: int, blows: list[Blow]) -> Load:
    """The load that a server was under while the blows fell on it in turn; all of it is acknowledged."""
    try:
        return await _loaded(server, kills, blows)
    except BaseException as error:
        error.add_note("\n".join(line for line in server.log.splitlines() if "call.failed" in line))
        raise


async def _loaded(server: RunningServer, kills: int, blows: list[Blow]) -> Load:
    load = Load()
    patient = RetryPolicy(attempts=1000, backoff=QUICK, attempt_timeout=timedelta(seconds=5))
    client = IncidentClient(server.grpc, retries=patient, deadline=timedelta(seconds=60))
    async with client, client.event_stream("load", StreamOptions(backoff=QUICK)) as stream:
        async with asyncio.TaskGroup() as group:
            group.create_task(load.over_the_stream(stream))
            for caller in range(4):
                group.create_task(load.by_single_calls(client, caller))
            for number in range(kills):
                await asyncio.sleep(load.rng.uniform(0.02, 0.8))
                await blows[number % len(blows)]()
                await load.reaches(load.acknowledged() + 1)  # it works again before the next blow
            load.stopping = True
        await stream.flush()
    assert await server.terminate() == 0
    return load


async def kill(server: RunningServer) -> None:
    await server.kill()
    await server.restart()


def assert_books_agree(where: str, books: Books, load: Load, kills: int) -> None:
    streamed = [result for batch in load.streamed for result in batch.result()]
    assert len(streamed) == load.sent
    ids = {result.event_id for result in streamed} | {answer.event_id for answer in load.single.values()}
    acked, kept = load.sent + len(load.single), books.event_ids()
    # A call whose answer was lost with the server was repeated under its request id: nothing may be left over.
    lost, doubled = len(ids - kept), len(kept - ids)
    sys.stdout.write(f"\n{where}: {kills} kills, {acked} events acknowledged, {lost} lost, {doubled} doubled\n")
    assert len(ids) == acked, "an event without an id, or two with the same"
    assert (lost, doubled) == (0, 0)
    assert books.fingerprints_open_twice() == []
    assert books.open_without_key() == 0
    assert books.keys_of_nothing_open() == 0


async def assert_ledger_adds_up(env: dict[str, str], load: Load) -> None:
    done = await command("ledger", "check", "-o", "json", env=env)
    assert done.code == 0, done.out + done.err
    assert done.json["accepted"] == load.sent + len(load.single)
    assert {check["wrong"] for check in done.json["checks"]} == {0}
