"""Pattern 5 of the integration patterns as it is drawn: incidents and metrics by one query, under a bearer token."""

import json

import aiohttp

from tests.support.http import whole
from tests.support.issuer import an_issuer
from tests.support.receiver import LOOPBACK
from tests.support.server import running_server

PRINTED = """query {
 incidents(filter: {...}) {
   edges { node { ... } }
 }
 metrics { ... }
}"""
"""As it stands there, dots included: what they stand for is filled in, in order."""
FILLED = (
    '{severity: [P0, P1], service: ["chat"], start: "2025-11-01"}',
    "id number title severity state createTime",
    "total { count openCount timeToAcknowledge { mean } }",
)


def filled(printed: str) -> str:
    for what in FILLED:
        at = printed.index("{...}" if what.startswith("{") else "{ ... }")
        end = printed.index("}", at) + 1
        printed = printed[:at] + (what if what.startswith("{") else f"{{ {what} }}") + printed[end:]
    return printed


async def test_governance_pulls_incidents_and_metrics_by_one_query() -> None:
    async with an_issuer() as issuer:
        identity = {"required": True, "issuers": [issuer.settings()]}
        async with running_server(config=json.dumps({"identity": identity, **LOOPBACK})) as server:
            reported = {"source": "llm-sentinel", "title": "Answers are slow", "severity": "P1", "service": "chat"}
            producer = {"Authorization": f"Bearer {issuer.token(roles=['producer'])}"}
            sent = await whole(aiohttp.request("POST", f"{server.http}/api/v1/events", json=reported, headers=producer))
            assert sent.status == 202
            url, body = f"{server.http}/graphql", {"query": filled(PRINTED)}
            governance = {"Authorization": f"Bearer {issuer.token(roles=['auditor'])}"}
            answer = await whole(aiohttp.request("POST", url, json=body, headers=governance))
            nobody = await whole(aiohttp.request("POST", url, json=body))
    assert (answer.status, list(answer.json)) == (200, ["data"])
    ((edge,), metrics) = answer.json["data"]["incidents"]["edges"], answer.json["data"]["metrics"]
    node = edge["node"]
    assert (node["id"], node["title"], node["severity"]) == (sent.json["incident_id"], "Answers are slow", "P1")
    assert metrics["total"] == {"count": 1, "openCount": 1, "timeToAcknowledge": {"mean": None}}
    assert (nobody.status, nobody.json["errors"][0]["extensions"]["reason"]) == (401, "UNAUTHENTICATED")
