"""What a broken connection says, in whatever words its parts have for it, is that the database does not answer."""

import asyncio

import pytest
import uvloop

from llm_incident_manager.adapters.postgres import failures
from llm_incident_manager.domain.errors import StoreUnavailable


async def _write_after_the_end() -> None:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, host, port)
        transport.abort()
        await asyncio.sleep(0)
        with failures.translated():
            transport.write(b"SELECT 1")


def test_a_write_to_a_connection_that_has_just_ended_finds_the_store_unavailable() -> None:
    with (
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        pytest.raises(StoreUnavailable, match="RuntimeError"),
    ):
        runner.run(_write_after_the_end())


def test_a_defect_of_ours_stays_one() -> None:
    with pytest.raises(RuntimeError, match="ours"), failures.translated():
        raise RuntimeError("ours")
