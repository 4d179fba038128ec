"""`ledger check` as people type it: beside a running server, on a damaged database, and where it cannot work."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from llm_incident_client import IncidentClient, pb
from tests.support.command import command
from tests.support.postgres import Cluster
from tests.support.server import RunningServer, running_server


async def test_beside_a_running_server_it_prints_a_line_a_check_and_leaves_nothing_behind() -> None:
    async with running_server() as server, IncidentClient(server.grpc) as client:
        for _ in range(3):
            await client.submit_event(pb.Event(source="s", title="it fails", dedup_key="k", idempotency_key="once"))
        env = {"DATABASE_URL": f"sqlite:///{server.data}"}
        before = set(server.data.iterdir())
        done = await command("ledger", "check", env=env)
        assert set(server.data.iterdir()) == before
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "accepted 3 = 1 NEW + 2 DUPLICATE"
    assert "dispositions: ok 3: events have one disposition, with a reason that belongs to it" in lines
    assert "idempotency: ok 1: idempotency keys name an accepted event" in lines
    assert lines[-1] == "the ledger adds up"


async def test_on_postgresql_too(cluster: Cluster) -> None:
    dsn = cluster.dsn(cluster.create())
    env = {"DATABASE_URL": dsn, "LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}
    async with running_server(env=env) as server, IncidentClient(server.grpc) as client:
        await client.submit_event(pb.Event(source="s", title="it fails"))
        done = await command("ledger", "check", "--json", env=env)
    assert done.code == 0, done.err
    assert (done.json["store"], done.json["accepted"], done.json["adds_up"]) == ("postgresql", 1, True)


async def test_what_does_not_add_up_is_named_and_ends_with_code_1(tmp_path: Path) -> None:
    env = {"DATABASE_URL": f"sqlite://{tmp_path}"}
    async with running_server(env=env) as server, IncidentClient(server.grpc) as client:
        first = await client.submit_event(pb.Event(source="s", title="it fails", dedup_key="k"))
        later = [await client.submit_event(pb.Event(source="s", title="it fails", dedup_key="k")) for _ in range(6)]
        assert await server.terminate() == 0
    with closing(sqlite3.connect(tmp_path / "incidents.db")) as connection, connection:
        connection.execute("UPDATE event SET reason = 'no_such' || char(27)")
    done = await command("ledger", "check", env=env)
    assert done.code == 1
    assert "dispositions: WRONG 7 of 7: events have one disposition" in done.out
    assert f"  {first.event_id} has disposition 1 for reason no_such\N{REPLACEMENT CHARACTER}" in done.out.splitlines()
    assert later[-1].event_id not in done.out
    assert "  and 2 more" in done.out.splitlines()
    assert done.out.splitlines()[-1] == "the ledger does not add up, failed checks: 1"
    told = await command("ledger", "check", "-o", "json", env=env)
    assert told.code == 1
    assert [check["name"] for check in told.json["checks"] if check["wrong"]] == ["dispositions"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite::memory:", "keeps nothing that could be checked: choose sqlite or postgresql"),
        ("sqlite:nowhere", "there is no database nowhere"),
        ("postgresql://u@127.0.0.1:1/d", "does not answer"),
    ],
)
async def test_what_cannot_be_checked_is_said_with_its_remedy(tmp_path: Path, url: str, message: str) -> None:
    done = await command("ledger", "check", env={"DATABASE_URL": url}, cwd=tmp_path)
    assert done.code == 1
    assert message in done.err


async def figures(server: RunningServer) -> dict[str, float]:
    """The metrics of events, by name or by disposition."""
    async with aiohttp.request("GET", f"{server.http}/metrics") as page:
        families = text_string_to_metric_families(await page.text())
    found = {}
    for family in families:
        for sample in family.samples:
            if sample.name in ("incident_manager_alerts_processed_total", "incident_manager_incidents_created_total"):
                found[sample.name.removeprefix("incident_manager_")] = sample.value
            elif sample.name == "incident_manager_events_total":
                found[sample.labels["disposition"]] = sample.value
    return found


def event(key: str, title: str = "it fails") -> pb.Event:
    return pb.Event(source="s", title=title, dedup_key=key)


async def test_metrics_and_ledger_agree_whatever_way_events_came_in() -> None:
    async with running_server() as server, IncidentClient(server.grpc) as client:
        for _ in range(2):
            await client.submit_event(event("a"), request_id="one")
            await client.submit_events([event("b"), event("b"), event("c", title="")], request_id="many")
        await client.submit_event(event("a"))
        await asyncio.gather(*(client.submit_event(event("d"), request_id="at once") for _ in range(5)))
        async with client.event_stream("p") as stream:
            await (await stream.send_many([event("e"), event("e")]))
        found = await figures(server)
        done = await command("ledger", "check", "-o", "json", env={"DATABASE_URL": f"sqlite:///{server.data}"})
    assert done.code == 0, done.out
    assert (found["new"], found["attached"], found["incidents_created_total"]) == (4, 3, 4)
    assert done.json["dispositions"] == {"NEW": 4, "ATTACHED": 3}
    accepted = sum(count for name, count in found.items() if name in ("new", "attached"))
    assert found["alerts_processed_total"] == accepted == done.json["accepted"]


async def told_of(client: IncidentClient, event_id: str) -> pb.ExplainEventResponse:
    """What is told of an event once all that follows its commit is done."""
    async with asyncio.timeout(10):
        while True:
            whole = await client.explain_event(event_id)
            if {stage.state for stage in whole.stages} == {"done"}:
                return whole
            await asyncio.sleep(0.05)


async def test_explain_tells_what_followed_the_commit() -> None:
    async with running_server() as server, IncidentClient(server.grpc) as client:
        first = await client.submit_event(event("a"))
        attached = await client.submit_event(event("a"))
        whole = await told_of(client, first.event_id)
        printed = await command("event", "explain", first.event_id, server=server)
        other = await command("event", "explain", attached.event_id, server=server)
    assert [(each.route, each.for_event, each.attempts) for each in whole.deliveries] == [("default", True, 1)]
    assert whole.deliveries[0].HasField("update_time")
    steps = printed.out.splitlines()
    assert [step for step in steps if "route done at" in step and "route default asked to tell log: opened" in step]
    assert [step for step in steps if "notify done at" in step and "log sent after 1 attempt (opened)" in step]
    assert "route not needed: the event changed nothing that anybody is told of" in other.out
    assert "for something else: log sent (opened, 1 attempts)" in other.out
