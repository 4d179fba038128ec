"""Runs the case runner as people do."""

import asyncio
import sys

from tests.support.command import SECONDS, Finished
from tools import shell


async def run_cases(*arguments: str) -> Finished:
    """`python -m cases` with these arguments, to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cases",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=shell.ROOT,
    )
    async with asyncio.timeout(2 * SECONDS):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())
