"""What tests of stores do again and again, in one line each."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.ports.changes import (
    NOTIFY,
    Changes,
    Claimed,
    Claims,
    FingerprintKey,
    KeyRow,
    OutboxRow,
    ProducerKey,
    ProducerRow,
)
from llm_incident_manager.ports.stores import FeedItem, Position, Store, Transaction
from tests.support.builders import NOW, TENANT, key_of, make_incident, make_opening

START = Position(0, 0)
"""Before all changes."""


def later(seconds: float) -> Instant:
    """So many seconds after NOW."""
    return Instant(NOW + int(seconds * SECOND))


async def write(store: Store, changes: Changes) -> None:
    """One unit of work that only writes."""
    async with store.transaction() as tx:
        await tx.write(changes)


async def indexed(store: Store) -> None:
    """Lets what lists and searches ask follow the feed to its end.

    PostgreSQL shows the feed up to the oldest running transaction, and its own upkeep runs some: that is waited for.
    """
    idle = 0
    while idle < (10 if store.kind == "postgresql" else 1):
        moved = max(await store.index_incidents(100), await store.index_words(100))
        idle = 0 if moved else idle + 1
        if store.kind == "postgresql" and not moved:
            await asyncio.sleep(0.02)


class Dropped(Exception):
    """What `dropped` raises."""


@asynccontextmanager
async def dropped(store: Store) -> AsyncIterator[Transaction]:
    """A unit of work that ends with Dropped, after all else went well."""
    async with store.transaction() as tx:
        yield tx
        raise Dropped


async def opened(store: Store, **fields: object) -> Incident:
    """A new incident with all its rows, committed."""
    incident = make_incident(**fields)
    await write(store, make_opening(incident))
    return incident


def release(*incidents: Incident) -> list[KeyRow]:
    """The rows that let go of the incidents' fingerprints."""
    return [KeyRow(key_of(incident), incident.id) for incident in incidents]


async def claimed(store: Store, *keys: FingerprintKey) -> Claimed:
    """What an ingest transaction would learn about fingerprints."""
    async with store.transaction() as tx:
        return await tx.claim(Claims(fingerprints=keys))


async def claim(
    store: Store, at: Instant = NOW, *, until: Instant | None = None, limit: int = 10
) -> Sequence[OutboxRow]:
    """Leases due notifications for a minute, or until then."""
    return await store.claim_work(NOTIFY, "worker", at, until or Instant(at + 60 * SECOND), limit)


async def feed(
    store: Store, count: int, tenant: TenantId | None = None, position: Position = START, limit: int = 100
) -> Sequence[FeedItem]:
    """The changes behind a position once there are so many: other sessions of the server may delay the newest."""
    async with asyncio.timeout(10):
        while len(items := await store.feed_after(tenant, position, limit)) < count:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)
    return items


async def open_producer(store: Store, name: str = "gateway-1", tenant: TenantId = TENANT) -> ProducerRow:
    """A new stream of a producer."""
    async with store.transaction() as tx:
        return await tx.open_producer(ProducerKey(tenant, "dev", name), NOW)
