"""Nothing of an erased tenant is left in the files of SQLite: rows, copies, the index of words, the log."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from llm_incident_manager.adapters.executor import ThreadExecutor
from llm_incident_manager.adapters.sqlite import tenant_data
from llm_incident_manager.adapters.sqlite.store import Options, SqliteStore, open_store
from llm_incident_manager.domain.ids import TenantId
from tests.support.builders import NOW, make_id, make_incident, make_opening

GONE, KEPT = TenantId("gone"), TenantId("kept")
CANARY, STAYS = "zcanaryzgone", "zcanaryzkept"
DERIVED = ("incident_index", "incident_term", "incident_document", "incident_change")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = await open_store(Options(tmp_path / "incidents.db", ThreadExecutor), make_id(), NOW)
    yield made
    await made.close()


async def filled(store: SqliteStore, rounds: int) -> None:
    """Both tenants' words among each other's, in more than one segment of the index."""
    draw = random.Random(3)
    for number in range(rounds):
        for tenant, word in ((GONE, CANARY), (KEPT, STAYS)):
            words = " ".join(f"w{draw.randrange(5_000)}" for _ in range(30))
            described = {"tenant": tenant, "description": f"{word}{number} {words}", "labels": {"team": f"{word}label"}}
            async with store.transaction() as tx:
                await tx.write(make_opening(make_incident(**described)))
        if number % 5 == 0:
            await indexed(store)
    await indexed(store)


async def indexed(store: SqliteStore) -> None:
    while await store.index_incidents(1_000) or await store.index_words(1_000):
        pass


async def erase(store: SqliteStore) -> int:
    steps = 0
    while await store.erase_rows(GONE, 500):
        steps += 1
    return steps


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("pages", [1, 250])
async def test_no_word_of_an_erased_tenant_is_in_any_file(
    store: SqliteStore, tmp_path: Path, pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant_data, "PAGES_AT_ONCE", pages)
    await filled(store, 30)
    assert any(CANARY.encode() in data for data in files(tmp_path).values())
    await erase(store)
    assert [name for name, data in files(tmp_path).items() if CANARY.encode() in data] == []
    await store.close()
    left = files(tmp_path)
    assert [name for name, data in left.items() if CANARY.encode() in data] == []
    assert any(STAYS.encode() in data for data in left.values())
    with apsw.Connection(str(tmp_path / "incidents.db")) as connection:
        for table in DERIVED:
            ((rows,),) = connection.execute(f"SELECT count(*) FROM {table} WHERE tenant = ?", (GONE,))
            assert rows == 0, table
        connection.execute("INSERT INTO incident_words (incident_words) VALUES ('integrity-check')")


async def test_the_index_is_written_anew_once_for_a_tenant(store: SqliteStore) -> None:
    await filled(store, 3)
    assert await erase(store) > 0
    await filled(store, 1)
    await erase(store)
    async with store.transaction() as tx:
        await tx.write(make_opening(make_incident(tenant=KEPT)))
    await indexed(store)
    assert await erase(store) == 0
