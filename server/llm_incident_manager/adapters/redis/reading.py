"""Reads the streams of the shards that this process holds, and keeps what it read until somebody takes it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import orjson
from redis.asyncio import RedisCluster
from redis.exceptions import ResponseError

from llm_incident_manager.adapters.redis.clients import Client
from llm_incident_manager.adapters.redis.connection import Connection, RedisGone
from llm_incident_manager.adapters.redis.shards import RENEW_SECONDS, Shards
from llm_incident_manager.ports.bus import Parcel
from llm_incident_manager.telemetry import logs

GROUP = "workers"
ENTRIES = 20
BLOCK_SECONDS = 1.0
"""How long a read waits for news. Shards that were given up are read for so long at most."""
MOST_ROWS = 400
"""Rows of a topic that are read ahead."""
STALE_SECONDS = 60.0
"""What was read so long ago and is not done is looked at again: its acknowledgement was lost."""
REST_SECONDS = 0.2

_Entries: TypeAlias = Sequence[tuple[bytes, dict[bytes, bytes] | None]]


class Reader:
    """The streams of all topics that are taken in this process."""

    def __init__(self, connection: Connection, *, consumer: str, owner: str, shards: int) -> None:
        """Reads nothing before `run`, and no topic before it is first taken."""
        self._connection = connection
        self._consumer = consumer
        self._owner = owner
        self._count = shards
        self._topics: dict[str, Shards] = {}
        self._read: defaultdict[str, deque[Parcel]] = defaultdict(deque)
        self._taken = asyncio.Event()
        self._wanted = asyncio.Event()
        self._log = logs.get("bus")

    def key(self, topic: str, shard: int) -> str:
        """The stream of a shard."""
        return self._connection.key("bus", f"{topic}:{shard}")

    def take(self, topic: str, most: int) -> Sequence[Parcel]:
        """Parcels that were read, of about so many rows."""
        if topic not in self._topics:
            self._topics[topic] = Shards(self._connection, topic, self._owner, self._count)
            self._wanted.set()
        found: list[Parcel] = []
        while self._read[topic] and sum(len(parcel.rows) for parcel in found) < most:
            found.append(self._read[topic].popleft())
        self._taken.set()
        return found

    async def run(self, wake: Callable[[str], None]) -> None:
        """Reads until cancelled; then gives the shards back, if Redis answers."""
        following: dict[str, asyncio.Task[None]] = {}
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._wanted.wait()
                    self._wanted.clear()
                    for topic in self._topics.keys() - following.keys():
                        following[topic] = tasks.create_task(self._follow(topic, wake), name=f"streams-{topic}")
        finally:
            await self._give_back()

    async def _give_back(self) -> None:
        try:
            for shards in self._topics.values():
                await shards.give_back()
        except (RedisGone, ResponseError):  # they end by themselves
            return

    async def _follow(self, topic: str, wake: Callable[[str], None]) -> None:
        """Keeps the leases, and one reader for those shards that can be read together."""
        shards, readers = self._topics[topic], dict[tuple[int, ...], asyncio.Task[None]]()
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    await shards.keep()
                    wanted = await self._connection.ask(lambda client: _together(client, shards.held))
                except (RedisGone, ResponseError) as error:  # whoever reads goes on with what it had
                    self._refused(error)
                    await asyncio.sleep(REST_SECONDS)
                    continue
                for gone in readers.keys() - set(wanted):
                    readers.pop(gone).cancel()
                for group in set(wanted) - readers.keys():
                    readers[group] = tasks.create_task(self._read_on(topic, group, wake))
                await asyncio.sleep(RENEW_SECONDS)

    async def _read_on(self, topic: str, group: Sequence[int], wake: Callable[[str], None]) -> None:
        keys = [self.key(topic, shard) for shard in group]
        idle, looked = 0.0, -STALE_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            try:
                if clock() - looked >= STALE_SECONDS:
                    for key in keys:
                        await self._left_behind(topic, key, idle)
                    idle, looked = STALE_SECONDS, clock()
                    wake(topic)
                await self._room(topic)
                if await self._read_once(topic, keys):
                    wake(topic)
            except (RedisGone, ResponseError) as error:
                self._refused(error)
                await asyncio.sleep(REST_SECONDS)
                idle, looked = 0.0, -STALE_SECONDS  # it may be empty, or have answered too late: begin anew

    def _refused(self, error: Exception) -> None:
        """Logs what is neither an absent Redis nor one that was emptied, which takes the readers' groups with it."""
        if isinstance(error, ResponseError) and not str(error).startswith("NOGROUP"):
            self._log.error("bus.refused", error=str(error))

    async def _left_behind(self, topic: str, key: str, idle: float) -> None:
        """What was read from a stream and never done, by whoever held it before or by us."""
        await self._connection.ask(lambda client: _make_group(client, key))
        start = "0-0"
        while True:
            start, entries = await self._connection.ask(partial(self._claim, key=key, idle=idle, start=start))
            self._keep(topic, key, entries)
            if start == "0-0":
                return

    async def _claim(self, client: Client, key: str, idle: float, start: str) -> tuple[str, "_Entries"]:
        found: Any = await client.xautoclaim(key, GROUP, self._consumer, int(idle * 1000), start, count=ENTRIES)
        return _text(found[0]), found[1]

    async def _read_once(self, topic: str, keys: Sequence[str]) -> bool:
        wanted: dict[Any, Any] = dict.fromkeys(keys, ">")

        async def read(client: Client) -> list[tuple[bytes, _Entries]]:
            block = int(BLOCK_SECONDS * 1000)
            found: Any = await client.xreadgroup(GROUP, self._consumer, wanted, count=ENTRIES, block=block)
            return found or []

        found = await self._connection.wait(read, BLOCK_SECONDS)
        for key, entries in found:
            self._keep(topic, _text(key), entries)
        return bool(found)

    def _keep(self, topic: str, key: str, entries: _Entries) -> None:
        for entry, fields in entries:
            if fields:  # deleted meanwhile otherwise
                rows = tuple((id_, lane) for id_, lane in orjson.loads(next(iter(fields.values()))))
                self._read[topic].append(Parcel(topic, (key, _text(entry)), rows))

    async def _room(self, topic: str) -> None:
        while sum(len(parcel.rows) for parcel in self._read[topic]) >= MOST_ROWS:
            self._taken.clear()
            await self._taken.wait()


async def _together(client: Client, held: set[int]) -> list[tuple[int, ...]]:
    """A cluster keeps each shard elsewhere; otherwise one read does for all."""
    if isinstance(client, RedisCluster):
        return [(shard,) for shard in sorted(held)]
    return [tuple(sorted(held))] if held else []


async def _make_group(client: Client, key: str) -> None:
    try:
        await client.xgroup_create(key, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
