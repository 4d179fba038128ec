"""`llm-edge-agent` as a process of its own: killed and started again at will, with the same folder."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.support import http
from tests.support.server import free_port, status_of

_SECONDS = 20.0


@dataclass
class EdgeProcess:
    """An agent's process, its settings and its folder."""

    folder: Path
    settings: Mapping[str, Any]
    port: int
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Its own address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        """Its file of settings."""
        return self.folder / "edge-agent.yaml"

    @property
    def log(self) -> str:
        """All it has written."""
        return (self.folder / "agent.log").read_text("utf-8")

    async def start(self) -> None:
        """Starts it and waits until it takes events."""
        self.config.write_text(yaml.safe_dump(dict(self.settings)), "utf-8")
        with (self.folder / "agent.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "llm_incident_client.edge_agent", "run", "--config", self.config,
                cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        async with asyncio.timeout(_SECONDS):
            while await status_of(self.port, "/health/ready") != 200:
                if self.process.returncode is not None:
                    raise RuntimeError(f"the agent ended with {self.process.returncode}:\n{self.log[-4000:]}")
                await asyncio.sleep(0.01)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it and returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        async with asyncio.timeout(_SECONDS):
            return await self.process.wait()

    async def status(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """What `llm-edge-agent status` says, with its exit code."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "llm_incident_client.edge_agent", "status", "--config", self.config, *arguments,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, json.loads(out)

    async def report(self, events: Sequence[Mapping[str, Any]]) -> http.Answer:
        """Gives it events, as a program beside it would."""
        async with aiohttp.ClientSession() as session:
            return await http.whole(session.post(f"{self.url}/v1/events", json=list(events)))

    async def ask(self, path: str) -> http.Answer:
        """The answer to a GET."""
        async with aiohttp.ClientSession() as session:
            return await http.whole(session.get(f"{self.url}{path}"))

    async def until_waiting(self, count: int, seconds: float = 30.0) -> None:
        """Returns when so many events wait in its spool."""
        async with asyncio.timeout(seconds):
            while (await self.ask("/status")).json["spool"]["waiting"] != count:  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)


@asynccontextmanager
async def edge_process(folder: Path, address: str, **more: Any) -> AsyncIterator[EdgeProcess]:  # noqa: ANN401 - sections
    """A started agent, ended with the block."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  # once
    port = free_port()
    settings = {
        "agent": {"id": "edge-1", "service": "chat"},
        "server": {"address": address},
        "data": str(folder / "data"),
        "local": {"port": port},
        "pause_seconds": 0.2,
        **more,
    }
    agent = EdgeProcess(folder, settings, port)
    try:
        await agent.start()
        yield agent
    finally:
        if agent.process is not None and agent.process.returncode is None:
            await agent.end(signal.SIGKILL)
