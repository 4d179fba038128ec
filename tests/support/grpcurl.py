"""grpcurl, as a stranger uses it."""

import asyncio
import shutil
from pathlib import Path

from tests.support.certificates import Held
from tools import shell


async def grpcurl(*arguments: str) -> tuple[int, str]:
    """Exit code and everything it printed."""
    program = shutil.which("grpcurl", path=shell.SEARCH)
    assert program is not None, "run `make setup`"
    pipe, both = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(program, "-max-time", "10", *arguments, stdout=pipe, stderr=both)
    printed, _ = await process.communicate()
    return await process.wait(), printed.decode()


def over_tls(ca: Path, client: Held | None = None) -> tuple[str, ...]:
    """Its options for a server whose certificate is of that authority, and for showing one's own."""
    own = () if client is None else ("-cert", str(client.certificate), "-key", str(client.key))
    return ("-cacert", str(ca), *own)
