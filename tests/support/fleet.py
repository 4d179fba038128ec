"""Several real processes of one deployment on one PostgreSQL database."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg

from tests.support.command import Finished, command
from tests.support.http import Answer, whole
from tests.support.postgres import Cluster
from tests.support.receiver import LOOPBACK
from tests.support.server import RunningServer, running_server

QUICK_LEASES = "3"
UNSAFE = {"LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}


@dataclass
class Fleet:
    """A database, a receiver's URL, and the processes started so far."""

    cluster: Cluster
    database: str
    url: str
    lease_secs: str
    stack: AsyncExitStack

    async def start(self, *arguments: str, **env: str) -> RunningServer:
        """Starts one more process of it, with arguments for `serve`."""
        channels = [{"type": "webhook", "webhook_url": self.url}] if self.url else [{"type": "log"}]
        settings = {"notifications": {"channels": channels}, "processes": {"lease_secs": self.lease_secs}, **LOOPBACK}
        own = {
            "DATABASE_URL": self.cluster.dsn(self.database),
            **UNSAFE,
            "LLM_IM__STORAGE__POOL_SIZE": "6",
        }
        opening = running_server(*arguments, env={**own, **env}, config=json.dumps(settings))
        return await self.stack.enter_async_context(opening)

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database answers."""
        connection = await asyncpg.connect(self.cluster.dsn(self.database))
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    async def value(self, statement: str) -> Any:  # noqa: ANN401 - whatever was asked for
        """The one value that the database answers."""
        ((found,),) = await self.rows(statement)
        return found

    async def until(self, statement: str, expected: object, seconds: float = 30) -> None:
        """Waits until the database answers this value."""
        async with asyncio.timeout(seconds):
            while (found := await self.value(statement)) != expected:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.05)
        assert found == expected

    async def command(self, *arguments: str) -> Finished:
        """Runs a command of the command line on the database."""
        env = {
            "DATABASE_URL": self.cluster.dsn(self.database),
            **UNSAFE,
            "LLM_IM__PROCESSES__LEASE_SECS": self.lease_secs,
        }
        return await command(*arguments, env=env)

    async def check_ledger(self) -> None:
        """Fails unless the events add up."""
        found = await self.command("ledger", "check")
        assert found.code == 0, found.out


@asynccontextmanager
async def a_fleet(cluster: Cluster, url: str = "", lease_secs: str = QUICK_LEASES) -> AsyncIterator[Fleet]:
    """An empty deployment whose webhook goes to a URL; its processes end with the block."""
    async with AsyncExitStack() as stack:
        yield Fleet(cluster, cluster.create(), url, lease_secs, stack)


async def submit(server: RunningServer, title: str) -> str:
    """Sends an event that opens an incident; returns the incident's id."""
    event = {"source": "sentinel", "title": title, "severity": "P1"}
    reply = await whole(aiohttp.request("POST", f"{server.http}/api/v1/events", json=event))
    assert reply.status == 202, reply.text
    return str(reply.json["incident_id"])


async def page(server: RunningServer, path: str) -> Answer:
    """What a process answers to GET."""
    return await whole(aiohttp.request("GET", f"{server.http}{path}"))
