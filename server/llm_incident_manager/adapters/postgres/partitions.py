"""Events by the day: makes the partitions of the coming days, drops whole ones that are old. Never delays ingest long.

A partition is made and attached without a lock that ingest needs; dropping one takes the whole table for a moment and
gives up when that moment does not come soon. Whoever comes second leaves it to the first.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import asyncpg

from llm_incident_manager.adapters.postgres.pool import Connection
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.domain.ids import first_of
from llm_incident_manager.domain.time import DAY, Instant, utc_day
from llm_incident_manager.ports.upkeep import UpkeepRefused

KEYS: Mapping[str, str] = {"event": "id", "event_body": "event_id"}
"""The partitioned tables and the id whose time decides."""

DAYS_AHEAD = 3
"""So long may no process be able to make a partition before events come to lie in the default one."""

MOST_MOVED = 100_000
"""A day of which the default partition has more rows than this stays there: moving them would delay others for long."""

MOST_COUNTED = 64 * 1024 * 1024
"""A partition of more bytes than this is not counted when nothing is known of its rows."""


@contextmanager
def permitted() -> Iterator[None]:
    """Raises UpkeepRefused when the role may not do what it tried."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise UpkeepRefused(str(error)) from error


class Partition(NamedTuple):
    """A partition with the ids it takes: from `since` on, below `until`."""

    name: str
    since: str
    until: str


async def existing(connection: Connection, table: str) -> Sequence[Partition]:
    """The partitions of a table but the default one, the oldest first."""
    rows = await connection.fetch(SQL["partitions"], table)
    return [Partition(name, "" if since is None else str(since), str(until)) for name, since, until in rows]


def needed(table: str, there: Sequence[Partition], now: Instant) -> Sequence[Partition]:
    """The partitions of today and the coming days that are not there."""
    days = of_days(table, now, Instant(now + DAYS_AHEAD * DAY))
    return [day for day in days if not any(it.since <= day.since and day.until <= it.until for it in there)]


def of_days(table: str, first: Instant, last: Instant) -> Sequence[Partition]:
    """A partition for each day between two moments, both days included."""
    return [_of_day(table, Instant(day * DAY)) for day in range(first // DAY, last // DAY + 1)]


async def make(connection: Connection, table: str, partition: Partition) -> None:
    """Makes a partition, which takes over what the default one kept for it. Within a transaction."""
    for step in ("create_partition", "lock_default", "fill_partition", "attach_partition"):
        await connection.execute(filled(step, table, partition))


async def make_room(connection: Connection, now: Instant) -> int:
    """Makes what is missing; returns how many partitions that were. Raises asyncpg's errors.

    All in one transaction: whoever finds another process at it may leave all of it to that one.
    """
    async with connection.transaction():  # a pooler keeps no statement beyond one
        if not await _missing(connection, now):
            return 0
        await connection.execute(SQL["hasty"])
        if not await connection.fetchval(SQL["only_one"]):
            return 0
        made = 0
        for table, partition in await _missing(connection, now):
            if not await connection.fetchval(filled("crowded", table, partition), MOST_MOVED):
                await make(connection, table, partition)
                made += 1
    return made


async def drop_oldest(connection: Connection, table: str, before: str) -> int | None:
    """Drops the oldest partition if all its ids lie below `before`; about how many rows that were, or None.

    Within a transaction. Raises asyncpg's errors.
    """
    for partition in await existing(connection, table):
        if partition.until <= before:
            rows, size = await connection.fetchrow(SQL["rows_of_partition"], partition.name) or (0, 0)
            if rows <= 0 and size <= MOST_COUNTED:
                rows = await connection.fetchval(filled("count_partition", table, partition))
            await connection.execute(filled("drop_partition", table, partition))
            return max(int(rows), 0)
    return None


def filled(name: str, table: str, partition: Partition | None = None) -> str:
    """A statement with the names of a table and a partition. Both are ours: they come from KEYS and the catalogue."""
    places = {"{table}": table, "{key}": KEYS[table]}
    if partition is not None:
        places |= {"{partition}": partition.name, "{since}": partition.since, "{until}": partition.until}
    statement = SQL[name]
    for place, text in places.items():
        statement = statement.replace(place, text)
    return statement


async def _missing(connection: Connection, now: Instant) -> list[tuple[str, Partition]]:
    return [(table, partition) for table in KEYS for partition in needed(table, await existing(connection, table), now)]


def _of_day(table: str, midnight: Instant) -> Partition:
    return Partition(f"{table}_{utc_day(midnight)}", first_of(midnight), first_of(Instant(midnight + DAY)))
