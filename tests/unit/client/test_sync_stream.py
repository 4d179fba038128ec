"""The blocking event stream and what carries it, against a server that is steered by the test's own loop."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import grpc
import pytest

from llm_incident_client import StreamFull, StreamOptions, errors, pb
from llm_incident_client.core.retry import Backoff
from llm_incident_client.sync import EventStream, IncidentClient
from llm_incident_client.sync.inbox import Inbox, Item
from llm_incident_client.sync.portal import Portal
from tests.support import ledger
from tests.support.ledger import Ledger
from tests.support.proxy import Proxy
from tests.support.waiting import until

T = TypeVar("T")
QUICK = Backoff(timedelta(milliseconds=5), timedelta(milliseconds=50))


def event(number: int) -> pb.Event:
    return pb.Event(source="test", title=f"event {number}")


@contextlib.contextmanager
def stream_to(address: str, *, max_unacknowledged: int = 10_000) -> Iterator[EventStream]:
    options = StreamOptions(backoff=QUICK, max_unacknowledged=max_unacknowledged)
    with IncidentClient(address) as client, client.event_stream("p", options) as stream:
        yield stream


async def in_a_thread(story: Callable[[], T]) -> T:
    """The story blocks, and the server it talks to lives in this loop."""
    return await asyncio.to_thread(story)


async def test_each_event_gets_its_own_result_in_order() -> None:
    def story() -> list[str]:
        with stream_to(server.address, max_unacknowledged=50) as stream:
            futures = [stream.send(event(number)) for number in range(1200)]
            stream.flush()
            assert all(future.done() for future in futures)
            return [future.result().event_id for future in futures]

    async with Ledger() as server:
        assert await in_a_thread(story) == [str(number) for number in range(1, 1201)]
    assert server.titles() == [f"event {number}" for number in range(1200)]
    assert sum(count for _, count in server.frames) == 1200


async def test_a_batch_has_one_future_for_all_results_and_closing_waits_for_it() -> None:
    def story() -> list[list[pb.EventResult]]:
        with stream_to(server.address, max_unacknowledged=100) as stream:
            many, none = stream.send_many(event(number) for number in range(1750)), stream.send_many([])
        assert many.done()
        return [many.result(), none.result(5)]

    async with Ledger() as server:
        many, none = await in_a_thread(story)
    assert [result.event_id for result in many] == [str(number) for number in range(1, 1751)]
    assert none == []


async def test_frames_are_full_although_threads_hand_over_one_by_one() -> None:
    def story() -> None:
        with stream_to(server.address) as stream, ThreadPoolExecutor(4) as pool:
            stream.send(event(0)).result()
            list(pool.map(lambda number: stream.send(event(number)), range(1, 4001)))

    async with Ledger() as server:
        await in_a_thread(story)
    assert len(set(server.titles())) == 4001
    assert len(server.frames) < 1000


async def test_a_full_stream_makes_the_sender_wait_or_refuses_in_time() -> None:
    def fill(stream: EventStream) -> None:
        with contextlib.suppress(StreamFull):
            while True:
                sent.append(stream.send(event(len(sent)), timeout=0.2))
        with pytest.raises(StreamFull, match="events are not acknowledged yet, and no room came in time"):
            stream.send(event(len(sent)), timeout=0)

    def story() -> None:
        with stream_to(server.address, max_unacknowledged=10) as stream:
            fill(stream)
            assert stream.unacknowledged == len(sent) <= 10 + 500
            loop.call_soon_threadsafe(server.holding.set)
            sent.append(stream.send(event(len(sent))))

    loop = asyncio.get_running_loop()
    sent: list[Future[pb.EventResult]] = []
    async with Ledger() as server:
        server.holding.clear()
        await in_a_thread(story)
    assert server.titles() == [f"event {number}" for number in range(len(sent))]


async def test_cuts_lose_and_double_nothing() -> None:
    def story() -> list[pb.EventResult]:
        with stream_to(proxy.address) as stream:
            results = []
            for start in range(0, 3000, 300):
                batch = stream.send_many(map(event, range(start, start + 300)))
                loop.call_soon_threadsafe(proxy.cut)
                results += batch.result(30)
            return results

    loop = asyncio.get_running_loop()
    async with Ledger() as server, Proxy("127.0.0.1", server.port) as proxy:
        results = await in_a_thread(story)
    assert [result.event_id for result in results] == [str(number) for number in range(1, 3001)]
    assert server.titles() == [f"event {number}" for number in range(3000)]


async def test_what_ends_the_stream_reaches_every_future_and_the_next_call() -> None:
    async def refuse(_: Ledger, request: pb.StreamEventsRequest, context: ledger.Context) -> None:
        if request.HasField("frame"):
            await ledger.refuse(context, grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED", "no")

    def story() -> None:
        with IncidentClient(server.address) as client:
            stream = client.event_stream("p").__enter__()
            sent = [stream.send(event(number)) for number in range(3)]
            assert {type(future.exception(10)) for future in sent} == {errors.AccessDenied}
            with pytest.raises(errors.AccessDenied):
                stream.flush()
            with pytest.raises(errors.AccessDenied):  # from the call, if its first event has met the end by its last
                stream.send_many(map(event, range(5))).result(10)
            with pytest.raises(errors.AccessDenied):
                stream.send(event(4))
            with pytest.raises(errors.AccessDenied):
                stream.close()
            stream.close()

    async with Ledger(before_commit=refuse) as server:
        await in_a_thread(story)


async def test_closing_in_time_leaves_what_is_unanswered_to_an_error() -> None:
    def story() -> None:
        with IncidentClient(server.address) as client:
            stream = client.event_stream("p").__enter__()
            waiting = stream.send(event(0))
            with pytest.raises(TimeoutError):
                stream.close(within=timedelta(milliseconds=100))
            with pytest.raises(errors.StreamClosed):
                waiting.result(5)
            with pytest.raises(errors.StreamClosed):
                stream.send(event(1))

    async with Ledger() as server:
        server.holding.clear()
        await in_a_thread(story)
        server.holding.set()


@pytest.mark.parametrize("within", [None, timedelta(0)], ids=["flushed", "dropped"])
async def test_closing_under_senders_leaves_no_future_without_an_end(within: timedelta | None) -> None:
    def send_until_closed(stream: EventStream, first: int) -> list[Future[pb.EventResult]]:
        sent: list[Future[pb.EventResult]] = []
        with contextlib.suppress(errors.StreamClosed):
            while True:
                sent.append(stream.send(event(first + len(sent))))
        return sent

    def story() -> list[Future[pb.EventResult]]:
        with IncidentClient(server.address) as client, ThreadPoolExecutor(4) as pool:
            with client.event_stream("p", StreamOptions(max_unacknowledged=200)) as stream:
                sending = [pool.submit(send_until_closed, stream, number * 1_000_000) for number in range(4)]
                stream.send(event(-1)).result(10)
                stream.close(within)
            return [future for sender in sending for future in sender.result(10)]

    async with Ledger() as server:
        sent = await in_a_thread(story)
        kept = [future for future in sent if future.exception(10) is None]
        assert {type(future.exception()) for future in sent} <= {type(None), errors.StreamClosed}
    assert len(set(server.titles())) == len(server.titles())
    assert len(kept) <= len(server.titles()) - 1, "whatever has a result was stored once"
    assert len(kept) == len(sent) or within is not None


async def test_an_exception_in_the_block_drops_what_waits() -> None:
    def fail_with_some_waiting() -> None:
        with stream_to(server.address, max_unacknowledged=10) as stream:
            waiting.extend(stream.send(event(number)) for number in range(100))
            raise KeyError

    waiting: list[Future[pb.EventResult]] = []
    async with Ledger() as server:
        server.holding.clear()
        with pytest.raises(KeyError):
            await in_a_thread(fail_with_some_waiting)
        server.holding.set()
    assert {type(future.exception(5)) for future in waiting} == {errors.StreamClosed}


async def test_a_future_of_an_event_on_its_way_cannot_be_cancelled() -> None:
    def story() -> None:
        with stream_to(server.address) as stream:
            sent = stream.send(event(0))
            assert not sent.cancel()
            assert sent.result(10).event_id == "1"

    async with Ledger() as server:
        await in_a_thread(story)


async def test_an_event_that_fits_no_message_is_refused_at_once_and_spoils_nothing() -> None:
    def story() -> None:
        with stream_to(server.address) as stream:
            with pytest.raises(ValueError, match="shorten its texts"):
                stream.send(pb.Event(description="x" * 5_000_000))
            mine = event(0)
            stream.send(mine)
            mine.title = "changed after sending"

    async with Ledger() as server:
        await in_a_thread(story)
    assert server.titles() == ["event 0"]


async def test_a_stream_outside_its_block_says_what_to_do() -> None:
    async with Ledger() as server:
        with IncidentClient(server.address) as client:
            stream = client.event_stream("p")
            with pytest.raises(RuntimeError, match="use `with client"):
                stream.send(event(0))
            stream.close()


@contextlib.asynccontextmanager
async def nothing() -> AsyncIterator[str]:
    yield "here"


def test_what_stops_the_thread_from_starting_is_raised_where_it_was_asked_for() -> None:
    def broken() -> contextlib.AbstractAsyncContextManager[str]:
        raise ValueError("such options cannot be")

    with pytest.raises(ValueError, match="such options cannot be"):
        Portal(broken)


def test_an_interrupted_wait_cancels_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        assert begun.wait(5)
        raise KeyboardInterrupt

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    begun, ended = threading.Event(), threading.Event()
    portal = Portal(nothing)
    with monkeypatch.context() as patched:
        patched.setattr(Future, "result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            portal.wait(work())
    assert ended.wait(5)
    portal.stop()


async def test_a_full_inbox_lets_a_waiting_thread_know_that_it_was_closed() -> None:
    async def work() -> None: ...

    inbox = Inbox(lambda: None, most=1)
    inbox.put(Item(work, Future()))
    assert not inbox.put(Item(work, Future()), timeout=0)
    waiting = asyncio.create_task(asyncio.to_thread(inbox.put, Item(work, Future())))
    inbox.refuse(errors.StreamClosed())
    with pytest.raises(errors.StreamClosed):
        await waiting
    assert len(inbox.take()) == 1
    await until(lambda: len(inbox) == 0)
