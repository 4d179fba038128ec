"""The durable stream after a cut: the older epoch is dead, and what is sent again has the results it had."""

import grpc
import pytest

from llm_incident_client import IncidentClient, pb
from tests.support.books import books_of
from tests.support.server import running_server

PROBLEMS = 200


def event(number: int) -> pb.Event:
    """One of two hundred problems. Without an idempotency key: only sequence numbers keep a repeat from counting."""
    return pb.Event(source="proof", title="provider fails", kind="provider_outage", service=f"s{number % PROBLEMS}")


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
