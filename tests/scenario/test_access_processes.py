"""Two processes on one database: what one changes of access counts in the other within seconds."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from llm_incident_client import pb
from llm_incident_client.core.errors import AccessDenied, IncidentManagerError
from tests.support.callers import PEPPER, calling, first_key, over_http
from tests.support.fleet import Fleet, a_fleet
from tests.support.postgres import Cluster
from tests.support.server import RunningServer

WITHIN = 5.0
STREAMS_WITHIN = 15.0


@asynccontextmanager
async def two(cluster: Cluster, **env: str) -> AsyncIterator[tuple[Fleet, RunningServer, RunningServer]]:
    """Two processes with one pepper."""
    async with a_fleet(cluster) as fleet:
        one, other = [await fleet.start(API_KEY_PEPPER=PEPPER, **env) for _ in range(2)]
        yield fleet, one, other


async def until(refused: Callable[[], Awaitable[bool]], within: float) -> float:
    """Seconds until it is so."""
    began = time.perf_counter()
    async with asyncio.timeout(within):
        while not await refused():  # noqa: ASYNC110 - another process's answer
            await asyncio.sleep(0.02)
    return time.perf_counter() - began


async def status(server: RunningServer, key: str) -> int:
    return (await over_http(server, "/api/v1/whoami", key)).status


async def watched(server: RunningServer, key: str) -> None:
    """Watches until it is refused."""
    async with calling(server, key) as client:
        async for _ in client.watch():
            pass


async def test_a_key_revoked_in_one_is_refused_in_the_other_and_loses_its_streams(cluster: Cluster) -> None:
    async with two(cluster) as (fleet, one, other):
        key = await first_key(one, "viewer")
        await until(lambda: _is(status(other, key), 200), WITHIN)
        watching = asyncio.create_task(watched(other, key))
        await asyncio.sleep(0.3)
        async with calling(one) as boss:
            await boss.revoke_api_key(key.split("_")[1])
        assert await status(one, key) == 401, "where it was revoked at once"
        await until(lambda: _is(status(other, key), 401), WITHIN)
        async with asyncio.timeout(STREAMS_WITHIN):
            with pytest.raises(AccessDenied):
                await watching
        audited = await fleet.rows("SELECT action FROM audit WHERE action LIKE 'api_key%' ORDER BY at")
        assert audited == [("api_key.create",), ("api_key.revoke",)]


async def test_roles_tenants_and_certificates_are_known_in_the_other_too(cluster: Cluster) -> None:
    async with two(cluster) as (_, one, other), calling(one) as boss:
        await boss.create_role("night-shift", [pb.Permission.PERMISSION_INCIDENT_READ])
        await boss.create_tenant("acme")
        key = await first_key(one, "night-shift")
        foreign = await first_key(one, "viewer", tenant_id="acme")
        await until(lambda: _is(status(other, key), 200), WITHIN)
        async with calling(other, key) as client:
            await client.list_incidents()
            await boss.update_role("night-shift", [pb.Permission.PERMISSION_EVENT_READ])

            async def narrowed() -> bool:
                try:
                    await client.list_incidents()
                except AccessDenied:
                    return True
                return False

            await until(narrowed, WITHIN)
        await until(lambda: _is(status(other, foreign), 200), WITHIN)
        await boss.update_tenant("acme", state=pb.TenantState.TENANT_STATE_SUSPENDED)
        await until(lambda: _is(status(other, foreign), 403), WITHIN)


async def test_without_hints_a_look_every_second_does(cluster: Cluster) -> None:
    """A hint may be lost: here the row is changed behind everybody's back, so that nobody gives one."""
    async with two(cluster) as (fleet, one, other):
        key = await first_key(one, "viewer")
        await until(lambda: _is(status(other, key), 200), WITHIN)
        await fleet.rows("UPDATE access_revision SET revision = revision + 1 RETURNING revision")
        await fleet.rows(
            "UPDATE api_key SET revoked_at = 1, revision = (SELECT revision FROM access_revision) RETURNING id"
        )
        for server in (one, other):
            await until(lambda server=server: _is(status(server, key), 401), WITHIN)  # type: ignore[misc]


async def test_a_process_without_the_pepper_does_not_start_once_there_are_keys(cluster: Cluster) -> None:
    async with a_fleet(cluster) as fleet:
        bare = await fleet.start()
        async with calling(bare) as boss:
            with pytest.raises(IncidentManagerError) as refused:
                await boss.create_api_key("x", ["viewer"])
            assert refused.value.reason == "NOT_CONFIGURED"
            assert refused.value.metadata == {"setting": "identity.api_keys.pepper_file"}
        first = await fleet.start(API_KEY_PEPPER=PEPPER)
        await first_key(first, "viewer")
        with pytest.raises(RuntimeError, match=r"cannot start: the database has 1 API keys.*API_KEY_PEPPER"):
            await fleet.start()
        other = await fleet.start(API_KEY_PEPPER=PEPPER[::-1])
        assert "api_keys.other_pepper" in other.log


async def test_when_a_key_was_last_used_is_known_after_the_process_has_ended(cluster: Cluster) -> None:
    async with two(cluster) as (_, one, other):
        key = await first_key(one, "viewer")
        await until(lambda: _is(status(other, key), 200), WITHIN)
        assert await other.terminate() == 0
        async with calling(one) as boss:
            assert (await boss.get_api_key(key.split("_")[1])).HasField("last_used_time")


async def _is(asked: Awaitable[int], expected: int) -> bool:
    return await asked == expected
