"""The command line as people and scripts run it: a process of its own, with its exit code and both its outputs."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.server import RunningServer

SECONDS = 60.0


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """The one document it printed."""
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        """The documents it printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


async def command(
    *arguments: str,
    server: RunningServer | None = None,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Finished:
    """Runs `llm-incident-manager` with these arguments to its end."""
    process = await start(*arguments, server=server, env=env, cwd=cwd)
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate(stdin)
    assert process.returncode is not None
    finished = Finished(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in finished.err, finished.err
    return finished


async def start(
    *arguments: str,
    server: RunningServer | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> asyncio.subprocess.Process:
    """Starts the command and leaves it running."""
    address = {"LLM_IM_ADDRESS": server.grpc} if server is not None else {}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "llm_incident_manager",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LLM_IM_CONTEXTS": os.devnull, **address, **(env or {})},
        cwd=cwd,
    )
