"""What an application without an event loop gets: the same methods, from any thread, ended in good order."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from llm_incident_client import NO_RETRY, Phase, StreamOptions, StreamState, errors, pb
from llm_incident_client.core.retry import Backoff
from llm_incident_client.sync import IncidentClient
from tests.support.proxy import Fate, Proxy
from tests.support.server import RunningServer, free_port, running_server
from tests.support.waiting import until

QUICK = Backoff(timedelta(milliseconds=5), timedelta(milliseconds=100))


@pytest.fixture
def client(server: RunningServer) -> Iterator[IncidentClient]:
    with IncidentClient(server.grpc) as connected:
        yield connected


def event(title: str, dedup_key: str = "") -> pb.Event:
    return pb.Event(source="app", title=title, service=title, dedup_key=dedup_key)


def threads_of_clients() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "llm-incident-client"]


def test_a_call_returns_what_the_asynchronous_one_does(client: IncidentClient) -> None:
    created = client.create_incident("app", "by hand", severity=pb.Severity.SEVERITY_P2, labels={"a": "b"})
    taken = client.acknowledge(created.id, actor="ann")
    note = client.add_note(created.number, "learned something", actor="ann")
    assert (taken.state, note.text) == (pb.IncidentState.INCIDENT_STATE_ACKNOWLEDGED, "learned something")
    told = [entry.id for entry in client.iter_timeline(created.id, page_size=2)]
    assert note.id in told
    assert told == sorted(set(told)), "oldest first, each once"


def test_a_refusal_is_the_same_exception(client: IncidentClient) -> None:
    created = client.create_incident("app", "refused")
    with pytest.raises(errors.IllegalTransition) as illegal:
        client.close(created.id)
    assert "acknowledge" in illegal.value.metadata["allowed"]
    with pytest.raises(errors.InvalidRequest):
        next(client.watch(filter="no such ( filter"))


def test_nobody_there_is_unavailable() -> None:
    with IncidentClient(f"127.0.0.1:{free_port()}", retries=NO_RETRY) as client, pytest.raises(errors.Unavailable):
        client.get_incident("x")


def test_all_pages_are_walked_through(client: IncidentClient) -> None:
    client.submit_events(event(f"page {number}", dedup_key=f"page-{number}") for number in range(25))
    found = [one.title for one in client.iter_incidents(filter='source = "app" AND title = "page*"', page_size=7)]
    assert len(found) == len(set(found)) == 25


def test_an_argument_may_be_read_from_the_client_itself(client: IncidentClient) -> None:
    template = client.create_incident("app", "template", assignees=["ann", "bob"])
    created = client.create_incident("app", "like the template")
    changed = client.assign(created.id, (name for name in client.get_incident(template.id).assignees))
    assert list(changed.assignees) == ["ann", "bob"]


def test_many_threads_share_one_client(client: IncidentClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.submit_event(event("shared")), range(200)))
    assert len({answer.incident_id for answer in answers}) == 1
    assert client.get_incident(answers[0].incident_id).event_count == 200


def test_a_watch_shows_changes_until_another_thread_closes_it(client: IncidentClient) -> None:
    seen: list[str] = []
    changed, moved = threading.Event(), threading.Event()
    watch = client.watch(filter='service = "watched"', snapshot=True)

    def follow() -> None:
        for change in watch:
            seen.append(pb.ChangeKind.Name(change.kind))
            (moved if change.kind == pb.ChangeKind.CHANGE_KIND_STATE else changed).set()

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(follow)
        created = client.create_incident("app", "watched", service="watched")
        assert changed.wait(10)
        client.acknowledge(created.id)
        assert moved.wait(10)
        watch.close()
        following.result(10)
    # An incident that is opened while the snapshot is taken may be in both.
    assert seen[0] in ("CHANGE_KIND_SNAPSHOT", "CHANGE_KIND_OPENED")
    assert seen[-1] == "CHANGE_KIND_STATE"
    assert list(watch) == []
    watch.close()


def test_a_watch_in_a_block_ends_with_it(client: IncidentClient) -> None:
    client.submit_event(event("in a block"))
    with client.stream_incidents(filter='service = "in a block"') as incidents:
        assert next(incidents).title == "in a block"
    assert list(incidents) == []


async def test_it_works_beside_a_running_loop(server: RunningServer) -> None:
    with IncidentClient(server.grpc) as client:
        assert client.create_incident("app", "in a notebook").title == "in a notebook"


def test_its_own_thread_is_told_that_it_would_wait_for_itself(client: IncidentClient) -> None:
    told: list[str] = []

    def ask(_: object) -> None:
        for call in (lambda: client.get_incident("x"), lambda: stream.send(event("never"))):
            try:
                call()
            except RuntimeError as error:
                told.append(str(error))

    with client.event_stream("callbacks") as stream:
        sent = stream.send(event("callback"))
        sent.add_done_callback(ask)
        stream.flush()
    assert len(told) == 2
    assert all("would wait for itself" in one for one in told)


async def test_shutting_down_ends_what_waits_and_refuses_what_follows(server: RunningServer) -> None:
    async with Proxy("127.0.0.1", server.grpc_port, lambda: Fate(black_hole_after=0)) as silent:
        client = IncidentClient(silent.address)
        waiting = [asyncio.create_task(asyncio.to_thread(client.get_incident, "x")) for _ in range(3)]
        watching = asyncio.create_task(asyncio.to_thread(list, client.watch()))
        await until(lambda: silent.connections > 0)
        await asyncio.to_thread(client.shutdown)
        client.shutdown()
        for one in (*waiting, watching):
            with pytest.raises(errors.ClientClosed):
                await one
    with pytest.raises(errors.ClientClosed, match="make a new one"):
        client.get_incident("x")
    with pytest.raises(errors.ClientClosed):
        next(client.watch())


def test_shutting_down_with_an_open_stream_leaves_no_future_without_an_end() -> None:
    with IncidentClient(f"127.0.0.1:{free_port()}") as client:
        stream = client.event_stream("p").__enter__()
        sent = [stream.send(event("never")) for _ in range(3)]
    outcomes = [future.exception(timeout=5) for future in sent]
    assert [type(outcome) for outcome in outcomes] == [errors.StreamClosed] * 3
    with pytest.raises(errors.StreamClosed):
        stream.send(event("later"))


def test_a_dropped_client_ends_its_thread(server: RunningServer) -> None:
    before = len(threads_of_clients())
    client = IncidentClient(server.grpc)
    assert client.create_incident("app", "dropped").title
    incidents = client.iter_incidents()
    assert len(threads_of_clients()) == before + 1
    del client
    gc.collect()
    assert next(incidents).id, "an iteration keeps its client"
    del incidents
    gc.collect()
    assert len(threads_of_clients()) == before


async def test_a_stream_fed_by_many_threads_loses_and_doubles_nothing_through_kills() -> None:
    states: list[StreamState] = []
    async with running_server() as server:

        def produce() -> list[pb.EventResult]:
            options = StreamOptions(backoff=QUICK, on_state=states.append, max_unacknowledged=300)
            with (
                IncidentClient(server.grpc) as client,
                client.event_stream("threads", options) as stream,
                ThreadPoolExecutor(4) as pool,
            ):
                parts = pool.map(lambda _: slowly(stream.send), range(4))
                return [future.result(60) for part in parts for future in part]

        producing = asyncio.create_task(asyncio.to_thread(produce))
        for _ in range(2):
            opened = len(states)
            await until(partial(is_open_again, states, opened))
            await server.kill()
            await server.start()
        results = await producing
        with IncidentClient(server.grpc) as client:
            incidents = list(client.iter_incidents(filter='title = "fed"'))
    assert len({result.event_id for result in results}) == 4000
    assert (len(incidents), sum(one.event_count for one in incidents)) == (7, 4000)


def is_open_again(states: list[StreamState], since: int) -> bool:
    return any(state.phase is Phase.OPEN for state in states[since:])


def slowly(send: Callable[[pb.Event], "Future[pb.EventResult]"]) -> "list[Future[pb.EventResult]]":
    """A thousand events over about a second, so that kills fall in between."""
    sent = []
    for number in range(1000):
        sent.append(send(pb.Event(source="app", title="fed", service=f"s{number % 7}")))
        if number % 50 == 0:
            time.sleep(0.05)
    return sent
