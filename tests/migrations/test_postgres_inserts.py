"""New rows come to lie alike in PostgreSQL, whether they are few enough for the one statement or go by COPY."""

from collections.abc import AsyncIterator

import pytest

from llm_incident_manager.adapters.postgres import inserting, writes
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.store import PostgresStore, open_store
from llm_incident_manager.domain.fingerprint import CURRENT, Fingerprint
from llm_incident_manager.ports.stores import IncidentQuery
from tests.support.builders import NOW, TENANT, make_id, make_incident, make_opening
from tests.support.postgres import Cluster
from tests.support.steps import START, later, write

TYPES = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
TABLES = [step.table for step in (*writes.CONTENDED, *writes.OWN) if isinstance(step, writes.Insert)]


@pytest.fixture
async def store(cluster: Cluster) -> AsyncIterator[PostgresStore]:
    name = cluster.create()
    opened = await open_store(Options(cluster.dsn(name), may_lose_commits=True), make_id(), NOW)
    yield opened
    await opened.close()
    cluster.drop(name)


@pytest.mark.parametrize("count", [1, inserting.FEW, inserting.FEW + 1])
async def test_few_and_many_rows_are_read_back_as_they_were(store: PostgresStore, count: int) -> None:
    wanted = [
        make_incident(fingerprint=Fingerprint(CURRENT, f"{n:032x}"), labels={"a": "ü"}, cost_usd=0.1, tokens=2**40)
        for n in range(count)
    ]
    opening = make_opening(*wanted)
    await write(store, opening)
    assert sorted(await store.incidents(IncidentQuery(TENANT, limit=count + 1)), key=lambda i: i.id) == wanted
    assert len(await store.feed_after(TENANT, START, count + 1)) == count
    for entry in opening.timeline:
        assert list(await store.timeline(TENANT, entry.incident_id, "", 10)) == [entry]
    claimed = await store.claim_work(opening.outbox[0].topic, "me", later(1), later(2), count + 1)
    assert [row.id for row in claimed] == [row.id for row in opening.outbox]
    for row, body in zip(opening.events, opening.bodies, strict=True):
        stored = await store.event(TENANT, row.id)
        assert (stored.row, stored.body) == (row, body.body)


async def test_every_column_goes_as_the_type_it_has(store: PostgresStore) -> None:
    async with store.transaction() as tx:
        there = {tuple(row)[:2]: row[2] for row in await tx.fetch(TYPES)}
    for table, columns in {*TABLES, writes.AUDIT}:
        assert {name: inserting.type_of(name) for name in columns} == {name: there[table, name] for name in columns}
