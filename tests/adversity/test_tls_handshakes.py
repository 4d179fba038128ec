"""Many handshakes at once that begin and never end, while the certificate changes: the server lives through them.

The library frees what its threads make handshakes from when it takes another certificate (grpc/grpc#36693); with a new
one for each handshake it ended the process within a second of this.
"""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

from llm_incident_manager.ports.credentials import Credentials
from llm_incident_manager.transport.rpc.tls import Turnover
from tests.adversity.test_tls_rotation import served, until_shown
from tests.support.builders import NOW
from tests.support.certificates import Papers

AT_ONCE, ROUNDS = 300, 8


def greeting() -> bytes:
    """What a client says first."""
    said, heard = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(heard, said, server_hostname="localhost").do_handshake()
    return said.read()


async def broken_off(port: int, first: bytes, after: float) -> None:
    """A connection that says this and is gone some seconds later."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    await asyncio.sleep(after)
    writer.transport.abort()


async def test_handshakes_that_are_broken_off_do_not_end_the_server(tmp_path: Path) -> None:
    papers, whole = Papers(tmp_path), greeting()
    firsts = (b"", whole[:100], whole)
    async with served(papers) as (server, operator):
        for turn in range(ROUNDS):
            if turn % 2:
                papers.renew_server()
            await asyncio.gather(
                *(broken_off(server.grpc_port, firsts[at % 3], 0.02 * (at % 20)) for at in range(AT_ONCE))
            )
        await until_shown(server, papers, operator)
        assert server.process is not None
        assert server.process.returncode is None


def test_a_certificate_is_handed_over_once_and_while_no_handshake_begins(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    held = [_held(papers), _held(papers)]
    renewed = Event()
    turnover = Turnover(lambda: held[renewed.is_set()], quiet=0.2)
    assert turnover.fetch() is None
    renewed.set()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(turnover.fetch) for _ in range(8)]
        given = [each.result() for each in asked]
    assert sum(each is not None for each in given) == 1
    assert turnover.fetch() is None


def _held(papers: Papers) -> Credentials:
    papers.renew_server()
    key, certificate = papers.server.pems
    return Credentials(certificate, key, b"", NOW, NOW)
