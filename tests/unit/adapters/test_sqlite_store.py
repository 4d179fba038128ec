"""What only the SQLite store promises: one server, one writer, a full disk survived, a failed flush not."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import apsw
import pytest

from llm_incident_manager.adapters.executor import InlineExecutor, ThreadExecutor
from llm_incident_manager.adapters.sqlite import writer as writers
from llm_incident_manager.adapters.sqlite.connection import LOCK_FILE
from llm_incident_manager.adapters.sqlite.store import Options, SqliteStore, open_store
from llm_incident_manager.domain.errors import NotFound, StoreUnavailable
from llm_incident_manager.ports.changes import BodyRow, Changes
from llm_incident_manager.ports.stores import StoreBroken, StoreRefused
from tests.support.builders import NOW, TENANT, make_event_row, make_id, make_incident, make_opening
from tests.support.steps import opened, write
from tests.support.waiting import until

HASTY = 0.5
"""Seconds that tests wait for an answer that does not come."""

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(tmp_path / "data" / "incidents.db", ThreadExecutor)


@pytest.fixture
async def store(options: Options) -> AsyncIterator[SqliteStore]:
    opened_store = await open_store(options, make_id(), NOW)
    yield opened_store
    await opened_store.close()


@pytest.fixture
async def hasty(options: Options) -> AsyncIterator[SqliteStore]:
    """A store that soon gives up waiting."""
    opened_store = await open_store(replace(options, deadline=HASTY), make_id(), NOW)
    yield opened_store
    await opened_store.close()


def log_size(options: Options) -> int:
    return Path(f"{options.database}-wal").stat().st_size


def heavy(count: int) -> Changes:
    """Events with about 10 KB each."""
    rows = [make_event_row() for _ in range(count)]
    return Changes(events=rows, bodies=[BodyRow(row.id, TENANT, os.urandom(10_000), "{}") for row in rows])


async def test_a_second_server_on_the_same_directory_is_refused(store: SqliteStore, options: Options) -> None:
    with pytest.raises(StoreRefused, match=rf"in use by process {os.getpid()}: stop it, or give this one another"):
        await open_store(options, make_id(), NOW)
    await store.check()


@pytest.fixture
def killed(options: Options) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the directory, and is killed at the latest at the end."""
    assert options.database is not None
    program = (
        "import sys, time, pathlib\n"
        "from llm_incident_manager.adapters.sqlite.connection import FolderLock\n"
        "lock = FolderLock(pathlib.Path(sys.argv[1]))\n"
        "print('held', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, options.database.parent], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"held\n"
        yield server
        server.kill()


async def test_a_directory_is_free_again_when_its_server_was_killed(
    options: Options, killed: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(StoreRefused, match=f"in use by process {killed.pid}:"):
        await open_store(options, make_id(), NOW)
    killed.kill()
    await asyncio.to_thread(killed.wait)
    store = await open_store(options, make_id(), NOW)
    await store.close()


@pytest.mark.parametrize("what", ["text", "directory"])
async def test_what_is_no_database_is_refused_with_its_name(options: Options, what: str) -> None:
    assert options.database is not None
    options.database.parent.mkdir()
    if what == "text":
        options.database.write_text("no database\n" * 1000)
    else:
        options.database.mkdir()
    with pytest.raises(StoreRefused, match=r"cannot use .*incidents\.db .*name another file"):
        await open_store(options, make_id(), NOW)


async def test_a_directory_that_cannot_be_made_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreRefused, match=r"cannot use directory .*file/data .*name another one"):
        await open_store(Options(tmp_path / "file" / "data" / "x.db", InlineExecutor), make_id(), NOW)


async def test_commits_are_flushed_and_readers_cannot_write(store: SqliteStore) -> None:
    assert store._readers is not None
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "temp_store", "wal_autocheckpoint")
    found = await store._writer.read(lambda c: [c.pragma(name) for name in pragmas])
    assert found == ["wal", 2, 1, 2, 0]
    with pytest.raises(StoreUnavailable, match="ReadOnlyError"):
        await store._readers.run(lambda c: c.execute("DELETE FROM incident"))


