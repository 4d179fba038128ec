"""Requests of the methods about Edge-Agents, good ones and bad ones, for whoever is asked both ways."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from tests.support import prepared
from tests.support.server import RunningServer

Fields: TypeAlias = dict[str, Any]
Requests: TypeAlias = list[tuple[Fields, bool]]
"""Fields of requests, and whether they should succeed."""
NOBODY = "01890000-0000-7000-8000-000000000000"


async def submit_batch(_: RunningServer) -> Requests:
    """A batch that nobody can run, and some that are none."""
    one = {"request_id": "agree", "model_id": "absent", "input": "x"}
    return [({"requests": [one]}, True), ({}, False), ({"requests": [{"model_id": "absent"}]}, False)]


async def list_edge_agents(server: RunningServer) -> Requests:
    """Pages."""
    await prepared.prepare("an edge agent", server)
    return [({"page_size": 1}, True), ({"service": "chat"}, True), ({"page_token": "x"}, False)]


async def get_edge_agent(server: RunningServer) -> Requests:
    """One that is there, and one that is not."""
    names = await prepared.prepare("an edge agent", server)
    return [({"agent_id": names["AGENT_ID"]}, True), ({"agent_id": "nobody"}, False)]


async def create_directive(server: RunningServer) -> Requests:
    """A good one, and some that cannot be done."""
    agent = (await prepared.prepare("an edge agent", server))["AGENT_ID"]
    good = {
        "action": 1,
        "target": {"agent_ids": [agent], "model": "gpt-4o"},
        "parameters": {"texts": {"to": "x"}},
        "ttl": {"seconds": 60},
        "request_id": "agree-directive",
    }
    bad: list[Fields] = [{}, {**good, "target": {"agent_ids": ["nobody"]}}, {**good, "parameters": {}}]
    return [(good, True), *(({**each, "request_id": ""}, False) for each in bad)]


async def approve_directive(server: RunningServer) -> Requests:
    """Once, and of one that is not there."""
    names = await prepared.prepare("a directive", server)
    good = {"directive_id": names["DIRECTIVE_ID"], "reason": "so it is", "request_id": f"a-{names['DIRECTIVE_ID']}"}
    return [(good, True), ({**good, "request_id": ""}, False), ({"directive_id": NOBODY}, False)]


async def cancel_directive(server: RunningServer) -> Requests:
    """Once, and of one that is not there."""
    names = await prepared.prepare("a directive", server)
    good = {"directive_id": names["DIRECTIVE_ID"], "request_id": f"c-{names['DIRECTIVE_ID']}"}
    return [(good, True), ({**good, "request_id": ""}, False), ({"directive_id": "x"}, False)]


async def get_directive(server: RunningServer) -> Requests:
    """One that is there, and one that is not."""
    names = await prepared.prepare("a directive", server)
    return [({"directive_id": names["DIRECTIVE_ID"]}, True), ({"directive_id": NOBODY}, False)]


async def list_directives(server: RunningServer) -> Requests:
    """By agent, by state, and of an agent that is not there."""
    names = await prepared.prepare("a directive", server)
    good: list[Fields] = [{"agent_id": names["AGENT_ID"]}, {"state": 1, "page_size": 1}]
    bad: list[Fields] = [{"agent_id": "nobody"}, {"incident_id": NOBODY}, {"page_token": "x"}]
    return [*((each, True) for each in good), *((each, False) for each in bad)]


REQUESTS: Mapping[str, Callable[[RunningServer], Awaitable[Requests]]] = {
    "SubmitBatch": submit_batch,
    "ListEdgeAgents": list_edge_agents,
    "GetEdgeAgent": get_edge_agent,
    "CreateDirective": create_directive,
    "ApproveDirective": approve_directive,
    "CancelDirective": cancel_directive,
    "GetDirective": get_directive,
    "ListDirectives": list_directives,
}
"""By the name of the method."""
