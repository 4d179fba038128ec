"""Fault 34: GraphQL that asks for too much, and sockets that do."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import worked
from tests.support import graphql_abuse
from tests.support.server import running_server

FLOOD = "10,000 subscriptions on a socket"
INIT: dict[str, object] = {"type": "connection_init"}
WATCH = {"query": "subscription { incidentChanged { heartbeat } }"}
PROTOCOL = "graphql-transport-ws"
REFUSED = (400, 413)
Attack = Callable[[], Awaitable[str]]
"""Tells what came instead of a refusal; empty when it was refused."""


LIMIT = "each refused for <= 50 ms of the server's processor, 10,000 frames that nobody asked for <= 150 ms"


@fault(34, "GraphQL that asks for too much", limit=LIMIT)
async def queries(run: Run) -> Outcome:
    """Each query again and again; a server that does not tell its schema; sockets that break the protocol."""
    times = run.size(10, 100)
    wrong, costs = list[str](), dict[str, float]()
    env = {"LLM_IM__GRAPHQL__INTROSPECTION": "false"}
    async with running_server(env=env) as server, aiohttp.ClientSession(server.http) as http:
        await _ask(http, {"query": "{ version }"})  # makes the schema
        for name, attack in {**_queries(http), **_sockets(http)}.items():
            before = worked(server)
            for _ in range(times):
                if came := await attack():
                    wrong.append(f"{name}: {came}")
                    break
            costs[name] = 1_000 * (worked(server) - before) / times
        status, _ = await _ask(http, {"query": "{ version }"})
        wrong += [] if status == 200 else [f"afterwards: {status}"]
    flood = costs.pop(FLOOD)
    dearest = max(costs, key=lambda name: costs[name])
    figures = [
        Figure("attacks", len(costs) * times, least=200),
        Figure(f"the dearest ({dearest})", costs[dearest], "ms", most=50),
        Figure(FLOOD, flood, "ms", most=150),
    ]
    return Outcome(figures, wrong=wrong)


def _queries(http: aiohttp.ClientSession) -> dict[str, Attack]:
    bodies: dict[str, object] = {name: {"query": query} for name, (query, _) in graphql_abuse.QUERIES.items()}
    bodies["introspection"] = {"query": graphql_abuse.INTROSPECTION}
    bodies["a batch of 100"] = [{"query": "{ version }"}] * 100
    bodies["100,000 variables"] = {"query": "{ version }", "variables": {"x": list(range(100_000))}}
    return {name: _posting(http, body) for name, body in bodies.items()}


def _posting(http: aiohttp.ClientSession, body: object) -> Attack:
    async def attack() -> str:
        status, answer = await _ask(http, body)
        return "" if status in REFUSED and "data" not in answer else f"{status} {str(answer)[:200]}"

    return attack


async def _ask(http: aiohttp.ClientSession, body: object) -> tuple[int, dict[str, object]]:
    async with http.post("/graphql", json=body) as reply:
        found: dict[str, object] = await reply.json()
        return reply.status, found


def _sockets(http: aiohttp.ClientSession) -> dict[str, Attack]:
    return {
        "start before init": lambda: _closed(http, [{"type": "start", "id": "1"}], 4401),
        "the legacy protocol": lambda: _closed(http, [INIT], 4406, protocol="graphql-ws"),
        FLOOD: lambda: _closed(http, [INIT, *_subscribing(10_000)], 4400),
    }


def _subscribing(count: int) -> list[dict[str, object]]:
    return [{"type": "subscribe", "id": str(n), "payload": WATCH} for n in range(count)]


async def _closed(
    http: aiohttp.ClientSession, messages: list[dict[str, object]], code: int, protocol: str = PROTOCOL
) -> str:
    """Says all that, as far as the server listens; it has to end with this code."""
    async with http.ws_connect("/graphql/ws", protocols=(protocol,)) as socket:
        saying = asyncio.create_task(_say(socket, messages))
        async with asyncio.timeout(30):
            async for _ in socket:
                pass
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
        return "" if socket.close_code == code else f"closed with {socket.close_code}"


async def _say(socket: aiohttp.ClientWebSocketResponse, messages: list[dict[str, object]]) -> None:
    for message in messages:
        await socket.send_str(json.dumps(message))
