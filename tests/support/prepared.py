"""What the examples of the interface ask to be there first: incidents in a state, by the words of examples/api."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import aiohttp

from llm_incident_client import IncidentClient, pb
from tests.support.server import RunningServer

Names = dict[str, str]
"""Names that stand in an example, with what they stand for."""
_count = itertools.count(1)


async def prepare(given: str, server: RunningServer) -> Names:
    """Makes what is asked for, afresh; a KeyError tells that the words are unknown here."""
    number = next(_count)
    own = ("IDEMPOTENCY_KEY", "ALERT_ID", "PRODUCER_ID", "DEDUP_KEY", "AGENT_NAME", "INFERENCE_NAME")
    names = {name: f"{name.lower()}-{number}" for name in own}
    names |= {"ROLE": f"role-{number}", "TENANT": f"tenant-{number}", "FINGERPRINT": f"{number:064x}"}
    return {**names, **await GIVEN[given](server)}


async def post(server: RunningServer, path: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON is anything
    """The answer to a POST below /api/v1, which must succeed."""
    async with aiohttp.request("POST", f"{server.http}/api/v1/{path}", data=json.dumps(body)) as reply:
        text = await reply.text()
        assert reply.status < 300, text
        return json.loads(text)


async def _nothing(_: RunningServer) -> Names:
    return {}


async def _incident(server: RunningServer, *, events: int = 1) -> Names:
    """A NEW incident of a problem and a team of its own, and its latest event."""
    number = next(_count)
    event = {"source": "llm-sentinel", "title": "Latency of gpt-4o", "severity": "high", "service": "chat"}
    own = {"dedup_key": f"prepared-{number}", "labels": {"team": f"team-{number}"}}
    sent = [await post(server, "events", event | own) for _ in range(events)][-1]
    async with aiohttp.request("GET", f"{server.http}/api/v1/incidents/{sent['incident_id']}") as reply:
        found = json.loads(await reply.text())
    return {
        "EVENT_ID": sent["event_id"],
        "INCIDENT_ID": found["id"],
        "INCIDENT_NUMBER": found["number"],
        "TEAM": f"team-{number}",
    }


async def _merged(server: RunningServer) -> Names:
    names = await _two_incidents(server)
    await post(server, f"incidents/{names['OTHER_INCIDENT_ID']}/merge", {"source_incident_ids": [names["INCIDENT_ID"]]})
    return names


async def _linked(server: RunningServer) -> Names:
    names = await _two_incidents(server)
    body = {"linked_incident_id": names["OTHER_INCIDENT_ID"], "actor": "ann@example.com"}
    await post(server, f"incidents/{names['INCIDENT_ID']}/links", body)
    return names


async def _noted(server: RunningServer) -> Names:
    names = await _incident(server)
    await post(server, f"incidents/{names['INCIDENT_ID']}/notes", {"text": "The status page confirms it"})
    return names


async def _attached(server: RunningServer) -> Names:
    names = await _incident(server)
    body = {"url": "https://traces.example.com/t/42"}
    attached = await post(server, f"incidents/{names['INCIDENT_ID']}/attachments", body)
    return {**names, "ATTACHMENT_ID": attached["id"]}


async def _analysed(server: RunningServer) -> Names:
    names = await _incident(server)
    await post(server, f"incidents/{names['INCIDENT_ID']}/analyses", {"questions": ["COMPLIANCE"]})
    return names


async def _dead_letter(server: RunningServer) -> Names:
    """A notification that was given up: the server's webhook leads nowhere, and is tried once."""
    names = await _incident(server)
    url = f"{server.http}/api/v1/dead-letters?incident_id={names['INCIDENT_ID']}"
    async with asyncio.timeout(20):
        while True:
            async with aiohttp.request("GET", url) as reply:
                found = json.loads(await reply.text())["dead_letters"]
            if found:
                return {**names, "DEAD_LETTER_ID": found[0]["id"]}
            await asyncio.sleep(0.02)


async def _api_key(server: RunningServer) -> Names:
    body = {"display_name": "LLM-Sentinel in Frankfurt", "roles": ["producer"]}
    return {"API_KEY_ID": (await post(server, "api-keys", body))["api_key"]["id"]}


async def _role(server: RunningServer) -> Names:
    name = f"given-role-{next(_count)}"
    await post(server, "roles", {"name": name, "permissions": ["INCIDENT_READ"]})
    return {"ROLE": name}


async def _tenant(server: RunningServer) -> Names:
    name = f"given-tenant-{next(_count)}"
    await post(server, "tenants", {"tenant_id": name})
    return {"TENANT": name}


async def _denied(server: RunningServer) -> Names:
    fingerprint = f"{next(_count):064x}"
    await post(server, "denied-certificates", {"fingerprint": fingerprint, "reason": "Its laptop is gone"})
    return {"FINGERPRINT": fingerprint}


async def _agent(server: RunningServer) -> Names:
    """An agent that had a session."""
    name = f"given-agent-{next(_count)}"
    able = pb.EdgeAgentCapabilities(actions=[pb.DirectiveAction.DIRECTIVE_ACTION_FAIL_OVER_MODEL])
    register = pb.EdgeAgentRegistration(agent_id=name, protocol_version=1, service="chat", capabilities=able)
    async with IncidentClient(server.grpc) as client:
        async for _ in client.edge_session([pb.SessionRequest(register=register)]):
            pass
        async with asyncio.timeout(10):
            while (await client.get_edge_agent(name)).server:  # that it has ended is written after it has  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    return {"AGENT_ID": name}


async def _directive(server: RunningServer) -> Names:
    names = await _agent(server)
    target = {"agent_ids": [names["AGENT_ID"]], "model": "gpt-4o"}
    order = {"action": "FAIL_OVER_MODEL", "target": target, "parameters": {"texts": {"to": "other"}}, "ttl": "900s"}
    return {**names, "DIRECTIVE_ID": (await post(server, "directives", order))["id"]}


def _after(*verbs: str) -> Callable[[RunningServer], Awaitable[Names]]:
    async def moved(server: RunningServer) -> Names:
        names = await _incident(server)
        for verb in verbs:
            actor = "resolved_by" if verb == "resolve" else "actor"
            await post(server, f"incidents/{names['INCIDENT_ID']}/{verb}", {actor: "ann@example.com"})
        return names

    return moved


async def _two_incidents(server: RunningServer) -> Names:
    other = await _incident(server)
    return {**await _incident(server), "OTHER_INCIDENT_ID": other["INCIDENT_ID"]}


GIVEN: Mapping[str, Callable[[RunningServer], Awaitable[Names]]] = {
    "": _nothing,
    "an incident": _incident,
    "a directive": _directive,
    "an edge agent": _agent,
    "an acknowledged incident": _after("acknowledge"),
    "an escalated incident": _after("escalate"),
    "a resolved incident": _after("acknowledge", "resolve"),
    "an incident with two events": partial(_incident, events=2),
    "an incident with a note": _noted,
    "an incident with an attachment": _attached,
    "an analysed incident": _analysed,
    "a dead letter": _dead_letter,
    "a denied certificate": _denied,
    "a merged incident": _merged,
    "a role": _role,
    "a tenant": _tenant,
    "an API key": _api_key,
    "two incidents": _two_incidents,
    "two linked incidents": _linked,
}
