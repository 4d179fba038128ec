"""The durable stream in a network that cuts: nothing is lost, nothing applied twice, the older epoch is dead."""

import random
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from llm_incident_client import IncidentClient, Phase, StreamOptions, StreamState, pb
from llm_incident_client.core.retry import Backoff
from tests.support.books import books_of
from tests.support.proxy import LEFT_ALONE, Fate, Proxy
from tests.support.server import running_server
from tests.support.sizes import size

EVENTS = size(20_000, 100_000)
CUTS = size(40, 200)
PROBLEMS = 200
QUICK = Backoff(timedelta(milliseconds=5), timedelta(milliseconds=100))


def event(number: int) -> pb.Event:
    """One of two hundred problems. Without an idempotency key: only sequence numbers keep a repeat from counting."""
    return pb.Event(source="proof", title="provider fails", kind="provider_outage", service=f"s{number % PROBLEMS}")


class RandomCuts:
    """Cuts so many connections, each after a random number of bytes in a random direction, by reset or by close."""

    def __init__(self, cuts: int, mean_bytes: int) -> None:
        self.left = cuts
        self._mean = mean_bytes
        self._rng = random.Random(4711)

    def __call__(self) -> Fate:
        if self.left == 0:
            return LEFT_ALONE
        self.left -= 1
        after = 1 + int(self._rng.expovariate(1 / self._mean))
        reset = self._rng.random() < 0.5
        return Fate(up=after, reset=reset) if self._rng.random() < 0.5 else Fate(down=after, reset=reset)


@pytest.mark.slow
async def test_a_stream_cut_at_random_loses_nothing_and_applies_nothing_twice() -> None:
    states: list[StreamState] = []
    cuts = RandomCuts(CUTS, mean_bytes=EVENTS * 50 // CUTS)
    async with running_server() as server:
        async with Proxy("127.0.0.1", server.grpc_port, cuts) as proxy, IncidentClient(proxy.address) as client:
            options = StreamOptions(backoff=QUICK, on_state=states.append)
            async with client.event_stream("cut", options) as stream:
                batches = [
                    await stream.send_many(map(event, range(start, min(start + 100, EVENTS))))
                    for start in range(0, EVENTS, 100)
                ]
            results = [result for batch in batches for result in batch.result()]
            assert proxy.cuts == CUTS
        assert await server.terminate() == 0
        assert_books_agree(server.data, results)
    epochs = [state.epoch for state in states if state.phase is Phase.OPEN]
    assert epochs == sorted(set(epochs))


def assert_books_agree(data: Path, results: list[pb.EventResult]) -> None:
    """Every event has one result, and the database has those events, all of them, and no others."""
    assert len(results) == EVENTS
    ids = {result.event_id for result in results}
    assert len(ids) == EVENTS, "two events have the same id, or one has none"
    with books_of(data) as books:
        assert books.event_ids() == ids
        assert books.count("incident") == PROBLEMS
        assert books.events_of_incidents() == EVENTS
        assert books.fingerprints_open_twice() == []
        assert books.dispositions() == {
            pb.Disposition.DISPOSITION_NEW: PROBLEMS,
            pb.Disposition.DISPOSITION_ATTACHED: EVENTS - PROBLEMS,
        }


async def test_a_zombie_of_an_older_epoch_commits_nothing() -> None:
    async with running_server() as server, IncidentClient(server.grpc) as client:
        zombie = await RawStream.open(client, "p")
        await zombie.send(1, event(0))
        assert (await zombie.acks()).results[0].disposition == pb.Disposition.DISPOSITION_NEW
        newer = await RawStream.open(client, "p")
        assert (newer.opened.epoch, newer.opened.last_sequence) == (zombie.opened.epoch + 1, 1)
        await zombie.send(2, event(1))
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await zombie.acks()
        assert ended.value.code() is grpc.StatusCode.ABORTED
        await newer.send(2, event(2))
        assert (await newer.acks()).first_sequence == 2
        await newer.close()
        assert await server.terminate() == 0
        with books_of(server.data) as books:
            assert books.count("event") == 2
            assert books.events_of_incidents() == 2


async def test_events_sent_again_get_the_results_they_had() -> None:
    async with running_server() as server, IncidentClient(server.grpc) as client:
        first = await RawStream.open(client, "p")
        events = [event(0), event(0), pb.Event(source="", title="no source"), event(1)]
        await first.send(1, *events)
        told = (await first.acks()).results
        await first.close()
        again = await RawStream.open(client, "p")
        assert again.opened.last_sequence == 4
        await again.send(1, *events[:2])
        await again.send(3, *events[2:], event(2))
        retold = [*(await again.acks()).results]
        while len(retold) < 5:
            retold.extend((await again.acks()).results)
        await again.close()
        assert [result.disposition for result in retold[:4]] == [result.disposition for result in told]
        assert [result.event_id for result in retold[:4]] == [result.event_id for result in told]
        assert [result.incident_id for result in retold[:4]] == [result.incident_id for result in told]
        assert await server.terminate() == 0
        with books_of(server.data) as books:
            assert books.count("event") == 4


class RawStream:
    """A StreamEvents call without any of the client's care."""

    def __init__(
        self, call: grpc.aio.StreamStreamCall[bytes, pb.StreamEventsResponse], opened: pb.StreamOpened
    ) -> None:
        self._call = call
        self.opened = opened

    @classmethod
    async def open(cls, client: IncidentClient, producer_id: str) -> "RawStream":
        call = await client._caller.events()
        opening = pb.StreamEventsRequest(open=pb.StreamOpen(producer_id=producer_id))
        await call.write(opening.SerializeToString())
        reply = await call.read()
        assert isinstance(reply, pb.StreamEventsResponse)
        return cls(call, reply.opened)

    async def send(self, first_sequence: int, *events: pb.Event) -> None:
        frame = pb.EventFrame(first_sequence=first_sequence, events=events)
        await self._call.write(pb.StreamEventsRequest(frame=frame).SerializeToString())

    async def acks(self) -> pb.EventAcks:
        reply = await self._call.read()
        assert isinstance(reply, pb.StreamEventsResponse), "the stream ended"
        return reply.acks

    async def close(self) -> None:
        await self._call.done_writing()
        while await self._call.read() is not grpc.aio.EOF:
            pass
