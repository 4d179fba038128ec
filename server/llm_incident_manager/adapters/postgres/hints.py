"""Hints between the processes on one database by LISTEN and NOTIFY, on a connection of its own.

A NOTIFY takes a lock of the whole server at its commit. So it is never part of a transaction that writes records, and
what there is to tell within 10 ms is told at once.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

from llm_incident_manager.adapters.postgres import failures
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.ports.changes import TOPICS
from llm_incident_manager.ports.hints import ACCESS, AGENTS, FEED, SESSIONS, Heard
from llm_incident_manager.telemetry import logs

CHANNEL = "llm_incident_manager"
COALESCE_SECONDS = 0.01
PROBE_SECONDS = 5.0
"""A connection that is told nothing is asked so often whether it still is one."""
ANSWER_SECONDS = 2.0
AGAIN_SECONDS = 1.0
"""Between attempts to connect. Meanwhile everybody polls."""

_SESSION = {"application_name": "llm-incident-manager hints", "synchronous_commit": "off"}
"""Nothing that this session commits has to last."""

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class PostgresHints:
    """Implements ports.hints.Hints."""

    def __init__(self, options: Options, again: float = AGAIN_SECONDS) -> None:
        """Connects when it runs; to PostgreSQL itself, as no pooler in transaction mode passes on what is told. A
        connection that is lost is made again after `again` seconds, and so on."""
        self._options = options
        self._again = again
        self._untold: set[str] = set()
        self._pending = asyncio.Event()
        self._log = logs.get("hints")

    def tell(self, names: Iterable[str]) -> None:
        """Lets the others know, soon."""
        self._untold.update(names)
        if self._untold:
            self._pending.set()

    async def run(self, heard: Heard) -> None:
        """Tells and hears until cancelled; connects again after whatever ends the connection."""
        while True:
            try:
                async with self._connected(heard) as connection:
                    for name in (
                        FEED,
                        ACCESS,
                        AGENTS,
                        SESSIONS,
                        *TOPICS,
                    ):  # whatever was told while nobody listened here
                        heard(name)
                    await self._converse(connection)
            except failures.BROKEN as error:
                self._log.warning("hints.away", error=type(error).__name__, meaning="others are polled every second")
            await asyncio.sleep(self._again)

    @asynccontextmanager
    async def _connected(self, heard: Heard) -> AsyncIterator[_Connection]:
        connection = await asyncpg.connect(
            self._options.dsn,
            timeout=self._options.acquire_within.total_seconds(),
            command_timeout=ANSWER_SECONDS,
            server_settings={**self._options.settings, **_SESSION},
        )
        own = connection.get_server_pid()

        def listen(_: object, sender: int, __: str, payload: object) -> None:
            if sender != own:
                for name in str(payload).split(","):
                    heard(name)

        try:
            connection.add_termination_listener(lambda _: self._pending.set())
            await connection.add_listener(CHANNEL, listen)
            yield connection
        finally:
            connection.terminate()

    async def _converse(self, connection: _Connection) -> None:
        """Raises what ends the connection."""
        while True:
            names = await self._next()
            if names:
                await connection.execute(SQL["tell"], CHANNEL, ",".join(sorted(names)))
            else:
                await connection.execute(SQL["alive"])
            await asyncio.sleep(COALESCE_SECONDS)

    async def _next(self) -> set[str]:
        """What is to be told; nothing once a probe is due."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._pending.wait()
        except TimeoutError:
            return set()
        self._pending.clear()
        names, self._untold = self._untold, set()
        return names
