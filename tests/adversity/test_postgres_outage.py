"""PostgreSQL goes away in every way it can; callers learn it in time, nothing is half done, and the pool recovers."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import asyncpg
import pytest

from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.store import PostgresStore
from llm_incident_manager.adapters.sql import audit
from llm_incident_manager.domain import audit_chain
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.errors import NotFound, StoreUnavailable
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.ports.changes import Changes, Claims
from llm_incident_manager.ports.stores import KeyTaken
from tests.support.builders import TENANT, key_of, make_audit, make_id, make_incident, make_opening
from tests.support.postgres import Cluster
from tests.support.waiting import until

POOL = 4
SLACK = timedelta(seconds=1)


async def open_incident(store: PostgresStore, incident: Incident) -> None:
    async with store.transaction() as tx:
        await tx.claim(Claims(fingerprints=(key_of(incident),)))
        await tx.write(make_opening(incident))


async def recovered(store: PostgresStore) -> None:
    """Returns once the store answers again."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await store.check()
            except StoreUnavailable:
                await asyncio.sleep(0.05)


def open_transactions(cluster: Cluster, database: str) -> int:
    where = f"datname = '{database}' AND state LIKE 'idle in transaction%'"
    return int(cluster.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {where}"))


async def chains(dsn: str) -> dict[str, list[AuditRow]]:
    connection = await asyncpg.connect(dsn)
    columns = ", ".join(audit.AUDIT_COLUMNS)
    rows = await connection.fetch(f"SELECT {columns} FROM audit ORDER BY writer, sequence")
    await connection.close()
    found: dict[str, list[AuditRow]] = {}
    for row in rows:
        found.setdefault(row["writer"], []).append(AuditRow(*row))
    return found


@pytest.mark.exclusive
@pytest.mark.parametrize("call", ["check", "read", "write", "work"])
async def test_a_stalled_server_is_reported_within_the_deadline(
    store: PostgresStore, options: Options, cluster: Cluster, call: str
) -> None:
    incident = make_incident()
    await open_incident(store, incident)
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "check": store.check,
        "read": lambda: store.incident(TENANT, incident.id),
        "write": lambda: open_incident(store, make_incident()),
        "work": lambda: store.claim_work("incidents.routed", "me", incident.created_at, incident.created_at, 1),
    }
    cluster.pause()
    started = time.monotonic()
    try:
        with pytest.raises(StoreUnavailable):
            await calls[call]()
        waited = time.monotonic() - started
    finally:
        cluster.resume()
    deadline = options.acquire_within + options.statement_timeout + options.grace + SLACK
    assert waited < deadline.total_seconds()
    await recovered(store)
    await until(lambda: store.free == POOL)
    assert await store.incident(TENANT, incident.id) == incident


async def test_a_crash_before_the_commit_leaves_nothing_and_the_pool_recovers(
    store: PostgresStore, cluster: Cluster
) -> None:
    incident = make_incident()

    async def crashed() -> None:
        async with store.transaction() as tx:
            await tx.write(make_opening(incident))
            cluster.stop(signal.SIGQUIT)
            cluster.start()

    with pytest.raises(StoreUnavailable):
        await crashed()
    await recovered(store)
    with pytest.raises(NotFound):
        await store.incident(TENANT, incident.id)
    await open_incident(store, incident)
    assert await store.incident(TENANT, incident.id) == incident
    assert store.free == POOL


async def test_a_server_that_is_down_is_unavailable_at_once(store: PostgresStore, cluster: Cluster) -> None:
    cluster.stop()
    try:
        with pytest.raises(StoreUnavailable):
            await store.check()
        with pytest.raises(StoreUnavailable):
            await open_incident(store, make_incident())
    finally:
        cluster.start()
    await recovered(store)
    assert store.free == POOL


async def test_an_audit_chain_ends_where_nobody_knows_whether_a_commit_happened(
    store: PostgresStore, cluster: Cluster, options: Options
) -> None:
    incident = make_incident()
    await open_incident(store, incident)

    async def stalled() -> None:
        async with store.transaction() as tx:
            await tx.write(Changes(audit=[make_audit(incident)]))
            cluster.pause()

    with pytest.raises(StoreUnavailable):
        await stalled()
    cluster.resume()
    await recovered(store)
    async with store.transaction() as tx:
        await tx.write(Changes(audit=[make_audit(incident)]))
    found = await chains(options.dsn)
    assert len(found) == 2
    assert all(audit_chain.first_broken(rows) is None for rows in found.values())


async def test_a_busy_pool_refuses_within_the_deadline(store: PostgresStore) -> None:
    async with AsyncExitStack() as held:
        for _ in range(POOL):
            await held.enter_async_context(store.transaction())
        with pytest.raises(StoreUnavailable, match=rf"all connections \({POOL}\) are busy, and none came free in time"):
            await store.check()
    await store.check()


async def test_a_long_statement_is_ended_by_the_server(store: PostgresStore, options: Options) -> None:
    incident = make_incident()
    await open_incident(store, incident)
    async with store.transaction() as holder:
        await holder.incident(TENANT, incident.id)
        with pytest.raises((KeyTaken, StoreUnavailable)):
            async with store.transaction() as tx:
                await tx.incident(TENANT, incident.id)
    assert await store.incident(TENANT, incident.id) == incident


async def test_random_cancellations_leave_the_pool_whole_and_no_transaction_open(
    store: PostgresStore, cluster: Cluster, options: Options, database: str
) -> None:
    chance = random.Random(20261121)
    shared = make_incident()
    await open_incident(store, shared)

    async def work(number: int) -> None:
        incident = make_incident()
        async with store.transaction() as tx:
            await tx.answer(TENANT, f"request-{number % 3}")
            await tx.incident(TENANT, shared.id)
            await tx.write(make_opening(incident))

    started = time.monotonic()
    await work(0)
    longest = 16 * (time.monotonic() - started)

    async def cut_short(number: int) -> bool:
        task = asyncio.create_task(work(number))
        await asyncio.sleep(chance.random() * longest)
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert outcome is None or isinstance(outcome, asyncio.CancelledError | StoreUnavailable | KeyTaken), outcome
        return outcome is None

    finished: list[bool] = []
    for first in range(0, 200, 8):
        finished += await asyncio.gather(*(cut_short(number) for number in range(first, first + 8)))
    assert 0 < sum(finished) < 200
    await until(lambda: store.free == POOL)
    assert open_transactions(cluster, database) == 0
    assert cluster.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0"
    await open_incident(store, make_incident())
    found = await chains(options.dsn)
    assert all(audit_chain.first_broken(rows) is None for rows in found.values())
    assert cluster.sql("SELECT count(*) FROM incident", database) == str(sum(map(len, found.values())))


async def test_an_open_transaction_is_given_back_when_its_user_fails(store: PostgresStore) -> None:
    incident = make_incident()

    async def failing() -> None:
        async with store.transaction() as tx:
            await tx.write(make_opening(incident))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    with pytest.raises(NotFound):
        await store.incident(TENANT, incident.id)
    assert store.free == POOL


async def test_a_swallowed_failure_does_not_commit(store: PostgresStore) -> None:
    incident = make_incident()
    await open_incident(store, incident)
    other = make_incident(id=make_id(), fingerprint=incident.fingerprint)

    async def swallowing() -> None:
        async with store.transaction() as tx:
            with pytest.raises(KeyTaken):
                await tx.write(make_opening(other))

    with pytest.raises(StoreUnavailable, match="had failed"):
        await swallowing()
    with pytest.raises(NotFound):
        await store.incident(TENANT, other.id)
