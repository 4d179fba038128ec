"""Bearer tokens at a real server's doors: people by their roles, programs by their scopes, everybody else not."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from llm_incident_client import IncidentClient, pb
from llm_incident_client.core.channel import ChannelOptions
from llm_incident_client.core.errors import AccessDenied
from tests.support.http import Answer, whole
from tests.support.issuer import PROGRAM, SECRET, Issuer, SigningKey, an_issuer
from tests.support.receiver import LOOPBACK
from tests.support.server import RunningServer, running_server

SCOPES = {"events.write": ["EVENT_WRITE"]}
EVENT = pb.Event(source="billing", title="Spend doubled", severity="P1")


@dataclass
class Place:
    """A server that asks everybody who they are, and the issuer it trusts."""

    server: RunningServer
    issuer: Issuer

    def client(self, token: str) -> IncidentClient:
        """A gRPC client that bears a token."""

        async def bearer() -> str:
            return token

        return IncidentClient(ChannelOptions(self.server.grpc, bearer=bearer))

    async def get(self, token: str | None = None) -> Answer:
        """The list of incidents by HTTP."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await whole(aiohttp.request("GET", f"{self.server.http}/api/v1/incidents", headers=headers))


@asynccontextmanager
async def a_place(**own: object) -> AsyncIterator[Place]:
    async with an_issuer() as issuer:
        identity = {"required": True, "issuers": [issuer.settings(**own)]}
        async with running_server(config=json.dumps({"identity": identity, **LOOPBACK})) as server:
            yield Place(server, issuer)


async def test_a_person_may_what_her_roles_allow_through_either_door() -> None:
    async with a_place() as place:
        token = place.issuer.token(roles=["viewer"])
        assert (await place.get(token)).status == 200
        async with place.client(token) as client:
            assert (await client.list_incidents()).incidents == []
            with pytest.raises(AccessDenied, match="needs permission"):
                await client.submit_event(EVENT)
        async with place.client(place.issuer.token(roles=["producer"])) as client:
            assert (await client.submit_event(EVENT)).incident_id


async def test_without_a_token_or_with_a_bad_one_nobody_gets_in_and_all_are_told_the_same() -> None:
    async with a_place() as place:
        evil = SigningKey.make(place.issuer.keys[0].kid)
        told = []
        for token in (None, "x", place.issuer.token(aud="other"), evil.token(place.issuer.claims()), "a" * 9_000):
            answer = await place.get(token)
            assert answer.status == 401
            told.append(answer.json["message"])
        assert len(set(told)) == 1
        async with IncidentClient(place.server.grpc) as client:
            with pytest.raises(AccessDenied, match="show who you are"):
                await client.list_incidents()
        assert (await place.get(place.issuer.token())).status == 200


async def test_a_program_gets_a_token_by_its_secret_and_may_what_its_scopes_name() -> None:
    async with a_place(scopes=SCOPES) as place:
        headers = {"Authorization": aiohttp.encode_basic_auth(PROGRAM, SECRET)}
        asked = {"grant_type": "client_credentials"}
        granted = await whole(aiohttp.request("POST", f"{place.issuer.url}/token", data=asked, headers=headers))
        token = granted.json["access_token"]
        async with place.client(token) as client:
            assert (await client.submit_event(EVENT)).incident_id
            with pytest.raises(AccessDenied, match="needs permission"):
                await client.list_incidents()


async def told_of_issuers(place: Place) -> str:
    ready = await whole(aiohttp.request("GET", f"{place.server.http}/health/ready"))
    return str(ready.json["checks"]["issuers"])


async def test_the_issuer_may_be_away_and_readiness_tells() -> None:
    async with a_place() as place:
        assert (await place.get(place.issuer.token())).status == 200
        async with asyncio.timeout(5):  # what was found a moment ago is told again
            while await told_of_issuers(place) != "ok":  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        place.issuer.away = True
        assert (await place.get(place.issuer.token(sub="bob"))).status == 200


async def test_a_stream_ends_when_its_token_does() -> None:
    async with a_place(leeway_secs=0) as place:
        began, token = time.monotonic(), place.issuer.token(exp=int(time.time()) + 3)
        async with place.client(token) as client:
            with pytest.raises(AccessDenied) as ended:
                await asyncio.wait_for(anext(client.watch()), 20)
        assert ended.value.reason == "UNAUTHENTICATED"
        assert time.monotonic() - began < 10
