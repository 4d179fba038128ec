"""What an Edge-Agent's spool does: events taken without a manager, each durable before it counts, then all of them
sent to a server that has just been started."""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench import measuring
from bench.databases import Database
from bench.measuring import Ports
from llm_incident_client import ChannelOptions, pb
from llm_incident_client.edge_agent import AgentOptions, EdgeAgent
from tools.ports import free_port

_AT_ONCE = 2_000  # events that a program hands over before it waits for the disk
_SERVICES = 50


@dataclass(slots=True)
class _Figures:
    taken: float
    drained: float
    bytes_per_event: int
    rss_mb: int
    results: dict[str, int]
    server_cpu: float


def line(database: Database, count: int) -> dict[str, Any]:
    """Takes and drains so many events; raises AssertionError when one is lost or doubled."""
    with measuring.folder() as place:
        found = asyncio.run(_run(database, count, place))
    settled = sum(found.results.values())
    assert settled == count, f"{settled} results of {count} events"
    assert found.results.get("NEW") == min(_SERVICES, count), found.results
    return {
        "events": count,
        "taken_per_second": round(count / found.taken),
        "drained_per_second": round(count / found.drained),
        "bytes_per_event": found.bytes_per_event,
        "rss_mb": found.rss_mb,
        "server_cpu_us_per_event": round(1e6 * found.server_cpu / count, 1),
        "outcomes": found.results,
    }


async def _run(database: Database, count: int, place: Path) -> _Figures:
    ports = Ports(free_port(), free_port())
    options = AgentOptions("bench", place / "agent", ChannelOptions(f"127.0.0.1:{ports.grpc}"), pause=0.1)
    async with EdgeAgent(options) as agent:
        began = time.perf_counter()
        for first in range(0, count, _AT_ONCE):
            last = min(count, first + _AT_ONCE)
            await asyncio.gather(*(agent.report_nowait(_event(number)) for number in range(first, last)))
        taken = time.perf_counter() - began
        size = agent.spool.counts().bytes
        server = measuring.start_server(database, place, ports)
        try:
            await asyncio.to_thread(server.wait_until_ready, ports.http)
            cpu = server.cpu_seconds()
            drained = await _drained(agent, count)
            cpu = server.cpu_seconds() - cpu
        finally:
            await asyncio.to_thread(server.stop)
        rss = psutil.Process(os.getpid()).memory_info().rss >> 20
        return _Figures(taken, drained, size // count, rss, dict(agent.spool.results), cpu)


async def _drained(agent: EdgeAgent, count: int) -> float:
    """Seconds from the first acknowledgement to the last."""
    while agent.spool.waiting == count:  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(0.01)
    before, began = count - agent.spool.waiting, time.perf_counter()
    while agent.spool.waiting:  # noqa: ASYNC110  # as above
        await asyncio.sleep(0.01)
    return (time.perf_counter() - began) * count / max(1, count - before)


def _event(number: int) -> pb.Event:
    service = f"service-{number % _SERVICES}"
    return pb.Event(
        source="bench", title="Provider answers 529", severity="P2", kind="provider_outage", service=service,
        dedup_key=service, metrics={"status": 529.0}, labels={"region": "eu-west-1", "number": str(number)},
    )  # fmt: skip
