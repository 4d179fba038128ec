"""Migrations on SQLite: each one wholly or not at all, and the snapshot is what they give."""

import re
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from llm_incident_manager.adapters.executor import InlineExecutor
from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.adapters.sqlite import schema
from llm_incident_manager.adapters.sqlite.store import Options, open_store
from llm_incident_manager.ports.stores import StoreRefused
from tests.support import snapshots
from tests.support.builders import NOW, make_id

ALL = tuple(migration.name for migration in migrations.load("sqlite"))
BAD = migrations.Migration(len(ALL) + 1, "0002_pre_bad", "CREATE TABLE half (a); CREATE TABLE half (a);", "c" * 64)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "incidents.db"


def names(database: Path) -> list[str]:
    with closing(apsw.Connection(str(database))) as connection:
        found = connection.execute("SELECT name FROM schema_migration ORDER BY version").fetchall()
    return [str(name) for (name,) in found]


def test_the_snapshot_is_what_the_migrations_give() -> None:
    expected = snapshots.of_sqlite()
    remedy = "run: python -m tests.support.snapshots"
    assert snapshots.file("sqlite").read_text("utf-8") == expected, remedy
    assert snapshots.of_sqlite(expected) == expected


def test_a_new_database_gets_all_and_a_second_run_does_nothing(database: Path) -> None:
    assert schema.migrate(database, NOW) == ALL
    assert schema.migrate(database, NOW) == ()
    assert names(database) == list(ALL)


def test_a_dry_run_names_what_it_would_do_and_does_nothing(database: Path) -> None:
    assert schema.migrate(database, NOW, dry_run=True) == ALL
    assert not database.parent.exists()
    schema.migrate(database, NOW)
    assert schema.migrate(database, NOW, dry_run=True) == ()


async def test_a_dry_run_does_not_mind_a_running_server(database: Path) -> None:
    store = await open_store(Options(database, InlineExecutor), make_id(), NOW)
    assert schema.migrate(database, NOW, dry_run=True) == ()
    with pytest.raises(StoreRefused, match="in use by process"):
        schema.migrate(database, NOW)
    await store.close()


def test_a_migration_that_fails_leaves_no_trace(database: Path) -> None:
    schema.migrate(database, NOW)
    connection = connections.open_writer(str(database))
    with pytest.raises(apsw.SQLError):
        schema.apply(connection, NOW, [BAD])
    assert not connection.in_transaction
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchall() == [(0,)]
    assert names(database) == list(ALL)
    connection.close()


async def test_a_store_migrates_when_it_is_told_to_and_otherwise_refuses(database: Path) -> None:
    with pytest.raises(StoreRefused, match=r"lacks 0001_pre_first.*: run the migrations first"):
        await open_store(Options(database, InlineExecutor), make_id(), NOW, migrate=False)
    await (await open_store(Options(database, InlineExecutor), make_id(), NOW)).close()
    await (await open_store(Options(database, InlineExecutor), make_id(), NOW, migrate=False)).close()


def mark(database: Path, name: str) -> None:
    """Notes a migration of a newer program."""
    with closing(apsw.Connection(str(database))) as connection:
        connection.execute("INSERT INTO schema_migration VALUES (?, ?, 'x', 0)", (int(name[:4]), name))


async def test_a_database_of_a_newer_program_is_refused_and_left_alone(database: Path) -> None:
    schema.migrate(database, NOW)
    mark(database, "0099_post_later")
    for _ in range(2):  # the lock of the refused start is gone
        with pytest.raises(StoreRefused, match=r"0099_post_later.*start the newer program"):
            await open_store(Options(database, InlineExecutor), make_id(), NOW)


@pytest.mark.parametrize("migrate", [True, False])
async def test_a_database_to_which_a_newer_program_has_only_added_can_be_used(database: Path, *, migrate: bool) -> None:
    schema.migrate(database, NOW)
    mark(database, "0099_pre_later")
    await (await open_store(Options(database, InlineExecutor), make_id(), NOW, migrate=migrate)).close()
    with pytest.raises(StoreRefused, match="start the newer program"):
        schema.migrate(database, NOW)


def test_no_file_ends_the_transaction_it_runs_in() -> None:
    for migration in migrations.load("sqlite"):
        whole = re.sub(
            r"^BEGIN\n.*?^END;", "", re.sub(r"--.*", "", migration.sql), flags=re.MULTILINE | re.DOTALL
        )  # triggers' bodies
        statements = whole.split(";")
        starts = {statement.split()[0].upper() for statement in statements if statement.strip()}
        assert starts.isdisjoint({"BEGIN", "COMMIT", "END", "PRAGMA", "ROLLBACK", "VACUUM"}), migration.name
