"""A snooze by the wall clock, once, on a real server that is killed while it lasts."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from llm_incident_client import IncidentClient, errors, pb
from tests.support.http import whole
from tests.support.server import running_server


async def test_a_snooze_outlives_a_killed_server_and_ends_in_its_time() -> None:
    async with running_server() as server:
        until = datetime.now(UTC) + timedelta(seconds=6)
        async with IncidentClient(server.grpc) as client:
            created = await client.create_incident("app", "loud", severity=pb.Severity.SEVERITY_P1)
            snoozed = await client.snooze(created.id, until, actor="ann", request_id="once")
            assert await client.snooze(created.id, until, actor="ann", request_id="once") == snoozed
            assert snoozed.snoozed_until.ToDatetime(UTC) == until
            with pytest.raises(errors.InvalidRequest, match="has passed"):
                await client.snooze(created.id, datetime(2020, 1, 1, tzinfo=UTC))
        await server.kill()
        await server.start()
        async with IncidentClient(server.grpc) as client:
            found = [one.number async for one in client.iter_incidents(filter="snoozed_until:*")]
            assert found == [created.number]
            async with asyncio.timeout(30):
                await awake(client, created.id)
            entries = [entry async for entry in client.iter_timeline(created.id)]
            first, last = [e for e in entries if e.kind == pb.TimelineKind.TIMELINE_KIND_SNOOZED]
            assert (first.details["verb"], first.actor, last.details["verb"]) == ("snooze", "ann", "wake")
            assert timedelta(0) <= last.time.ToDatetime(UTC) - until < timedelta(seconds=5)
        page = (await whole(aiohttp.request("GET", f"{server.http}/metrics"))).text
        assert 'incident_manager_timers_fired_total{kind="snooze"} 1.0' in page
        assert "incident_manager_timers_due 0.0" in page


async def awake(client: IncidentClient, incident_id: str) -> None:
    """Returns when the incident is snoozed no more."""
    async with contextlib.aclosing(client.watch(filter=f'id = "{incident_id}"', snapshot=True)) as changes:
        async for change in changes:
            if not change.incident.HasField("snoozed_until"):
                return