async def test_the_kind_names_what_outlives_the_process(store: SqliteStore) -> None:
    memory = await open_store(Options(None, InlineExecutor), make_id(), NOW)
    assert (store.kind, memory.kind) == ("sqlite", "memory")
    await memory.close()


async def test_a_full_disk_refuses_what_does_not_fit_and_loses_nothing(store: SqliteStore) -> None:
    before = await opened(store)
    connection = store._writer.connection
    limit = connection.pragma("max_page_count", connection.pragma("page_count") + 20)
    assert limit
    changes = heavy(100)
    with pytest.raises(StoreUnavailable, match="FullError"):
        await write(store, changes)
    with pytest.raises(NotFound):
        await store.event(TENANT, changes.events[0].id)
    await store.check()
    connection.pragma("max_page_count", 1_000_000)
    await write(store, changes)
    assert await store.incident(TENANT, before.id) == before
    assert (await store.event(TENANT, changes.events[99].id)).body == changes.bodies[99].body


async def test_after_an_error_no_statement_of_the_unit_is_committed_by_itself(store: SqliteStore) -> None:
    incident = make_incident()

    async def overlook() -> None:
        async with store.transaction() as tx:
            with pytest.raises(StoreUnavailable, match="FullError"):
                await tx.write(heavy(100))
            with pytest.raises(StoreUnavailable, match="a statement before had failed"):
                await tx.write(make_opening(incident))

    connection = store._writer.connection
    connection.pragma("max_page_count", connection.pragma("page_count") + 20)
    with pytest.raises(StoreUnavailable, match="a statement before had failed"):
        await overlook()
    with pytest.raises(NotFound):
        await store.incident(TENANT, incident.id)


USUAL = apsw.vfs_names()[0]


class Flushes(apsw.VFS):
    """A disk whose flushes fail once they are told to."""

    def __init__(self) -> None:
        self.fail = False
        super().__init__("failing-flushes", USUAL)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  # SQLite's name
        return FlushedFile(self, name, flags)


