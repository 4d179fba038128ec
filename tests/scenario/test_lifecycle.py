"""The rest of an incident's life as people see it: merged, taken apart, split, linked, changed in sets, counted."""

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from llm_incident_client import IncidentClient, errors, pb
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def client(server: RunningServer) -> AsyncIterator[IncidentClient]:
    async with IncidentClient(server.grpc) as connected:
        yield connected


async def report(client: IncidentClient, key: str, **fields: object) -> pb.SubmitEventResponse:
    event = pb.Event(source="merger", title=f"Problem {key}", dedup_key=key, **fields)  # type: ignore[arg-type]
    return await client.submit_event(event)


async def test_events_follow_an_incident_into_a_merge_and_out_of_it(client: IncidentClient) -> None:
    target, source = (await report(client, "m1")).incident_id, (await report(client, "m2", severity="P0")).incident_id
    merged = await client.merge(target, [source])
    assert (merged.event_count, merged.severity) == (2, pb.Severity.SEVERITY_P0)
    assert (await client.get_incident(source)).merged_into == target
    assert (await report(client, "m2")).incident_id == target
    with pytest.raises(errors.Merged) as refused:
        await client.acknowledge(source)
    assert refused.value.metadata["merged_into"] == target
    apart = await client.unmerge(source, reason="not the same")
    assert (apart.incident.state, apart.target.event_count) == (pb.IncidentState.INCIDENT_STATE_NEW, 2)
    assert (await report(client, "m2")).incident_id == source
    kinds = [entry.kind async for entry in client.iter_timeline(source)]
    assert {pb.TimelineKind.TIMELINE_KIND_MERGED, pb.TimelineKind.TIMELINE_KIND_UNMERGED} <= set(kinds)


async def test_events_that_do_not_belong_get_an_incident_of_their_own(client: IncidentClient) -> None:
    whole = (await report(client, "s1")).incident_id
    event = await report(client, "s1", severity="P1")
    parted = await client.split(whole, [event.event_id], title="Something else", reason="another customer")
    assert (parted.moved_event_count, parted.incident.event_count, parted.new_incident.event_count) == (1, 1, 1)
    assert (parted.new_incident.title, parted.new_incident.severity) == ("Something else", pb.Severity.SEVERITY_P1)
    assert [(f.moved, f.reason) for f in parted.fingerprints] == [(False, "events_remain"), (True, "new")]
    own = parted.fingerprints[-1].value
    assert (await report(client, own)).incident_id == parted.new_incident.id
    related = [r async for r in client.iter_related(whole, page_size=1)]
    assert [(r.relation, r.incident.id) for r in related] == [(pb.Relation.RELATION_SPLIT_INTO, parted.new_incident.id)]


async def test_people_link_attach_and_comment_over_http(server: RunningServer, client: IncidentClient) -> None:
    one, other = (await report(client, "l1")).incident_id, (await report(client, "l2")).incident_id
    base = f"{server.http}/api/v1/incidents"
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{base}/{one}/links", json={"linked_incident_id": other, "reason": "same deploy"}) as got:
            assert (got.status, (await got.json())["relation"]) == (201, "LINKED")
        async with http.post(f"{base}/{one}/comments", json={"text": "looking", "actor": "ann"}) as got:
            assert got.status == 201
        async with http.get(f"{base}/{one}/comments") as got:
            assert [note["text"] for note in (await got.json())["notes"]] == ["looking"]
        async with http.post(f"{base}/{one}/attachments", json={"url": "https://logs.example/1?x=2"}) as got:
            attachment = await got.json()
            assert (got.status, attachment["title"]) == (201, "https://logs.example/1?x=2")
        for bad in ("ftp://x/y", "https://user:secret@x/y", "https:///nothing", "javascript:alert(1)"):
            async with http.post(f"{base}/{one}/attachments", json={"url": bad}) as got:
                assert got.status == 400, bad
        async with http.delete(f"{base}/{one}/attachments/{attachment['id']}") as got:
            assert got.status == 200
        async with http.delete(f"{base}/{one}/links/{other}") as got:
            assert (got.status, (await got.json())["id"]) == (200, one)
        async with http.get(f"{base}/{other}/related") as got:
            assert (await got.json())["related"] == []


async def test_a_filter_wide_verb_is_previewed_guarded_and_done(client: IncidentClient) -> None:
    for number in range(4):
        await client.submit_event(pb.Event(source="bulk", title=f"{number}", dedup_key=f"bulk{number}"))
    wanted, resolve = 'source = "bulk" AND state = NEW', pb.ApplyResolve(root_cause="one deploy", force=True)
    preview = await client.apply(wanted, resolve, preview=True)
    assert (preview.matched, preview.changed, len(preview.sample), preview.preview) == (4, 4, 4, True)
    await client.acknowledge(preview.sample[0].id)
    with pytest.raises(errors.CountChanged) as changed:
        await client.apply(wanted, resolve, expected_count=preview.matched)
    assert changed.value.metadata["matched"] == "3"
    done = await client.apply(wanted, resolve, expected_count=3, request_id="bulk-1")
    assert (done.matched, done.changed, done.failed) == (3, 3, 0)
    assert await client.apply(wanted, resolve, expected_count=3, request_id="bulk-1") == done
    left = await client.apply('source = "bulk"', pb.ApplyAcknowledge())
    assert (left.changed, left.unchanged, left.failed) == (0, 1, 3)
    assert {failure.reason for failure in left.failures} == {"ILLEGAL_TRANSITION"}


async def test_figures_count_what_was_merged_once(client: IncidentClient) -> None:
    ids = [
        (await client.submit_event(pb.Event(source="counted", title=key, dedup_key=key, severity="P2"))).incident_id
        for key in ("f1", "f2", "f3")
    ]
    await client.merge(ids[0], ids[1:2])
    await client.acknowledge(ids[0])
    await client.resolve(ids[2], force=True)
    reply = await client.get_metrics(filter='source = "counted"', group_by="state")
    assert (reply.total.count, reply.total.open_count, reply.group_count) == (2, 1, 2)
    assert {group.value: group.figures.count for group in reply.groups} == {"ACKNOWLEDGED": 1, "RESOLVED": 1}
    assert (reply.total.time_to_acknowledge.count, reply.total.time_to_resolve.count) == (1, 1)
    resolved = await client.get_incident(ids[2])
    assert reply.total.time_to_resolve.p95 == resolved.time_to_resolve
    assert resolved.HasField("time_to_detect")


async def test_a_repeated_request_is_not_counted_again(server: RunningServer, client: IncidentClient) -> None:
    async def counted() -> dict[str, float]:
        async with aiohttp.request("GET", f"{server.http}/metrics") as reply:
            text = await reply.text()
        names = ("incidents_created_total", "escalations_triggered_total")
        return {name: sum(map(float, re.findall(rf"^\w*{name}\S* (\S+)$", text, re.MULTILINE))) for name in names}

    before = await counted()
    for _ in range(3):
        created = await client.create_incident("app", "once", request_id="created-once")
        await client.escalate(created.id, request_id="escalated-once")
    after = await counted()
    assert {name: after[name] - before[name] for name in after} == dict.fromkeys(after, 1.0)
