"""A monitoring system reports alerts with its own field names, through both doors and both spellings of the path."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from llm_incident_client import pb
from llm_incident_client.client import IncidentClient
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALERT = {
    "external_id": "ext-123",
    "source": "monitoring",
    "timestamp": "2026-11-20T10:00:00Z",
    "severity": "P1",
    "alert_type": "Infrastructure",
    "title": "High CPU Usage",
    "description": "CPU usage exceeded 90% threshold",
    "labels": {"region": "eu", "annotation_summary": "replaced"},
    "affected_services": ["checkout", "search"],
    "runbook_url": "https://runbooks.example.com/cpu",
    "annotations": {"summary": "CPU is hot"},
}


async def http(server: RunningServer, verb: str, path: str, body: object = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body)
    async with aiohttp.request(verb, server.http + path, data=data) as reply:
        return reply.status, json.loads(await reply.text())


async def test_an_alert_opens_an_incident_and_sent_again_is_a_duplicate(server: RunningServer) -> None:
    status, first = await http(server, "POST", "/api/v1/alerts", ALERT)
    assert status == 202
    assert first.keys() == {"alert_id", "incident_id", "status", "message"}
    assert (first["status"], first["message"]) == ("accepted", "A new incident was opened.")
    status, again = await http(server, "POST", "/v1/alerts", ALERT | {"title": "High CPU usage!"})
    assert (status, again["status"], again["message"]) == (202, "duplicate", "This very alert was accepted before.")
    assert (again["alert_id"], again["incident_id"]) == (first["alert_id"], first["incident_id"])
    _, incident = await http(server, "GET", f"/v1/incidents/{first['incident_id']}")
    assert (incident["severity"], incident["incident_type"], incident["state"]) == ("P1", "INFRASTRUCTURE", "NEW")
    assert incident["title"] == ALERT["title"]
    assert incident["event_count"] == 1


@pytest.mark.parametrize("prefix", ["/api/v1/alerts", "/v1/alerts", "/api/v1/events", "/v1/events"])
async def test_every_field_of_an_alert_is_kept_in_its_event(server: RunningServer, prefix: str) -> None:
    _, sent = await http(server, "POST", "/api/v1/alerts", ALERT | {"external_id": f"kept-{prefix}"})
    status, record = await http(server, "GET", f"{prefix}/{sent['alert_id']}")
    event = record["event"]
    assert status == 200
    assert event["labels"] == {"region": "eu", "annotation_summary": "CPU is hot"}
    kept = ("source", "severity", "title", "description", "affected_services", "runbook_url")
    assert {name: event[name] for name in kept} == {name: ALERT[name] for name in kept}
    assert (event["external_id"], event["incident_type"], event["kind"]) == (f"kept-{prefix}", "INFRASTRUCTURE", "")
    assert record["event_time"] == "2026-11-20T10:00:00Z"


async def test_an_external_id_names_an_alert_of_its_source_only(server: RunningServer) -> None:
    pairs = [("grid", "a:1"), ("grid:a", "1"), ("other", "a:1")]
    sent = [
        await http(server, "POST", "/v1/alerts", {"source": source, "title": "x", "external_id": name})
        for source, name in pairs
    ]
    assert [answer["status"] for _, answer in sent] == ["accepted"] * 3
    assert len({answer["alert_id"] for _, answer in sent}) == 3


async def test_an_alert_type_may_name_an_llm_kind(server: RunningServer) -> None:
    alert = {"source": "proxy", "title": "Provider does not answer", "alert_type": "provider_outage"}
    _, sent = await http(server, "POST", "/v1/alerts", alert)
    _, record = await http(server, "GET", f"/v1/alerts/{sent['alert_id']}")
    assert record["event"]["kind"] == "provider_outage"


async def test_a_bad_alert_is_refused_with_every_bad_field(server: RunningServer) -> None:
    bad = {"annotations": {"": "x"}, "alert_type": "a\u0001b", "timestamp": "0001-01-01T00:00:00Z"}
    status, answer = await http(server, "POST", "/v1/alerts", bad)
    fields = {v["field"] for v in answer["details"][1]["field_violations"]}
    assert status == 400
    assert fields == {"alert.source", "alert.title", "alert.alert_type", 'alert.annotations[""]'}


async def test_simultaneous_repeats_with_one_request_id_are_answered_alike(server: RunningServer) -> None:
    alert = pb.Alert(source="monitoring", title="Disk full", severity="purple")
    async with IncidentClient(server.grpc) as client:
        answers = await asyncio.gather(*(client.submit_alert(alert, request_id="alert-1") for _ in range(5)))
    assert len({answer.alert_id for answer in answers}) == 1
    assert answers[0].status == "accepted"
    assert "purple" in answers[0].message
