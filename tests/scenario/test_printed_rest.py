"""The REST calls that the two founding documents print for events and incidents work as printed."""

import json

import aiohttp
import pytest

from tests.support.callers import first_key
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def curl(server: RunningServer, *arguments: str) -> tuple[int, dict[str, object]]:
    """Sends what a printed curl command sends; status and JSON body. (curl itself may not be installed.)"""
    method, headers, data, url = "GET", {}, None, ""
    given = iter(arguments)
    for argument in given:
        if argument == "-X":
            method = next(given)
        elif argument == "-H":
            name, _, value = next(given).partition(": ")
            headers[name] = value
        elif argument == "-d":
            data = next(given)
        else:
            url = argument.replace("HOST", server.http)
    async with aiohttp.request(method, url, headers=headers, data=data) as reply:
        return reply.status, json.loads(await reply.text())


CREATE = """{
    "source": "monitoring",
    "title": "High Memory Usage",
    "description": "Memory usage exceeded 85% threshold",
    "severity": "P2",
    "incident_type": "Infrastructure"
  }"""
RESOLVE = """{
    "resolved_by": "user@example.com",
    "method": "Manual",
    "notes": "Restarted service",
    "root_cause": "Memory leak in application"
  }"""
HEADER = ("-H", "Content-Type: application/json")


async def test_create_get_acknowledge_and_resolve_as_the_readme_prints_them(server: RunningServer) -> None:
    status, created = await curl(server, "-X", "POST", "HOST/api/v1/incidents", *HEADER, "-d", CREATE)
    assert (status, created["status"]) == (201, "created")
    name = created["incident_id"]
    status, incident = await curl(server, f"HOST/api/v1/incidents/{name}")
    assert (status, incident["severity"], incident["incident_type"]) == (200, "P2", "INFRASTRUCTURE")
    path = f"HOST/api/v1/incidents/{name}/acknowledge"
    status, incident = await curl(server, "-X", "POST", path, *HEADER, "-d", '{"actor": "user@example.com"}')
    assert (status, incident["state"]) == (200, "ACKNOWLEDGED")
    status, incident = await curl(server, "-X", "POST", f"HOST/api/v1/incidents/{name}/resolve", *HEADER, "-d", RESOLVE)
    assert (status, incident["state"]) == (200, "RESOLVED")
    resolution = incident["resolution"]
    assert isinstance(resolution, dict)
    assert resolution["resolved_by"] == "user@example.com"
    assert (resolution["method"], resolution["root_cause"]) == ("MANUAL", "Memory leak in application")


async def test_push_as_the_diagrams_draw_it(server: RunningServer) -> None:
    body = '{"source": "llm-sentinel", "title": "Drift", "severity": "high"}'
    key = f"X-API-Key: {await first_key(server, 'producer')}"
    status, reply = await curl(server, "-X", "POST", "HOST/api/v1/events", "-H", key, *HEADER, "-d", body)
    assert status == 202
    assert (reply["status"], bool(reply["event_id"]), bool(reply["incident_id"])) == ("accepted", True, True)


@pytest.mark.parametrize("span", ["start=2020-11-01&end=2099-11-30", "start=2020-11-01T00:00:00Z"])
async def test_pull_as_the_diagrams_draw_it(server: RunningServer, span: str) -> None:
    await curl(server, "-X", "POST", "HOST/api/v1/incidents", *HEADER, "-d", CREATE)
    status, reply = await curl(server, f"HOST/api/v1/incidents?{span}", "-H", "Authorization: Bearer xxx")
    assert status == 200
    assert isinstance(reply["incidents"], list)
    assert isinstance(reply["pagination"], dict)
    assert len(reply["incidents"]) == reply["pagination"]["total_count"] > 0


async def test_health_metrics_and_the_description_answer(server: RunningServer) -> None:
    assert (await curl(server, "HOST/health/live"))[0] == 200
    assert (await curl(server, "HOST/health/ready"))[0] == 200
    status, description = await curl(server, "HOST/openapi.json")
    assert (status, description["openapi"]) == (200, "3.1.0")
    async with aiohttp.request("GET", f"{server.http}/metrics") as page:
        assert "incident_manager_incidents_created_total" in await page.text()


@pytest.mark.parametrize("prefix", ["/api/v1", "/v1"])
async def test_both_prefixes_lead_to_the_same_method(server: RunningServer, prefix: str) -> None:
    status, reply = await curl(server, f"HOST{prefix}/incidents")
    assert status == 200
    assert isinstance(reply["incidents"], list)
