"""API keys as callers meet them, over gRPC and REST alike."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import grpc
import pytest
import pytest_asyncio

from llm_incident_client import IncidentClient, pb
from llm_incident_client.core.errors import AccessDenied, IncidentManagerError, NotFound
from llm_incident_manager.domain.api_keys import text_of
from tests.support.callers import REQUIRED, calling, first_key, over_http
from tests.support.fleet import page
from tests.support.http import whole
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRONG = "lim_01ARZ3NDEKTSV4RRFFQ69G5FAV_" + "x" * 43 + "_00000000"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """A server on which nobody is locked out, whatever they try."""
    async with running_server(env={"LLM_IM__IDENTITY__LOCKOUT__FAILURES": "1000000"}) as started:
        yield started


async def revoke(server: RunningServer, key: str) -> None:
    async with calling(server) as boss:
        found = [one async for one in boss.iter_api_keys(page_size=1000)]
        (one,) = [each for each in found if each.id == key.split("_")[1]]
        await boss.revoke_api_key(one.id, reason="test")


async def test_a_key_says_who_calls_at_both_doors(server: RunningServer) -> None:
    key = await first_key(server, "viewer", subject="dashboard", services=["chat"])
    async with calling(server, key) as client:
        who = await client.who_am_i()
    assert (who.tenant, who.subject, list(who.roles), who.proven_by) == ("default", "dashboard", ["viewer"], "api_key")
    assert who.credential == key.split("_")[1]
    assert list(who.condition.services) == ["chat"]
    reply = await over_http(server, "/api/v1/whoami", key)
    assert (reply.status, reply.json["subject"], reply.json["credential"]) == (200, "dashboard", who.credential)


@pytest.mark.parametrize("wrong", ["", "nonsense", WRONG, "Bearer x"], ids=["empty", "nonsense", "unknown", "other"])
async def test_a_wrong_key_is_refused_though_no_key_at_all_would_do(server: RunningServer, wrong: str) -> None:
    assert (await over_http(server, "/api/v1/whoami")).status == 200
    reply = await over_http(server, "/api/v1/whoami", wrong)
    assert reply.status == 401
    assert reply.json["details"][0]["reason"] == "UNAUTHENTICATED"
    if wrong:
        async with calling(server, wrong) as client:
            with pytest.raises(AccessDenied) as refused:
                await client.who_am_i()
        assert refused.value.reason == "UNAUTHENTICATED"
        assert refused.value.message == reply.json["message"]


async def test_every_wrong_key_gets_the_same_words(server: RunningServer) -> None:
    good = await first_key(server, "viewer")
    gone = await first_key(server, "viewer")
    await revoke(server, gone)
    ended = await first_key(server, "viewer", expires_at=datetime.now(UTC) + timedelta(seconds=0.5))
    await asyncio.sleep(0.6)
    swapped = "_".join((*good.split("_")[:2], gone.split("_")[2]))
    told = {(await over_http(server, "/api/v1/whoami", key)).text for key in (gone, ended, text_of(swapped), "x")}
    assert len(told) == 1


async def test_a_role_bounds_what_a_key_may_do(server: RunningServer) -> None:
    key = await first_key(server, "viewer")
    async with calling(server, key) as client:
        await client.list_incidents()
        with pytest.raises(AccessDenied, match="needs permission INCIDENT_WRITE"):
            await client.create_incident(source="x", title="y")
        with pytest.raises(AccessDenied, match="ACCESS_READ"):
            await client.list_api_keys()


async def test_a_revoked_key_is_refused_at_once_and_its_streams_end(server: RunningServer) -> None:
    key = await first_key(server, "viewer")
    async with calling(server, key) as client:
        await client.who_am_i()
        watching = asyncio.create_task(drained(client))
        await asyncio.sleep(0.2)
        assert not watching.done()
        await revoke(server, key)
        with pytest.raises(AccessDenied):
            await client.who_am_i()
        async with asyncio.timeout(15):
            with pytest.raises(AccessDenied) as ended:
                await watching
        assert ended.value.reason == "UNAUTHENTICATED"


async def to_the_end(stream: "grpc.aio.StreamStreamCall[bytes, pb.StreamEventsResponse]") -> None:
    """Reads heartbeats until the stream ends."""
    while await stream.read():
        pass


async def drained(client: IncidentClient) -> None:
    """Watches until it is refused."""
    async for _ in client.watch():
        pass


async def test_a_producers_stream_ends_with_its_key(server: RunningServer) -> None:
    key = await first_key(server, "producer")
    async with calling(server, key) as client:
        call = client._caller  # the raw stream: the event stream of the SDK would try again for a while
        stream = await call.events()
        await stream.write(pb.StreamEventsRequest(open=pb.StreamOpen(producer_id="p")).SerializeToString())
        opened = await stream.read()
        assert opened is not None
        await revoke(server, key)
        async with asyncio.timeout(15):
            with pytest.raises(grpc.aio.AioRpcError, match="not let in any more"):
                await to_the_end(stream)
            assert await stream.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_former_secret_of_a_rotated_key_works_on_for_the_overlap(server: RunningServer) -> None:
    old = await first_key(server, "viewer")
    async with calling(server) as boss:
        rotated = await boss.rotate_api_key(old.split("_")[1], overlap=timedelta(seconds=2))
    assert rotated.secret != old
    assert rotated.api_key.HasField("former_expire_time")
    for key in (old, rotated.secret):
        assert (await over_http(server, "/api/v1/whoami", key)).status == 200
    async with asyncio.timeout(10):
        while (await over_http(server, "/api/v1/whoami", old)).status == 200:  # noqa: ASYNC110  # the server's time
            await asyncio.sleep(0.1)
    assert (await over_http(server, "/api/v1/whoami", rotated.secret)).status == 200


async def test_a_repeated_request_makes_one_key_and_tells_its_secret_once(server: RunningServer) -> None:
    async with calling(server) as boss:
        first, again = [await boss.create_api_key("a", ["viewer"], request_id="the same") for _ in range(2)]
    assert first.secret
    assert not again.secret
    assert first.api_key == again.api_key


async def test_callers_of_a_suspended_tenant_are_refused_and_let_in_again(server: RunningServer) -> None:
    async with calling(server) as boss:
        await boss.create_tenant("suspended-one")
        key = await first_key(server, "admin", tenant_id="suspended-one")
        async with calling(server, key) as client:
            assert (await client.who_am_i()).tenant == "suspended-one"
            watching = asyncio.create_task(drained(client))
            await asyncio.sleep(0.1)
            await boss.update_tenant("suspended-one", state=pb.TenantState.TENANT_STATE_SUSPENDED)
            with pytest.raises(AccessDenied) as refused:
                await client.who_am_i()
            assert refused.value.reason == "TENANT_SUSPENDED"
            async with asyncio.timeout(15):
                with pytest.raises(IncidentManagerError):
                    await watching
            await boss.update_tenant("suspended-one", state=pb.TenantState.TENANT_STATE_ACTIVE)
            await client.who_am_i()


async def test_tenants_see_neither_each_others_keys_nor_roles_nor_incidents(server: RunningServer) -> None:
    async with calling(server) as boss:
        await boss.create_tenant("other-one")
        own = await boss.create_api_key("of default", ["viewer"])
        await boss.create_role("only-here", [pb.Permission.PERMISSION_INCIDENT_READ])
        incident = await boss.create_incident(source="x", title="of default")
        key = await first_key(server, "admin", tenant_id="other-one")
        async with calling(server, key) as stranger:
            assert [one.id async for one in stranger.iter_api_keys()] == [key.split("_")[1]]
            for asked in (
                stranger.get_api_key(own.api_key.id),
                stranger.revoke_api_key(own.api_key.id),
                stranger.rotate_api_key(own.api_key.id),
                stranger.get_role("only-here"),
                stranger.delete_role("only-here"),
                stranger.get_incident(incident.id),
            ):
                with pytest.raises(NotFound):
                    await asked
            with pytest.raises(AccessDenied, match="TENANT_READ"):
                await stranger.get_tenant("default")
        await boss.get_role("only-here")


async def test_refusals_are_counted_by_their_cause_and_no_secret_is_logged(server: RunningServer) -> None:
    key = await first_key(server, "viewer")
    await over_http(server, "/api/v1/whoami", key)
    await over_http(server, "/api/v1/whoami", WRONG)
    await over_http(server, "/api/v1/whoami", key[:-1] + ("0" if key[-1] != "0" else "1"))
    text = (await page(server, "/metrics")).text
    found = re.search(r'credentials_refused_total{cause="malformed",kind="api_key"} (\S+)', text)
    assert found is not None
    assert float(found[1]) >= 2
    assert key.split("_")[2] not in server.log
    assert WRONG not in server.log


async def test_where_a_credential_is_required_nobody_comes_in_without_one() -> None:
    async with running_server() as server:
        key = await first_key(server, "admin")
        server.env = {**server.env, **REQUIRED}
        await server.restart()
        assert (await over_http(server, "/api/v1/whoami")).status == 401
        assert (await over_http(server, "/api/v1/whoami", key)).status == 200
        assert (await page(server, "/health/ready")).status == 200
        async with calling(server) as client:
            with pytest.raises(AccessDenied):
                await client.who_am_i()


async def test_a_kind_of_credential_that_the_order_leaves_out_never_counts() -> None:
    async with running_server(env={"LLM_IM__IDENTITY__ORDER": "jwt,mtls"}) as server:
        key = await first_key(server, "viewer")
        reply = await over_http(server, "/api/v1/whoami", key)
        assert reply.json["proven_by"] == "anonymous"


async def test_behind_a_trusted_proxy_each_of_its_callers_is_locked_out_alone() -> None:
    settings = {"limits": {"trusted_proxies": ["127.0.0.0/8"]}, "identity": {"lockout": {"failures": 3}}}
    async with running_server(config=json.dumps(settings)) as server:
        key = await first_key(server, "viewer")

        async def asked(shown: str, by: str) -> int:
            headers = {"X-API-Key": shown, "X-Forwarded-For": by}
            return (await whole(aiohttp.request("GET", f"{server.http}/api/v1/whoami", headers=headers))).status

        assert [await asked(WRONG, "192.0.2.1") for _ in range(4)] == [401, 401, 429, 429]
        assert await asked(key, "192.0.2.1") == 429
        assert await asked(WRONG, "192.0.2.2") == 401
        assert await asked(key, "192.0.2.2") == 200


async def test_a_timeline_names_who_it_was_beside_whom_they_named(server: RunningServer) -> None:
    async with calling(server) as boss:
        opened = await boss.create_incident("a", "b")
    key = await first_key(server, "responder")
    async with calling(server, key) as client:
        subject = (await client.who_am_i()).subject
        await client.acknowledge(opened.id, actor="ann")
        await client.add_note(opened.id, "on it", actor=subject)
        entries = (await client.list_timeline(opened.id)).entries
    told = {entry.text: (entry.actor, entry.details.get("by", "")) for entry in entries}
    assert told["NEW to ACKNOWLEDGED by ann"] == ("ann", subject)
    assert told["on it"] == (subject, "")
