"""Certificates made for a test, and what speaks TLS before or in PostgreSQL.

The wheel's PostgreSQL is built without TLS. So there is a terminator as clouds put before their databases: it answers
the TLS request of the wire protocol, and what it decrypts goes to the real server. Where another installation can do
TLS itself (POSTGRES_BIN, or the system's), the same tests run on that one as well.
"""

import asyncio
import contextlib
import os
import ssl
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.support.pooler import TLS, error
from tests.support.postgres import HURRIED, Cluster


@dataclass(frozen=True)
class Papers:
    """Files of one test: a CA, what it issued for `localhost` and for the client `app`, and a CA nobody trusts."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    other_ca: Path

    def context(self) -> ssl.SSLContext:
        """What a server needs that asks for client certificates of the CA."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server, self.server_key)
        context.load_verify_locations(self.ca)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def make_papers(folder: Path) -> Papers:
    """Writes them into the folder."""
    ca, other = trustme.CA(), trustme.CA()
    papers = Papers(*(folder / f"{name}.pem" for name in Papers.__dataclass_fields__))
    ca.cert_pem.write_to_path(papers.ca)
    other.cert_pem.write_to_path(papers.other_ca)
    for issued, certificate, key in (
        (ca.issue_cert("localhost"), papers.server, papers.server_key),
        (ca.issue_cert(common_name="app"), papers.client, papers.client_key),
    ):
        issued.cert_chain_pems[0].write_to_path(certificate)
        issued.private_key_pem.write_to_path(key)
    for path in folder.iterdir():
        path.chmod(0o644)
    for key in (papers.server_key, papers.client_key):
        key.chmod(0o600)
    return papers


class Terminator:
    """Speaks TLS with clients and passes what they say to the server at a port. Whoever wants no TLS is sent away."""

    def __init__(self, server_port: int, context: ssl.SSLContext) -> None:
        self._server_port, self._context = server_port, context
        self.port = 0
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="tls")
        self._thread.start()
        assert self._started.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(lambda *_: None)  # handshakes that fail are what clients are tested with
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stopping.wait()
        server.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            try:
                first = await reader.readexactly(8)
                if int.from_bytes(first[4:]) != TLS:
                    writer.write(error("28000", 'no pg_hba.conf entry for host "127.0.0.1", no encryption'))
                    return
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self._context)
                up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
                await asyncio.gather(_carry(reader, up_writer), _carry(up_reader, writer))
            finally:
                writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


def programs_with_tls() -> Path | None:
    """The folder of a PostgreSQL that can do TLS itself, if this machine has one."""
    named = os.environ.get("POSTGRES_BIN")
    folders = [Path(named)] if named else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    for folder in reversed(folders):
        if (folder / "initdb").exists() and (folder / "pg_config").exists():
            built = subprocess.run([folder / "pg_config", "--configure"], capture_output=True, text=True, check=False)
            if "openssl" in built.stdout:
                return folder
    return None


def cluster_with_tls(programs: Path, papers: Papers) -> Cluster:
    """A PostgreSQL that takes `app` over TLS with its certificate, and in no other way."""
    server = Cluster.in_new_folder(HURRIED, programs)
    server.stop()
    server.configure(
        {
            "ssl": "on",
            "ssl_cert_file": server.take(papers.server),
            "ssl_key_file": server.take(papers.server_key),
            "ssl_ca_file": server.take(papers.ca),
        }
    )
    server.start()
    server.admit("host all app all reject")
    server.admit("hostssl all app all cert")
    return server
