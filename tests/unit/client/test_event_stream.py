"""The event stream against a server that is steered: credits, cuts, drain, fencing, refusals, and bounded memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import grpc
import pytest

from llm_incident_client import EventStream, IncidentClient, Phase, StreamFull, StreamOptions, StreamState, errors, pb
from llm_incident_client.core.retry import Backoff
from tests.support import ledger
from tests.support.ledger import Ledger
from tests.support.proxy import Proxy
from tests.support.waiting import until

QUICK = Backoff(timedelta(milliseconds=5), timedelta(milliseconds=50))


def event(number: int) -> pb.Event:
    return pb.Event(source="test", title=f"event {number}")


@asynccontextmanager
async def stream_to(
    address: str, *, states: list[StreamState] | None = None, max_unacknowledged: int = 10_000, **more: timedelta
) -> AsyncIterator[EventStream]:
    seen = states if states is not None else []
    options = StreamOptions(
        backoff=QUICK, max_unacknowledged=max_unacknowledged, on_state=seen.append,
        patience=more.get("patience", timedelta(seconds=30)), give_up_after=more.get("give_up_after"),
    )  # fmt: skip
    async with IncidentClient(address) as client, client.event_stream("p", options) as stream:
        yield stream


async def test_each_event_gets_its_own_result_in_order() -> None:
    async with Ledger() as server, stream_to(server.address) as stream:
        futures = [await stream.send(event(number)) for number in range(1200)]
        await stream.flush()
        assert [future.result().event_id for future in futures] == [str(number) for number in range(1, 1201)]
    assert server.titles() == [f"event {number}" for number in range(1200)]


async def test_events_are_gathered_into_frames() -> None:
    async with Ledger() as server:
        async with stream_to(server.address) as stream:
            await (await stream.send(event(0)))
            for number in range(1, 1101):
                stream.send_nowait(event(number))
        assert server.frames == [(1, 1), (2, 500), (502, 500), (1002, 100)]


async def test_a_batch_has_one_future_for_all_results() -> None:
    async with Ledger() as server, stream_to(server.address, max_unacknowledged=100) as stream:
        first, none = await stream.send_many(map(event, range(750))), await stream.send_many([])
        assert [result.event_id for result in await first] == [str(number) for number in range(1, 751)]
        assert await none == []


async def test_no_more_events_are_in_flight_than_the_server_gave_credits_for() -> None:
    async with Ledger(credits_given=40, max_frame=15) as server:
        server.holding.clear()
        async with stream_to(server.address) as stream:
            batch = await stream.send_many(map(event, range(200)))
            await until(lambda: server.received >= 15)
            server.holding.set()
            await batch
        assert server.most_in_flight <= 15
        assert len(server.titles()) == 200


async def test_send_waits_and_send_nowait_refuses_while_the_stream_is_full() -> None:
    async with Ledger() as server, stream_to(server.address, max_unacknowledged=10) as stream:
        server.holding.clear()
        for number in range(10):
            stream.send_nowait(event(number))
        with pytest.raises(StreamFull, match="10 events are not acknowledged"):
            stream.send_nowait(event(10))
        waiting = [asyncio.create_task(stream.send(event(number))) for number in range(10, 40)]
        await asyncio.sleep(0)
        waiting[3].cancel()
        assert stream.unacknowledged == 10
        server.holding.set()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert sum(isinstance(one, asyncio.CancelledError) for one in done) == 1
        await stream.flush()
    assert len(server.titles()) == 39


async def test_a_cut_connection_is_resumed_without_loss_or_repeat() -> None:
    async with Ledger() as server, Proxy("127.0.0.1", server.port) as proxy:
        async with stream_to(proxy.address) as stream:
            results = []
            for start in range(0, 3000, 300):
                batch = await stream.send_many(map(event, range(start, start + 300)))
                proxy.cut(reset=start % 600 == 0)
                results += await batch
        assert [result.event_id for result in results] == [str(number) for number in range(1, 3001)]
        assert server.titles() == [f"event {number}" for number in range(3000)]
        assert server.producers["p"].epoch > 1


async def test_acknowledgements_lost_on_the_way_are_asked_for_again() -> None:
    async with Ledger() as server, Proxy("127.0.0.1", server.port) as proxy, stream_to(proxy.address) as stream:
        await (await stream.send(event(0)))
        server.holding.clear()
        lost = await stream.send(event(1))
        await until(lambda: server.received == 2)
        proxy.cut()
        server.holding.set()
        assert (await lost).event_id == "2"
    assert server.titles() == ["event 0", "event 1"]


async def test_a_restarted_server_is_found_again() -> None:
    server = Ledger()
    await server.start()
    port = server.port
    states: list[StreamState] = []
    async with stream_to(server.address, states=states) as stream:
        await (await stream.send(event(0)))
        await server.stop()
        waiting = await stream.send_many(map(event, range(1, 50)))
        await until(lambda: any(state.failures > 1 for state in states))
        await server.start(port)
        assert [result.event_id for result in await waiting] == [str(number) for number in range(2, 51)]
    await server.stop()


async def test_a_drain_moves_the_stream_to_a_new_connection() -> None:
    states: list[StreamState] = []
    async with Ledger() as server, stream_to(server.address, states=states) as stream:
        await (await stream.send(event(0)))
        server.holding.clear()
        before = await stream.send(event(1))
        await until(lambda: server.received == 2)
        server.drain()
        await until(lambda: any(state.phase is Phase.DRAINING for state in states))
        after = await stream.send(event(2))
        server.holding.set()
        assert ((await before).event_id, (await after).event_id) == ("2", "3")
    assert [state.epoch for state in states if state.phase is Phase.OPEN] == [1, 2]
    assert server.received == 3, "what the drain left in flight was not sent twice"


async def test_a_newer_stream_of_the_producer_ends_the_older_one() -> None:
    async with Ledger() as server, IncidentClient(server.address) as client:
        older = await client.event_stream("p").__aenter__()
        await (await older.send(event(0)))
        async with client.event_stream("p") as newer:
            await (await newer.send(event(1)))
            for attempt in (await older.send(event(2)), older.flush(), older.send(event(3)), older.aclose()):
                with pytest.raises(errors.ProducerFenced):
                    await attempt
    assert server.titles() == ["event 0", "event 1"]


async def test_a_second_user_of_the_producer_id_is_noticed_after_a_cut() -> None:
    async with Ledger() as server, Proxy("127.0.0.1", server.port) as proxy, IncidentClient(proxy.address) as client:
        stream = await client.event_stream("p", StreamOptions(backoff=QUICK)).__aenter__()
        await (await stream.send(event(0)))
        server.titles().extend("abcd")
        proxy.cut()
        with pytest.raises(errors.ProducerFenced, match="has events up to 5"):
            await (await stream.send(event(1)))
        with pytest.raises(errors.ProducerFenced):
            await stream.aclose()


def refusing(code: grpc.StatusCode, reason: str, *, times: int = 1, retry_after: float | None = None) -> ledger.Script:
    left = [times]

    async def script(server: Ledger, request: pb.StreamEventsRequest, context: ledger.Context) -> None:
        if left[0] and request.HasField("frame"):
            left[0] -= 1
            await ledger.refuse(context, code, reason, "no", retry_after=retry_after)

    return script


async def test_a_refusal_that_may_pass_is_followed_by_another_try() -> None:
    refusal = refusing(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", times=3, retry_after=0.01)
    async with Ledger(before_commit=refusal) as server, stream_to(server.address) as stream:
        assert (await (await stream.send(event(0)))).event_id == "1"
    assert server.producers["p"].epoch == 4


async def test_a_refusal_that_is_final_reaches_every_event_and_the_next_call() -> None:
    refusal = refusing(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")
    async with Ledger(before_commit=refusal) as server, IncidentClient(server.address) as client:
        stream = await client.event_stream("p").__aenter__()
        futures = [await stream.send(event(number)) for number in range(3)]
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [errors.AccessDenied] * 3
        with pytest.raises(errors.AccessDenied):
            stream.send_nowait(event(4))
        with pytest.raises(errors.AccessDenied):
            await stream.aclose()


async def test_a_silent_server_counts_as_dead() -> None:
    states: list[StreamState] = []
    async with Ledger() as server:
        server.holding.clear()
        async with stream_to(server.address, states=states, patience=timedelta(milliseconds=200)) as stream:
            waiting = await stream.send(event(0))
            await until(lambda: any(state.error is not None for state in states))
            server.holding.set()
            await waiting
    assert any(state.error is not None and "no answer for 0.2 s" in state.error.message for state in states)
    assert server.titles() == ["event 0"]


async def test_it_keeps_trying_and_tells_so_until_its_limit() -> None:
    states: list[StreamState] = []
    async with Ledger() as server:
        address = server.address
    with pytest.raises(errors.Unavailable):
        async with stream_to(address, states=states, give_up_after=timedelta(milliseconds=300)) as stream:
            await (await stream.send(event(0)))
    assert [state.phase for state in states][-1] is Phase.FAILED
    assert sum(state.phase is Phase.WAITING for state in states) >= 2


async def test_closing_in_time_leaves_what_is_unanswered_to_an_error() -> None:
    async with Ledger() as server, IncidentClient(server.address) as client:
        server.holding.clear()
        stream = await client.event_stream("p").__aenter__()
        waiting = await stream.send(event(0))
        with pytest.raises(TimeoutError):
            await stream.aclose(within=timedelta(milliseconds=50))
        with pytest.raises(errors.StreamClosed):
            await waiting
        with pytest.raises(errors.StreamClosed):
            await stream.send(event(1))
        server.holding.set()


async def test_an_exception_in_the_block_drops_what_waits() -> None:
    async def fail_with_one_waiting(address: str) -> None:
        async with stream_to(address) as stream:
            waiting.append(await stream.send(event(0)))
            raise KeyError

    waiting: list[asyncio.Future[pb.EventResult]] = []
    async with Ledger() as server:
        server.holding.clear()
        with pytest.raises(KeyError):
            await fail_with_one_waiting(server.address)
        with pytest.raises(errors.StreamClosed):
            await waiting[0]
        server.holding.set()


async def test_a_broken_token_source_reaches_those_who_wait() -> None:
    async def connect() -> grpc.aio.StreamStreamCall[bytes, pb.StreamEventsResponse]:
        raise OSError("no token today")

    with pytest.raises(errors.IncidentManagerError, match="no token today"):
        async with EventStream(connect, "p") as stream:
            await (await stream.send(event(0)))


async def test_an_event_that_fits_no_message_is_refused_at_once() -> None:
    async with Ledger() as server, stream_to(server.address) as stream:
        with pytest.raises(ValueError, match="shorten its texts"):
            stream.send_nowait(pb.Event(description="x" * 5_000_000))
        large = pb.Event(title="large", description="x" * 3_900_000)
        await asyncio.gather(*[await stream.send(one) for one in (event(0), large, event(1))])
    assert server.titles() == ["event 0", "large", "event 1"]


async def test_changing_an_event_after_sending_changes_nothing() -> None:
    async with Ledger() as server, stream_to(server.address) as stream:
        mine = event(0)
        sent = stream.send_nowait(mine)
        mine.title = "changed"
        await sent
    assert server.titles() == ["event 0"]
