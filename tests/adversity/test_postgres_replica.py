"""Reads go to a real streaming replica when it has everything, and to the primary whenever it has not or is away."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.store import PostgresStore, open_store
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import IncidentQuery
from tests.support.builders import NOW, TENANT, make_entry, make_id
from tests.support.pooler import start_pooler
from tests.support.postgres import Cluster
from tests.support.steps import opened, write

EVERYTHING = IncidentQuery(TENANT, limit=1_000)


@pytest.fixture(scope="module")
def standby(cluster: Cluster) -> Iterator[Cluster]:
    made = cluster.replica()
    yield made
    made.remove()


@pytest.fixture
def reads() -> Counter[str]:
    """What became of the reads meant for the replica."""
    return Counter()


@pytest.fixture
async def store(options: Options, standby: Cluster, database: str, reads: Counter[str]) -> AsyncIterator[PostgresStore]:
    async def counted() -> PostgresStore:
        given = replace(options, replica=standby.dsn(database))
        return await open_store(given, make_id(), NOW, replica_read=lambda outcome: reads.update([outcome]))

    store = await counted()
    await usable(store)
    yield store
    await store.close()


async def usable(store: PostgresStore) -> None:
    """Returns once the replica could answer."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await store.check_replica()
            except DomainError:
                await asyncio.sleep(0.02)


def sessions(standby: Cluster, database: str) -> int:
    where = f"datname = '{database}' AND backend_type = 'client backend'"
    return int(standby.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {where}"))


async def test_lists_counts_and_single_reads_come_from_the_replica(
    store: PostgresStore, standby: Cluster, database: str, reads: Counter[str]
) -> None:
    incident = await opened(store)
    await usable(store)
    reads.clear()
    assert list(await store.incidents(EVERYTHING)) == [incident]
    assert await store.count_incidents(EVERYTHING) == 1
    assert await store.incident(TENANT, incident.number) == incident
    assert len(await store.timeline(TENANT, incident.id, "", 10)) == 1
    assert list(await store.deliveries(TENANT, incident.id)) == []
    assert reads["served"] >= 4, "on a busy machine one of five may find the replica behind"
    assert sum(reads.values()) == 5
    assert sessions(standby, database) >= 1


async def test_whoever_has_written_reads_it_at_once(store: PostgresStore, reads: Counter[str]) -> None:
    known = []
    for _ in range(50):
        known.append(await opened(store))
        found = await store.incidents(EVERYTHING)
        assert {incident.id for incident in found} == {incident.id for incident in known}
    assert reads["served"] > 0


async def test_what_another_process_has_written_is_read_at_once(
    store: PostgresStore, options: Options, reads: Counter[str]
) -> None:
    other = await open_store(options, make_id(), NOW)
    for _ in range(20):
        incident = await opened(other)
        assert await store.incident(TENANT, incident.id) == incident
    await other.close()
    assert reads["served"] > 0


async def test_behind_poolers_reads_come_from_the_replica_as_well(
    options: Options, cluster: Cluster, standby: Cluster, database: str, reads: Counter[str]
) -> None:
    before, behind = start_pooler(cluster.port), start_pooler(standby.port)
    try:
        given = replace(
            options,
            dsn=f"postgresql://postgres@127.0.0.1:{before.port}/{database}",
            replica=f"postgresql://postgres@127.0.0.1:{behind.port}/{database}",
            pooled=True,
        )
        store = await open_store(given, make_id(), NOW, replica_read=lambda outcome: reads.update([outcome]))
        await usable(store)
        for _ in range(10):
            incident = await opened(store)
            assert await store.incident(TENANT, incident.id) == incident
        assert reads["served"] > 0
        await store.close()
    finally:
        before.stop()
        behind.stop()


async def test_while_replay_is_paused_the_primary_answers_and_says_why(
    store: PostgresStore, standby: Cluster, reads: Counter[str]
) -> None:
    incident = await opened(store)
    await usable(store)
    standby.sql("SELECT pg_wal_replay_pause()")
    try:
        note = make_entry(incident, kind=TimelineKind.NOTE, text="written while the replica stands still")
        await write(store, Changes(timeline=[note]))
        reads.clear()
        started = time.monotonic()
        assert note in await store.timeline(TENANT, incident.id, "", 10)
        assert time.monotonic() - started < 2
        assert reads == {"behind": 1}
        with pytest.raises(DomainError, match=r"reads go to the primary: the replica is \d+ bytes behind"):
            await store.check_replica()
        assert note in await store.timeline(TENANT, incident.id, "", 10)
        assert reads == {"behind": 1, "away": 1}, "it is left alone for a while"
    finally:
        standby.sql("SELECT pg_wal_replay_resume()")
    await usable(store)
    reads.clear()
    assert note in await store.timeline(TENANT, incident.id, "", 10)
    assert reads == {"served": 1}


async def test_a_replica_that_is_killed_is_missed_by_nobody(
    store: PostgresStore, standby: Cluster, reads: Counter[str]
) -> None:
    incident = await opened(store)
    await usable(store)
    standby.kill()
    try:
        reads.clear()
        for _ in range(5):
            assert await store.incident(TENANT, incident.id) == incident
        assert reads == {"away": 5}
        with pytest.raises(DomainError, match="reads go to the primary: the replica fails"):
            await store.check_replica()
    finally:
        standby.start()
    await usable(store)
    assert await store.incident(TENANT, incident.id) == incident
    assert reads["served"] == 1


async def test_a_replica_that_hangs_costs_a_moment_and_then_nothing(
    store: PostgresStore, standby: Cluster, reads: Counter[str]
) -> None:
    incident = await opened(store)
    await usable(store)
    standby.pause()
    try:
        started = time.monotonic()
        for _ in range(3):
            assert await store.incident(TENANT, incident.id) == incident
        assert time.monotonic() - started < 2.5
        assert reads["away"] == 3
    finally:
        standby.resume()
    await usable(store)


async def test_a_replica_that_is_absent_at_the_start_is_used_when_it_comes(
    options: Options, standby: Cluster, database: str, reads: Counter[str]
) -> None:
    standby.stop()
    given = replace(options, replica=standby.dsn(database))
    try:
        store = await open_store(given, make_id(), NOW, replica_read=lambda outcome: reads.update([outcome]))
        incident = await opened(store)
        assert await store.incident(TENANT, incident.id) == incident
    finally:
        standby.start()
    await usable(store)
    assert await store.incident(TENANT, incident.id) == incident
    assert reads == {"away": 1, "served": 1}
    await store.close()


@pytest.mark.parametrize("which", ["itself", "another system"])
async def test_what_is_no_replica_of_this_primary_is_never_read_from(
    options: Options, cluster: Cluster, database: str, reads: Counter[str], which: str
) -> None:
    other = Cluster.in_new_folder() if which == "another system" else cluster
    if other is not cluster:
        other.sql(f"CREATE DATABASE {database}")
    try:
        given = replace(options, replica=other.dsn(database))
        store = await open_store(given, make_id(), NOW, replica_read=lambda outcome: reads.update([outcome]))
        incident = await opened(store)
        assert await store.incident(TENANT, incident.id) == incident
        with pytest.raises(DomainError, match=r"another system|leads to no standby"):
            await store.check_replica()
        assert reads == {"away": 1}
        await store.close()
    finally:
        if other is not cluster:
            other.remove()
