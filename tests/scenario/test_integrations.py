"""Sentinel, Shield and Governance are asked about their incidents, by a real server of real services."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import grpc
from incidentmanager.v1 import sentinel_analysis_service_pb2 as pb

from examples.reference_services import serving
from llm_incident_client import pb as messages
from llm_incident_client.client import IncidentClient
from tests.support.command import command
from tests.support.foreign import Behaviour, Foreign, a_foreign_sentinel, config, well
from tests.support.http import whole
from tests.support.receiver import LOOPBACK
from tests.support.server import RunningServer, free_port, running_server
from tests.support.tls import make_papers

LATE = {"source": "llm-sentinel", "kind": "latency_slo", "severity": "P2", "title": "Latency p95 is 7.2 s"}
ATTACK = {"source": "llm-shield", "kind": "prompt_injection.direct", "severity": "P1", "title": "Injection"}
BREACH = {"source": "llm-governance-core", "kind": "control_failed", "severity": "P3", "title": "Notice is late"}


T = TypeVar("T")


async def awaited(look: Callable[[], Awaitable[T]], true: Callable[[T], bool]) -> T:
    """What there is to see, once it is as it should be."""
    async with asyncio.timeout(20):
        while True:
            if true(seen := await look()):
                return seen
            await asyncio.sleep(0.02)


async def report(server: RunningServer, event: dict[str, Any], key: str) -> str:
    """The incident that an event opens."""
    async with aiohttp.ClientSession(server.http) as http:
        answer = await whole(http.post("/api/v1/events", json={**event, "dedup_key": key}))
    assert answer.status == 202, answer.text
    return str(answer.json["incident_id"])


async def analyses(server: RunningServer, incident: str) -> dict[str, dict[str, Any]]:
    """What was asked about an incident, by its question."""
    async with aiohttp.ClientSession(server.http) as http:
        answer = await whole(http.get(f"/api/v1/incidents/{incident}/analyses"))
    return {each["question"]: each for each in answer.json["analyses"]}


async def timeline(server: RunningServer, incident: str) -> list[str]:
    """What its timeline says of analyses."""
    async with aiohttp.ClientSession(server.http) as http:
        answer = await whole(http.get(f"/api/v1/incidents/{incident}/timeline"))
    return [each["text"] for each in answer.json["entries"] if each["kind"] == "ANALYSIS"]


async def settled(server: RunningServer, incident: str, *questions: str) -> dict[str, dict[str, Any]]:
    """The same, once those questions are answered or given up."""
    return await awaited(
        lambda: analyses(server, incident),
        lambda found: all(found.get(each, {}).get("state") in ("ANSWERED", "FAILED") for each in questions),
    )


async def page(server: RunningServer, path: str) -> str:
    async with aiohttp.ClientSession(server.http) as http:
        return (await whole(http.get(path))).text


def asked_by(sentinel: Foreign) -> AbstractAsyncContextManager[RunningServer]:
    """A server that asks this Sentinel."""
    return running_server(config=json.dumps(config(f"127.0.0.1:{sentinel.port}")))


async def test_the_reference_services_answer_and_the_answers_are_on_the_incidents() -> None:
    async with serving.serving() as port:
        target = {"target": f"127.0.0.1:{port}", "tls": False}
        services = {"sentinel": target, "shield": target, "governance": target, "apply_severity": True}
        async with running_server(config=json.dumps({**LOOPBACK, "integrations": services})) as server:
            late = await report(server, {**LATE, "metrics": {"latency_p95_seconds": 12, "error_rate": 0.001}}, "a")
            found = await settled(server, late, "ANOMALY")
            anomaly = found["ANOMALY"]["anomaly"]
            assert (anomaly["is_anomalous"], anomaly["anomaly_type"]) == (True, "provider_outage.latency_slo")
            assert [each["name"] for each in anomaly["factors"]] == ["latency_p95_seconds", "error_rate"]
            assert found["ANOMALY"]["severity_applied"]
            attack = await report(server, {**ATTACK, "attributes": {"success_confirmed": True}}, "b")
            found = await settled(server, attack, "THREAT", "RISK", "MITIGATION")
            assert found["THREAT"]["threat"]["threat_type"] == "PROMPT_INJECTION"
            assert found["RISK"]["risk"]["risk_level"] == "CRITICAL"
            plan = found["MITIGATION"]["mitigation"]
            assert [each["action"] for each in plan["steps"]][-1] == "revoke_credentials"
            breach = await report(server, {**BREACH, "labels": {"pii": "yes", "notification_sent": "true"}}, "c")
            evaluation = (await settled(server, breach, "COMPLIANCE"))["COMPLIANCE"]["compliance"]
            kept = {each["control"]: each["compliant"] for each in evaluation["controls"]}
            assert kept == {"GDPR-001": True, "GDPR-002": False}, "what has no evidence is broken"
            async with IncidentClient(server.grpc) as client:
                assert (await client.get_incident(late)).severity == messages.Severity.SEVERITY_P0
                asked = await client.request_analysis(late, [messages.AnalysisQuestion.ANALYSIS_QUESTION_RISK])
                assert asked.analyses[0].state == messages.AnalysisState.ANALYSIS_STATE_PENDING
                await settled(server, late, "RISK")
            listed = await command("incident", "analyses", attack, server=server)
            assert "revoke" not in listed.err, listed.err
            assert {"threat", "risk", "mitigation"} <= set(listed.out.split())


async def test_a_service_that_is_down_is_named_left_alone_and_asked_once_it_is_back() -> None:
    port = free_port()
    async with running_server(config=json.dumps(config(f"127.0.0.1:{port}"))) as server:
        incidents = [await report(server, LATE, f"k{number}") for number in range(4)]
        ready = await awaited(lambda: page(server, "/health/ready"), lambda text: "service sentinel is" in text)
        assert json.loads(ready)["status"] == "ready", "it is optional"
        metrics = await page(server, "/metrics")
        assert 'incident_manager_breaker_changes_total{destination="service sentinel",state="open"}' in metrics
        for incident in incidents:
            texts = await awaited(partial(timeline, server, incident), bool)
            assert "UNAVAILABLE" in texts[0], "the incident says why"
        async with a_foreign_sentinel(port=port) as sentinel:
            for incident in incidents:
                assert (await settled(server, incident, "ANOMALY"))["ANOMALY"]["state"] == "ANSWERED"
            assert len({request.analysis_id for request in sentinel.asked}) == len(incidents)
        await awaited(lambda: page(server, "/health/ready"), lambda text: '"destinations":"ok"' in text)


async def test_a_server_that_is_killed_between_call_and_answer_stores_one_analysis() -> None:
    answered = asyncio.Event()

    async def slow(request: pb.AnalyzeAnomalyRequest, context: object) -> bytes:
        await answered.wait()
        return await well(request, context)

    async with a_foreign_sentinel(slow) as sentinel, asked_by(sentinel) as server:
        incident = await report(server, LATE, "k")
        async with asyncio.timeout(20):
            await sentinel.came.wait()
        await server.kill()
        answered.set()
        await server.start()
        found = await settled(server, incident, "ANOMALY")
        assert [request.analysis_id for request in sentinel.asked] == [found["ANOMALY"]["id"]] * 2
        assert len(await timeline(server, incident)) == 1


async def hangs(_: pb.AnalyzeAnomalyRequest, __: object) -> bytes:
    await asyncio.sleep(30)
    return b""


async def is_no_message(_: pb.AnalyzeAnomalyRequest, __: object) -> bytes:
    return b"\xff" * 40


async def breaks_a_rule(_: pb.AnalyzeAnomalyRequest, __: object) -> bytes:
    reply = pb.AnalyzeAnomalyResponse()
    reply.analysis.confidence = 17.0
    return reply.SerializeToString()


async def says_nothing(_: pb.AnalyzeAnomalyRequest, __: object) -> bytes:
    return b""


async def steers_terminals(_: pb.AnalyzeAnomalyRequest, __: object) -> bytes:
    reply = pb.AnalyzeAnomalyResponse()
    reply.analysis.summary = "\x1b[2Jall is well"
    return reply.SerializeToString()


async def floods(_: pb.AnalyzeAnomalyRequest, __: object) -> bytes:
    return b"\x0a" + b"x" * (2 * 1024 * 1024)


async def refuses(_: pb.AnalyzeAnomalyRequest, context: Any) -> bytes:  # noqa: ANN401  # grpc's own
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such\x1b[0m incident")
    return b""


async def leaks(_: pb.AnalyzeAnomalyRequest, __: object) -> bytes:
    reply = pb.AnalyzeAnomalyResponse()
    reply.analysis.summary = "the key is " + "AKIA" + "IOSFODNN7EXAMPLE"
    return reply.SerializeToString()


LIES: Mapping[str, tuple[Behaviour, str]] = {
    "hangs": (hangs, "DEADLINE_EXCEEDED"),
    "is no message": (is_no_message, "no message of the contract"),
    "breaks a rule": (breaks_a_rule, "analysis.confidence"),
    "says nothing": (says_nothing, "analysis"),
    "steers terminals": (steers_terminals, "analysis.summary"),
    "floods": (floods, "RESOURCE_EXHAUSTED"),
    "refuses": (refuses, "INVALID_ARGUMENT: no such"),
}


async def test_a_service_that_lies_is_cut_and_named_and_its_secrets_are_hidden() -> None:
    async def lies(request: pb.AnalyzeAnomalyRequest, context: object) -> bytes:
        behave = leaks if request.incident.title == "leaks" else LIES[request.incident.title][0]
        return await behave(request, context)

    async with a_foreign_sentinel(lies) as sentinel:
        asked = config(f"127.0.0.1:{sentinel.port}", timeout_secs=0.5)
        asked["integrations"]["max_attempts"] = 1
        asked["breaker"]["failures"] = 1_000
        async with running_server(config=json.dumps(asked)) as server:
            incidents = {lie: await report(server, {**LATE, "title": lie}, lie) for lie in (*LIES, "leaks")}
            for lie, (_, said) in LIES.items():
                failed = (await settled(server, incidents[lie], "ANOMALY"))["ANOMALY"]
                assert (failed["state"], said in failed["error"]) == ("FAILED", True), failed["error"]
                assert "\x1b" not in failed["error"]
                assert [said in text for text in await timeline(server, incidents[lie])] == [True]
            answered = await settled(server, incidents["leaks"], "ANOMALY")
            assert answered["ANOMALY"]["state"] == "ANSWERED"
            assert "AKIA" not in json.dumps([answered, await timeline(server, incidents["leaks"])])


async def test_over_tls_both_sides_know_each_other_and_credentials_go_along(tmp_path: Path) -> None:
    papers = make_papers(tmp_path)
    pair = (papers.server_key.read_bytes(), papers.server.read_bytes())
    credentials = grpc.ssl_server_credentials([pair], papers.ca.read_bytes(), require_client_auth=True)
    own = {"certificate_file": str(papers.client), "key_file": str(papers.client_key), "api_key": "k-1", "token": "t-1"}
    async with a_foreign_sentinel(credentials=credentials) as sentinel:
        there = {"tls": True, "ca": str(papers.ca), **own}
        asked = config(f"localhost:{sentinel.port}", **there)
        async with running_server(config=json.dumps(asked)) as server:
            incident = await report(server, LATE, "k")
            found = (await settled(server, incident, "ANOMALY"))["ANOMALY"]
            assert found["state"] == "ANSWERED", found["error"]
            assert (sentinel.metadata[0]["x-api-key"], sentinel.metadata[0]["authorization"]) == ("k-1", "Bearer t-1")
        asked["integrations"]["sentinel"]["ca"] = str(papers.other_ca)
        asked["integrations"]["max_attempts"] = 1
        async with running_server(config=json.dumps(asked)) as server:
            incident = await report(server, LATE, "k")
            assert (await settled(server, incident, "ANOMALY"))["ANOMALY"]["state"] == "FAILED"
        assert len(sentinel.asked) == 1, "whoever shows a certificate of somebody else is told nothing"
