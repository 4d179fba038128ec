"""Promises by the wall clock, once, on a real server that is killed while they last."""

import asyncio
import contextlib
from datetime import UTC, timedelta

import aiohttp

from llm_incident_client import IncidentClient, pb
from tests.support.command import command
from tests.support.http import whole
from tests.support.server import running_server

CONFIG = """
sla:
  acknowledge_secs: {P1: 3}
  resolve_secs: {P1: 6}
"""


async def test_broken_promises_outlive_a_killed_server_and_are_told_once_each() -> None:
    async with running_server(config=CONFIG) as server:
        async with IncidentClient(server.grpc) as client:
            created = await client.create_incident("app", "nobody looks", severity=pb.Severity.SEVERITY_P1)
            opened = created.create_time.ToDatetime(UTC)
            assert created.sla.acknowledge_deadline.ToDatetime(UTC) - opened == timedelta(seconds=3)
            assert created.sla.resolve_deadline.ToDatetime(UTC) - opened == timedelta(seconds=6)
        await server.kill()
        await server.start()
        async with IncidentClient(server.grpc) as client:
            async with asyncio.timeout(30):
                await broken(client, created.id, resolving=False)
                await broken(client, created.id, resolving=True)
            entries = [entry async for entry in client.iter_timeline(created.id)]
            told = [e for e in entries if e.kind == pb.TimelineKind.TIMELINE_KIND_SLA_BREACHED]
            assert [entry.details["promise"] for entry in told] == ["acknowledge", "resolve"]
            late = [
                entry.time.ToDatetime(UTC) - opened - timedelta(seconds=s)
                for entry, s in zip(told, (3, 6), strict=True)
            ]
            assert all(timedelta(0) <= each < timedelta(seconds=10) for each in late)
            found = [one.number async for one in client.iter_incidents(filter="resolve_breach_time:*")]
            assert found == [created.number]
        shown = (await command("incident", "show", created.number, server=server)).out.splitlines()
        assert any(line.startswith("told of breaches") and "not resolved in time" in line for line in shown)
        page = (await whole(aiohttp.request("GET", f"{server.http}/metrics"))).text
        assert 'incident_manager_sla_resolution_breached_total{severity="P1"} 1.0' in page


async def broken(client: IncidentClient, incident_id: str, *, resolving: bool) -> None:
    """Returns when the breach is there."""
    async with contextlib.aclosing(client.watch(filter=f'id = "{incident_id}"', snapshot=True)) as changes:
        async for change in changes:
            field = change.incident.resolve_breach_time if resolving else change.incident.acknowledge_breach_time
            if field.seconds:
                return