class FlushedFile(apsw.VFSFile):
    def __init__(self, vfs: Flushes, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self.vfs = vfs
        super().__init__(USUAL, name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802  # SQLite's name
        if self.vfs.fail:
            refusal = apsw.IOError("the disk says no")
            refusal.extendedresult = apsw.SQLITE_IOERR_FSYNC  # type: ignore[attr-defined]  # the stubs miss it
            raise refusal
        super().xSync(flags)


@pytest.fixture
def flushes() -> Iterator[Flushes]:
    vfs = Flushes()
    apsw.set_default_vfs("failing-flushes")
    yield vfs
    apsw.set_default_vfs(USUAL)
    vfs.unregister()


async def test_after_a_flush_that_failed_nothing_goes_on(flushes: Flushes, options: Options) -> None:
    store = await open_store(options, make_id(), NOW)
    before = await opened(store)
    flushes.fail = True
    with pytest.raises(StoreBroken, match="check the disk, then start again"):
        await opened(store)
    flushes.fail = False
    for call in (opened(store), store.check(), store.incident(TENANT, before.id), store.lease_numbers(TENANT, "x", 1)):
        with pytest.raises(StoreBroken):
            await call
    await store.close()

    again = await open_store(options, make_id(), NOW)
    assert await again.incident(TENANT, before.id) == before
    await again.close()


async def test_a_read_that_takes_too_long_is_interrupted(hasty: SqliteStore) -> None:
    assert hasty._readers is not None
    for _ in range(4):  # more often than there are readers
        with pytest.raises(StoreUnavailable, match=r"no answer from SQLite within 0\.5 s"):
            await hasty._readers.run(lambda c: c.execute(ENDLESS).fetchall())
    await hasty.check()


@pytest.mark.parametrize("moment", ["before", "at", "within"])
async def test_a_read_that_nobody_waits_for_is_stopped(store: SqliteStore, moment: str) -> None:
    assert store._readers is not None
    readers = store._readers
    reached = [threading.Event() for _ in readers._readers]
    go_on = threading.Event()

    def endless(connection: apsw.Connection, there: threading.Event) -> None:
        if moment == "at":
            there.set()
            go_on.wait(10)
        connection.create_scalar_function("reached", lambda *_: there.set())
        connection.execute(f"{ENDLESS} WHERE reached() IS NULL").fetchall()

    tasks = [asyncio.create_task(readers.run(partial(endless, there=there))) for there in reached]
    await asyncio.sleep(0)
    for there in reached if moment != "before" else ():
        await asyncio.to_thread(there.wait, 10)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    go_on.set()
    for _ in tasks:
        await store.check()


async def test_who_waits_too_long_for_a_turn_is_told_so(hasty: SqliteStore) -> None:
    async def wait() -> None:
        async with hasty.transaction():
            pass

    async with hasty.transaction() as tx:
        await tx.write(make_opening(make_incident()))
        waiting = asyncio.create_task(wait())
        with pytest.raises(StoreUnavailable, match=r"other transactions took longer than 0\.5 s"):
            await waiting
    await wait()


async def test_a_writer_that_does_not_answer_is_unavailable_and_comes_back(hasty: SqliteStore) -> None:
    go_on = threading.Event()
    stuck = asyncio.create_task(hasty._writer.run(lambda: go_on.wait(10)))
    await asyncio.sleep(0)
    incident = make_incident()
    for call in (hasty.check(), write(hasty, make_opening(incident)), stuck):
        with pytest.raises(StoreUnavailable, match="no answer from SQLite"):
            await call
    go_on.set()
    await hasty.check()
    with pytest.raises(NotFound):  # what was given up was undone, although it ran
        await hasty.incident(TENANT, incident.id)


@pytest.mark.parametrize("call", ["transaction", "lease_numbers"])
async def test_a_unit_within_a_unit_is_a_mistake_that_is_told_at_once(store: SqliteStore, call: str) -> None:
    async def nested() -> None:
        async with store.transaction():
            if call == "lease_numbers":
                await store.lease_numbers(TENANT, "20261121", 1)
            async with store.transaction():
                pass

    with pytest.raises(RuntimeError, match="this task has a transaction open"):
        await nested()


async def test_units_take_turns_in_the_order_in_which_they_ask(store: SqliteStore) -> None:
    order: list[int] = []

    async def unit(n: int) -> None:
        async with store.transaction() as tx:
            await tx.write(Changes())
            order.append(n)

    await asyncio.gather(*(unit(n) for n in range(20)))
    assert order == list(range(20))


async def test_the_log_stays_short_and_no_commit_waits_for_that(
    store: SqliteStore, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "LOG_PAGES", 100)
    longest = 0
    for _ in range(40):
        await write(store, heavy(40))  # 400 KB each
        await until(lambda: store._writer._checkpoint is None)
        longest = max(longest, log_size(options))
    assert longest < 4_000_000


async def test_a_stranger_who_reads_for_long_stops_nobody_and_the_log_starts_over_when_he_goes(
    store: SqliteStore, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "LOG_PAGES", 100)
    monkeypatch.setattr(writers, "LONGEST_LOG", 200)
    stranger = apsw.Connection(str(options.database), flags=apsw.SQLITE_OPEN_READONLY)
    stranger.execute("BEGIN; SELECT count(*) FROM event").fetchall()
    for _ in range(5):
        await write(store, heavy(40))
        await until(lambda: store._writer._checkpoint is None)
    grown = log_size(options)
    assert grown > 5 * 400_000
    stranger.close()
    for _ in range(5):
        await write(store, heavy(40))
        await until(lambda: store._writer._checkpoint is None)
    assert log_size(options) < grown + 2 * 400_000


async def test_closing_moves_the_log_into_the_file(options: Options) -> None:
    store = await open_store(options, make_id(), NOW)
    await opened(store)
    assert options.database is not None
    await store.close()
    await store.close()
    assert sorted(path.name for path in options.database.parent.iterdir()) == ["incidents.db", LOCK_FILE]


async def test_a_store_works_without_threads(options: Options) -> None:
    threads = threading.active_count()
    store = await open_store(Options(options.database, InlineExecutor), make_id(), NOW)
    incident = await opened(store)
    assert await store.incident(TENANT, incident.number) == incident
    assert threading.active_count() == threads
    await store.close()
