"""Who may connect, and what each may do then: as with any other call."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.support.callers import REQUIRED, calling, first_key
from tests.support.certificates import Papers
from tests.support.http import whole
from tests.support.server import RunningServer, running_server
from tests.support.sockets import EVENT, Talk, talking

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRONG = "lim_01ARZ3NDEKTSV4RRFFQ69G5FAV_" + "x" * 43 + "_00000000"


async def refused(server: RunningServer, *given: str | None, **options: Any) -> tuple[int, Any]:  # noqa: ANN401 - JSON is anything
    """Status and body of the answer to an upgrade."""
    with pytest.raises(InvalidStatus) as answer:
        async with talking(server, *given, **options):
            pass
    body = answer.value.response.body
    return answer.value.response.status_code, json.loads(body) if body else None


async def test_where_a_credential_is_required_nobody_comes_in_without_a_good_one() -> None:
    async with running_server() as server:
        key = await first_key(server, "viewer")
        gone = await first_key(server, "viewer")
        async with calling(server) as boss:
            await boss.revoke_api_key(gone.split("_")[1])
        server.env = {**server.env, **REQUIRED}
        await server.restart()
        for shown in (None, WRONG, gone, "nonsense"):
            status, body = await refused(server, shown)
            assert (status, body["details"][0]["reason"]) == (401, "UNAUTHENTICATED")
        async with talking(server, key) as talk:
            assert (await talk.ask({"type": "ping"}))["type"] == "pong"
        async with talking(server, subprotocols=["incidentmanager.v1", f"api-key.{key}"]) as talk:
            assert talk.connection.subprotocol == "incidentmanager.v1"
        assert (await refused(server, subprotocols=["incidentmanager.v1", f"api-key.{WRONG}"]))[0] == 401
        assert key not in server.log


async def permitted(talk: Talk) -> tuple[str, str]:
    """What comes of an event and of a subscription: the type of the answer, or the reason of an error."""
    told = [await talk.report(dedup_key="permitted"), await talk.subscribe()]
    first, second = (answer.get("reason") if answer["type"] == "error" else answer["type"] for answer in told)
    return str(first), str(second)


MAY = {
    "viewer": ("PERMISSION_DENIED", "subscribed"),
    "responder": ("PERMISSION_DENIED", "subscribed"),
    "producer": ("ack", "PERMISSION_DENIED"),
}


@pytest.mark.parametrize(("role", "may"), MAY.items())
async def test_a_role_decides_what_a_connection_may_do(server: RunningServer, role: str, may: tuple[str, str]) -> None:
    async with talking(server, await first_key(server, role)) as talk:
        assert await permitted(talk) == may
        assert (await talk.ask({"type": "ping"}, "pong"))["type"] == "pong"


async def test_a_revoked_key_ends_its_open_connections_and_says_so(server: RunningServer) -> None:
    key = await first_key(server, "viewer")
    async with talking(server, key) as idle, talking(server, key) as subscribed, talking(server) as other:
        begun = await subscribed.subscribe("s")
        async with calling(server) as boss:
            await boss.revoke_api_key(key.split("_")[1])
        for talk, cursors in ((idle, {}), (subscribed, {"s": begun["resume_token"]})):
            goodbye, code = await talk.end()
            assert code == 1008
            assert goodbye is not None
            assert (goodbye["reason"], goodbye["subscriptions"]) == ("UNAUTHENTICATED", cursors)
        assert (await other.ask({"type": "ping"}, "pong"))["type"] == "pong"
    assert (await refused(server, key))[0] == 401


async def test_tenants_hear_nothing_of_each_other(server: RunningServer) -> None:
    async with calling(server) as boss:
        await boss.create_tenant("ws-other")
    key = await first_key(server, "admin", "producer", tenant_id="ws-other")
    async with talking(server) as ours, talking(server, key) as theirs:
        begun = await ours.subscribe()
        await theirs.subscribe()
        own = await theirs.report(dedup_key="of the other tenant")
        mine = await ours.report(dedup_key="of the other tenant")
        assert own["incident_id"] != mine["incident_id"]
        assert (await ours.hear("change"))["incident"]["id"] == mine["incident_id"]
        assert (await theirs.hear("change"))["incident"]["id"] == own["incident_id"]
    async with talking(server, key) as theirs:
        await theirs.subscribe(resume_token=begun["resume_token"])
        assert (await theirs.hear("change"))["incident"]["id"] == own["incident_id"]
        later = await theirs.report(dedup_key="later")
        assert (await theirs.hear("change"))["incident"]["id"] == later["incident_id"]


async def test_a_key_that_is_about_one_service_hears_of_that_alone(server: RunningServer) -> None:
    key = await first_key(server, "viewer", "producer", services=["chat"])
    async with talking(server, key) as talk:
        await talk.subscribe()
        outside = await talk.report(service="search", dedup_key="narrow search")
        assert outside["reason"] == "PERMISSION_DENIED"
        async with talking(server) as boss:
            await boss.report(service="search", dedup_key="narrow search")
        inside = await talk.report(service="chat", dedup_key="narrow chat")
        assert (await talk.hear("change"))["incident"]["id"] == inside["incident_id"]


async def test_events_beyond_the_rate_of_a_key_wait_and_wrong_keys_lock_out_as_anywhere() -> None:
    limits = {"tiers": {"slow": {"per_minute": 600, "burst": 5}}, "usual_tier": "slow"}
    config = json.dumps({"limits": limits, "identity": {"lockout": {"failures": 3}}})
    async with running_server(config=config) as server:
        async with talking(server, await first_key(server, "producer")) as talk:
            await talk.send(*[{"type": "event", "id": n, **EVENT, "dedup_key": "paced"} for n in range(15)])
            began = asyncio.get_running_loop().time()
            acks = [await talk.hear("ack", "error") for _ in range(15)]
            assert asyncio.get_running_loop().time() - began > 0.5
        assert [ack["type"] for ack in acks] == ["ack"] * 15
        assert [(await refused(server, WRONG))[0] for _ in range(4)] == [401, 401, 429, 429]


ORIGINS = {
    "http://127.0.0.1:{port}": 101,
    "http://127.0.0.1": 403,
    "https://evil.example": 403,
    "null": 403,
    "https://console.example.com": 101,
}


STRICT = "websocket: {allowed_origins: ['https://console.example.com'], max_connections: 2}"


async def all_gone(server: RunningServer) -> None:
    """A client has closed a connection a moment before the server knows."""
    async with asyncio.timeout(10), aiohttp.ClientSession(server.http) as http:
        while not re.search(r"_websocket_connections 0(\.0)?\n", (await whole(http.get("/metrics"))).text):  # noqa: ASYNC110 - a page has no event
            await asyncio.sleep(0.01)


async def test_pages_of_other_sites_may_not_connect_and_there_are_only_so_many_connections() -> None:
    async with running_server(config=STRICT) as server:
        for origin, status in ORIGINS.items():
            shown = {"Origin": origin.format(port=server.http_port)}
            if status == 101:
                async with talking(server, headers=shown) as talk:
                    assert (await talk.ask({"type": "ping"}))["type"] == "pong"
                continue
            found, body = await refused(server, headers=shown)
            assert (found, body["details"][0]["reason"]) == (403, "SOURCE_DENIED"), origin
        await all_gone(server)
        async with talking(server), talking(server):
            status, body = await refused(server)
            assert (status, body["details"][0]["metadata"]["cause"]) == (429, "connections")
        await all_gone(server)
        async with talking(server) as talk:
            assert (await talk.ask({"type": "ping"}))["type"] == "pong"


async def test_where_it_is_switched_off_there_is_none() -> None:
    async with running_server(env={"LLM_IM__WEBSOCKET__ENABLED": "false"}) as server:
        assert (await refused(server))[0] == 404


async def test_a_client_certificate_is_somebody_and_loses_its_connection_when_it_is_refused(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    uri = "spiffe://incidents.local/tenant/*/service/*"
    rule = f'[{{uri: "{uri}", subject: agent, roles: [producer, viewer, platform_admin]}}]'
    probe = papers.client("probe")
    async with running_server(config=papers.config(identities=rule), tls=papers.context(probe)) as server:
        held = papers.client("edge-agent")
        with pytest.raises((OSError, ConnectionClosed, InvalidMessage)):
            async with talking(server, tls=papers.context()):
                pass
        async with talking(server, tls=papers.context(held)) as talk:
            assert (await talk.report())["type"] == "ack"
            await _deny(server, held.fingerprint)
            goodbye, code = await talk.end()
        assert code == 1008
        assert goodbye is not None
        assert goodbye["reason"] == "UNAUTHENTICATED"


async def _deny(server: RunningServer, fingerprint: str) -> None:
    body = {"fingerprint": fingerprint, "reason": "test"}
    async with (
        aiohttp.ClientSession(server.http) as http,
        http.post("/api/v1/denied-certificates", json=body, ssl=server.tls or False) as reply,
    ):
        assert reply.status in (200, 201), await reply.text()
