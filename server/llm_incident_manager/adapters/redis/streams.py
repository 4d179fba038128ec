"""Carries names of rows from those who commit work to those who do it: one stream for each shard of a topic.

An entry is one blob with the rows of a commit that belong to its shard, read by the process that holds the shard. It is
acknowledged and deleted together, so that none stays pending; entries are never trimmed away under a reader: a stream
that is full takes no more, and what it refuses the database has.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import orjson
from redis.exceptions import ResponseError

from llm_incident_manager.adapters.redis.clients import Client
from llm_incident_manager.adapters.redis.connection import Connection, RedisGone
from llm_incident_manager.adapters.redis.reading import GROUP, Reader
from llm_incident_manager.domain.shards import shard_of
from llm_incident_manager.ports.bus import CarrierAway, Depth, Parcel
from llm_incident_manager.ports.changes import OutboxRow
from llm_incident_manager.telemetry import logs

PARCEL_ROWS = 50
MOST_PARCELS = 2_000
"""In one stream. More would wait there longer than the database takes to be asked."""
MOST_UNSENT = 20_000
"""Rows, and parcels that are done, which wait for Redis; beyond that they are left to the database."""
ROW = "rows"
"""The field of an entry."""

_Shard = tuple[str, int]


class Streams:
    """Implements ports.bus.Carrier."""

    def __init__(self, connection: Connection, *, consumer: str, owner: str, shards: int) -> None:
        """`consumer` is this process's stable name; `owner` that of this start of it; `shards` the same everywhere."""
        self._connection = connection
        self._shards = shards
        self._unsent: deque[tuple[_Shard, tuple[tuple[str, str], ...]]] = deque()
        self._unsent_rows = 0
        self._done: list[Parcel] = []
        self._length: defaultdict[_Shard, int] = defaultdict(int)
        self._pending = asyncio.Event()
        self._log = logs.get("bus")
        self._reader = Reader(connection, consumer=consumer, owner=owner, shards=shards)

    @property
    def usable(self) -> bool:
        """Whether Redis answered lately."""
        return self._connection.up

    def send(self, rows: Iterable[OutboxRow]) -> None:
        """Sends names of rows, soon. Drops what does not fit."""
        found: defaultdict[_Shard, list[tuple[str, str]]] = defaultdict(list)
        for row in rows:
            found[row.topic, shard_of(row.lane, self._shards)].append((row.id, row.lane))
        for shard, named in found.items():
            for start in range(0, len(named), PARCEL_ROWS):
                chunk = tuple(named[start : start + PARCEL_ROWS])
                if self._unsent_rows < MOST_UNSENT:
                    self._unsent.append((shard, chunk))
                    self._unsent_rows += len(chunk)
        if found:
            self._pending.set()

    async def receive(self, topic: str, most: int) -> Sequence[Parcel]:
        """What has been read of a topic by now, of about so many rows. Raises CarrierAway."""
        if not self._connection.up:
            raise CarrierAway
        return self._reader.take(topic, most)

    def done(self, parcels: Sequence[Parcel]) -> None:
        """Acknowledges and deletes parcels, soon; what does not fit stays pending, and is read again."""
        if parcels and len(self._done) < MOST_UNSENT:
            self._done += parcels
            self._pending.set()

    async def depth(self, topic: str) -> Depth:
        """What the streams of a topic hold. Raises CarrierAway."""
        keys = [self._reader.key(topic, shard) for shard in range(self._shards)]

        async def count(client: Client) -> Depth:
            async with client.pipeline(transaction=False) as asked:
                for key in keys:
                    asked.xlen(key)
                    asked.xpending(key, GROUP)
                answers = await asked.execute(raise_on_error=False)
            pending = (answer["pending"] for answer in answers[1::2] if isinstance(answer, dict))
            return Depth(sum(answer for answer in answers[::2] if isinstance(answer, int)), sum(pending))

        try:
            return await self._connection.ask(count)
        except (RedisGone, ResponseError) as gone:
            raise CarrierAway from gone

    async def run(self, wake: Callable[[str], None], lost: Callable[[str], None]) -> None:
        """Sends and reads until cancelled, then gives the shards back."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._reader.run(wake), name="streams-reader")
            while True:
                await self._pending.wait()
                self._pending.clear()
                await self._flush(lost)

    async def _flush(self, lost: Callable[[str], None]) -> None:
        unsent, self._unsent, self._unsent_rows = list(self._unsent), deque(), 0
        done, self._done = self._done, []
        try:
            if unsent:
                await self._connection.ask(lambda client: self._add(client, unsent))
            for key, places in _by_stream(done).items():
                await self._connection.ask(partial(_forget, key=key, entries=places))
        except (RedisGone, ResponseError) as error:
            if isinstance(error, ResponseError):
                self._log.error("bus.refused", error=str(error))
            self._length.clear()
            for topic in {topic for (topic, _), _ in unsent}:
                lost(topic)

    async def _add(self, client: Client, unsent: Sequence[tuple[_Shard, Sequence[tuple[str, str]]]]) -> None:
        async with client.pipeline(transaction=False) as asked:
            for shard, rows in unsent:
                if self._length[shard] < MOST_PARCELS:
                    asked.xadd(self._reader.key(*shard), {ROW: orjson.dumps(rows)})
            touched = list(dict.fromkeys(shard for shard, _ in unsent))
            for shard in touched:
                asked.xlen(self._reader.key(*shard))
            answers: list[Any] = await asked.execute()
        self._length.update(zip(touched, answers[-len(touched) :], strict=True))


def _by_stream(done: Iterable[Parcel]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for parcel in done:
        key, entry = parcel.place
        found[key].append(entry)
    return found


async def _forget(client: Client, key: str, entries: Sequence[str]) -> None:
    async with client.pipeline(transaction=True) as asked:
        asked.xack(key, GROUP, *entries)
        asked.xdel(key, *entries)
        await asked.execute()
