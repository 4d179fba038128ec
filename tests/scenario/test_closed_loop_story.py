"""The closed loop, told once: a provider fails, an incident opens, a person orders a fail-over, the traffic recovers,
the incident resolves, the time of the order is over, and everything is as it was. Then again with the server killed at
every step."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest
import yaml

from llm_incident_client import IncidentClient, pb
from llm_incident_client.edge_agent.clock import now
from llm_incident_client.edge_agent.directives.journal import Journal
from tests.support.command import command
from tests.support.server import RunningServer, free_port, is_listening, running_server
from tests.support.upstream import Provider, provider
from tools import shell

T = TypeVar("T")

SECONDS = 60.0
WATCH = {"window_seconds": 2.0, "least_calls": 5, "error_ratio": 0.3, "latency_p95_seconds": 30, "cost_per_hour": 1e9}
QUICK = "edge_agents: {heartbeat_secs: 1.0}\n"


class Traffic:
    """Calls for gpt-4o, one after the other, as an application makes them; `answers` has them all."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/v1/chat/completions"
        self.answers: list[str] = []

    async def run(self) -> None:
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
        async with aiohttp.ClientSession() as session:
            while True:
                async with session.post(self._url, json=body) as answer:
                    told = await answer.json()
                    text = told["choices"][0]["message"]["content"] if answer.status == 200 else str(answer.status)
                    self.answers.append(text)
                await asyncio.sleep(0.02)

    async def until(self, text: str, since: int = 0) -> None:
        """Returns when, from that call on, twenty in a row were answered so: at any time, as a server that is started
        anew may take longer than a directive holds."""
        async with asyncio.timeout(SECONDS):
            while not _has_row(self.answers[since:], text):  # noqa: ASYNC110  # calls are answered in their own time
                await asyncio.sleep(0.05)


def _has_row(answers: list[str], text: str) -> bool:
    return any(one == text and len(list(row)) >= 20 for one, row in groupby(answers))


@asynccontextmanager
async def proxy_between(folder: Path, server: RunningServer, first: Provider, second: Provider) -> AsyncIterator[int]:
    """The example proxy as a process; its port."""
    port = free_port()
    config = {
        "port": port,
        "models": {
            "gpt-4o": {"upstream": first.url, "provider": "openai"},
            "claude-sonnet": {"upstream": second.url, "provider": "anthropic"},
        },
        "watch": WATCH,
        "edge_agent": {
            "agent": {"id": "proxy-1", "service": "chat"},
            "server": {"address": server.grpc},
            "data": str(folder / "edge"),
        },
    }
    path = folder / "proxy.yaml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    with (folder / "proxy.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "examples.llm_proxy", "--config", path, cwd=shell.ROOT, stdout=log, stderr=log
        )
    try:
        async with asyncio.timeout(SECONDS):
            while not is_listening(port):
                assert process.returncode is None, (folder / "proxy.log").read_text("utf-8")
                await asyncio.sleep(0.02)
        yield port
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0, (folder / "proxy.log").read_text("utf-8")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(holds: Callable[[], Awaitable[T]]) -> T:
    """The first answer that is not empty."""
    async with asyncio.timeout(SECONDS):
        while not (found := await holds()):  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.05)
    return found


async def order(server: RunningServer, incident: str, ttl: str) -> str:
    """What the person on call types; the directive's id."""
    made = await command(
        "agent", "directive", "create", "fail-over-model", "--agent", "proxy-1", "--model", "gpt-4o", "--ttl", ttl,
        "--set", "to=claude-sonnet", "--incident", incident, "--reason", "provider down", "-o", "json", server=server,
    )  # fmt: skip
    assert made.code == 0, made.err
    return str(made.json["id"])


async def approve(server: RunningServer, directive_id: str) -> None:
    done = await command("agent", "directive", "approve", directive_id, server=server)
    assert done.code == 0, done.err


@pytest.mark.parametrize("killed", [False, True], ids=["undisturbed", "server_killed_at_every_step"])
async def test_the_story(tmp_path: Path, killed: bool) -> None:
    async with (
        provider("openai") as first,
        provider("anthropic") as second,
        running_server(config=QUICK) as server,
        proxy_between(tmp_path, server, first, second) as port,
        IncidentClient(server.grpc) as client,
    ):

        async def step() -> None:
            """Between two steps the server dies, if it does."""
            if killed:
                await server.kill()
                await server.start()

        traffic = Traffic(port)
        calls = asyncio.create_task(traffic.run())
        await traffic.until("openai says hello")

        first.failing = True
        await step()
        [incident] = await until(lambda: incidents(client))
        assert "gpt-4o" in incident.title
        assert pb.Severity.Name(incident.severity) == "SEVERITY_P1"

        await step()
        directive_id = await order(server, incident.number, "12s" if killed else "4s")
        await step()
        assert traffic.answers[-1] == "529"
        ordered = len(traffic.answers)
        await approve(server, directive_id)
        await step()
        await traffic.until("anthropic says hello", ordered)

        await step()
        await until(lambda: in_state(client, incident.id, "RESOLVED"))
        first.failing, recovered = False, len(traffic.answers)
        await step()
        await traffic.until("openai says hello", recovered)
        directive = await until(lambda: reverted(client, directive_id))
        assert directive is not None
        [delivery] = directive.deliveries
        assert delivery.reason == "its time was over"
        calls.cancel()
        texts = [entry.text async for entry in client.iter_timeline(incident.id)]
        assert any("proxy-1" in text for text in texts), texts
    journal = Journal(tmp_path / "edge" / "directives.journal", now())
    assert [str(record.state) for record in journal.records.values()] == ["reverted"]
    journal.close()


async def incidents(client: IncidentClient) -> list[pb.Incident]:
    return [one async for one in client.iter_incidents(filter='source = "proxy-1"')]


async def in_state(client: IncidentClient, incident_id: str, state: str) -> bool:
    found = await client.get_incident(incident_id)
    return pb.IncidentState.Name(found.state) == f"INCIDENT_STATE_{state}"


async def reverted(client: IncidentClient, directive_id: str) -> pb.Directive | None:
    found = await client.get_directive(directive_id)
    return found if found.state == pb.DirectiveState.DIRECTIVE_STATE_REVERTED else None
