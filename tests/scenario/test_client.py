"""What an application gets from the client library: typed calls and errors, safe repeats, a watch without gaps."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from llm_incident_client import NO_RETRY, IncidentClient, RetryPolicy, StreamOptions, errors, pb
from llm_incident_client.core.retry import Backoff
from tests.support.proxy import Fate, Proxy
from tests.support.server import RunningServer, free_port, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUICK = Backoff(timedelta(milliseconds=5), timedelta(milliseconds=100))


@pytest_asyncio.fixture(loop_scope="module")
async def client(server: RunningServer) -> AsyncIterator[IncidentClient]:
    async with IncidentClient(server.grpc) as connected:
        yield connected


def event(title: str, dedup_key: str = "") -> pb.Event:
    return pb.Event(source="app", title=title, service=title, dedup_key=dedup_key)


async def test_every_verb_returns_the_incident_as_it_is_then(client: IncidentClient) -> None:
    created = await client.create_incident("app", "by hand", severity=pb.Severity.SEVERITY_P2, labels={"a": "b"})
    states = [
        await client.acknowledge(created.id, actor="ann"),
        await client.start_work(created.id),
        await client.escalate(created.id, reason="too big"),
        await client.de_escalate(created.id),
        await client.assign(created.id, ["ann", "bob"]),
        await client.resolve(created.id, notes="done", root_cause="a deploy", resolved_by="bob"),
        await client.reopen(created.id),
        await client.resolve(created.number),
        await client.close(created.id),
    ]
    assert [pb.IncidentState.Name(one.state).removeprefix("INCIDENT_STATE_") for one in states] == [
        "ACKNOWLEDGED", "IN_PROGRESS", "ESCALATED", "IN_PROGRESS", "IN_PROGRESS", "RESOLVED", "IN_PROGRESS",
        "RESOLVED", "CLOSED",
    ]  # fmt: skip
    note = await client.add_note(created.id, "learned something", actor="ann")
    assert (note.text, note.actor) == ("learned something", "ann")
    told = [entry.id async for entry in client.iter_timeline(created.id, page_size=2)]
    assert note.id in told
    assert told == sorted(set(told)), "oldest first, each once"


async def test_fields_are_edited_under_an_etag(client: IncidentClient) -> None:
    created = await client.create_incident("app", "edited")
    changed = pb.Incident(id=created.id, title="edited twice", kind="ignored", etag=created.etag)
    updated = await client.update_incident(changed, update_mask=["title"])
    assert (updated.title, updated.kind) == ("edited twice", created.kind)
    with pytest.raises(errors.StaleEtag) as stale:
        await client.update_incident(changed, update_mask=["title"])
    assert stale.value.metadata["current"] == updated.etag


async def test_refusals_are_exceptions_of_their_own(client: IncidentClient) -> None:
    created = await client.create_incident("app", "refusals", dedup_key="refusals")
    with pytest.raises(errors.IllegalTransition) as illegal:
        await client.close(created.id)
    assert "acknowledge" in illegal.value.metadata["allowed"]
    with pytest.raises(errors.FingerprintTaken) as taken:
        await client.create_incident("app", "refusals again", dedup_key="refusals")
    assert taken.value.metadata["holder"] == created.id
    with pytest.raises(errors.NotFound):
        await client.get_incident("INC-20200101-00001")
    with pytest.raises(errors.InvalidRequest) as invalid:
        await client.submit_event(pb.Event(title="x" * 501, environment="y" * 65))
    assert {violation.field for violation in invalid.value.violations} >= {"event.source", "event.title"}
    with pytest.raises(errors.NotAvailable):
        await client.analyze_correlations(created.id)


async def test_a_call_repeated_under_its_request_id_takes_effect_once(client: IncidentClient) -> None:
    first = await client.submit_event(event("repeated"), request_id="once")
    again = await client.submit_event(event("repeated"), request_id="once")
    assert again == first
    with pytest.raises(errors.RequestIdReused):
        await client.submit_event(event("another"), request_id="once")
    assert (await client.get_incident(first.incident_id)).event_count == 1


async def test_a_batch_tells_the_bad_from_the_good_and_an_event_can_be_asked_after(client: IncidentClient) -> None:
    reply = await client.submit_events([event("batch"), pb.Event(title="no source"), event("batch")])
    assert [pb.Disposition.Name(one.disposition) for one in reply.results] == [
        "DISPOSITION_NEW", "DISPOSITION_REJECTED", "DISPOSITION_ATTACHED",
    ]  # fmt: skip
    record = await client.get_event(reply.results[0].event_id)
    told = await client.explain_event(record.event_id)
    assert record.event.title == "batch"
    assert told.event.incident_id == reply.results[0].incident_id


async def test_all_pages_are_walked_through(client: IncidentClient) -> None:
    await client.submit_events([event(f"page {number}", dedup_key=f"page-{number}") for number in range(25)])
    found = [one.title async for one in client.iter_incidents(filter='source = "app" AND title = "page*"', page_size=7)]
    assert len(found) == len(set(found)) == 25


async def test_a_lost_answer_is_asked_for_again_and_counts_once(server: RunningServer) -> None:
    fates = iter([Fate(down=200), Fate(down=400), Fate(up=700), Fate(down=600)])
    patient = RetryPolicy(attempts=20, backoff=QUICK)
    async with Proxy("127.0.0.1", server.grpc_port, lambda: next(fates, Fate())) as proxy:
        async with IncidentClient(proxy.address, retries=patient) as client:
            answers = [await client.submit_event(event("lost answers")) for _ in range(10)]
            incident = await client.get_incident(answers[0].incident_id)
        assert proxy.cuts >= 3
    assert incident.event_count == 10


async def test_without_retries_the_first_failure_is_the_answer() -> None:
    async with IncidentClient(f"127.0.0.1:{free_port()}", retries=NO_RETRY) as client:
        with pytest.raises(errors.Unavailable) as refused:
            await client.get_incident("x")
    assert refused.value.reason == ""


async def test_a_deadline_holds_when_nobody_answers(server: RunningServer) -> None:
    brief = timedelta(milliseconds=300)
    silent = Proxy("127.0.0.1", server.grpc_port, lambda: Fate(black_hole_after=0))
    async with silent, IncidentClient(silent.address, deadline=brief) as client:
        started = asyncio.get_running_loop().time()
        with pytest.raises(errors.DeadlineExceeded):
            await client.get_incident("x")
        assert 0.2 < asyncio.get_running_loop().time() - started < 5


async def test_stream_incidents_shows_what_is_open_then_what_changes(client: IncidentClient) -> None:
    created = await client.create_incident("app", "streamed", service="streamed")
    async with contextlib.aclosing(client.stream_incidents(filter='service = "streamed"')) as incidents:
        first = await anext(incidents)
        await client.acknowledge(created.id)
        second = await anext(incidents)
    assert (first.id, second.id) == (created.id, created.id)
    assert (first.state, second.state) == (
        pb.IncidentState.INCIDENT_STATE_NEW, pb.IncidentState.INCIDENT_STATE_ACKNOWLEDGED
    )  # fmt: skip


async def test_a_watch_shows_every_change_once_through_cuts_and_restarts() -> None:
    async with running_server() as server, Proxy("127.0.0.1", server.grpc_port) as proxy:
        patient = RetryPolicy(attempts=100, backoff=QUICK)
        async with IncidentClient(proxy.address) as watcher, IncidentClient(server.grpc, retries=patient) as client:
            seen: list[str] = []
            await client.submit_event(event("begin", dedup_key="begin"))  # later it might be in snapshot and feed
            watching = asyncio.create_task(collect(watcher, seen, 60))
            await reaches(seen, 1)
            for number in range(59):
                await client.submit_event(event(f"n{number}", dedup_key=f"n{number}"))
                if number % 10 == 5:
                    proxy.cut()
                if number == 30:
                    await server.kill()
                    await server.start()
            async with asyncio.timeout(30):
                await watching
    assert seen == ["begin", *(f"n{number}" for number in range(59))]


async def test_a_stream_counts_every_event_once_through_cuts_and_a_kill() -> None:
    async with running_server() as server, Proxy("127.0.0.1", server.grpc_port) as proxy:
        options = StreamOptions(backoff=QUICK, max_unacknowledged=500)
        async with IncidentClient(proxy.address) as client, client.event_stream("app", options) as stream:
            batches = []
            for start in range(0, 3000, 100):
                batches.append(
                    await stream.send_many(event("streamed", f"k{n % 7}") for n in range(start, start + 100))
                )
                if start % 500 == 300:
                    proxy.cut()
                if start == 1500:
                    await server.kill()
                    await server.start()
            results = [result for batch in batches for result in await batch]
            incidents = [one async for one in client.iter_incidents(filter='title = "streamed"')]
    assert len({result.event_id for result in results}) == 3000
    assert (len(incidents), sum(one.event_count for one in incidents)) == (7, 3000)


async def collect(client: IncidentClient, seen: list[str], count: int) -> None:
    async with contextlib.aclosing(client.watch(backoff=QUICK, snapshot=True)) as changes:
        async for change in changes:
            if change.kind in {pb.ChangeKind.CHANGE_KIND_OPENED, pb.ChangeKind.CHANGE_KIND_SNAPSHOT}:
                seen.append(change.incident.title)
            if len(seen) == count:
                return


async def reaches(seen: list[str], count: int) -> None:
    async with asyncio.timeout(10):
        while len(seen) < count:  # noqa: ASYNC110 - the other task has no event to offer
            await asyncio.sleep(0.01)


async def test_a_watch_that_can_never_work_says_so_at_once(client: IncidentClient) -> None:
    with pytest.raises(errors.InvalidRequest):
        await anext(client.watch(filter="no such ( filter"))
    with pytest.raises(errors.InvalidRequest):
        await anext(client.watch(resume_token="damaged"))
