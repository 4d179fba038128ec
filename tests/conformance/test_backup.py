"""A backup holds every value exactly as it was, goes from any database to any, and is refused when it is not whole."""

import asyncio
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llm_incident_manager.adapters import databases
from llm_incident_manager.adapters.postgres import backup as postgres_backup
from llm_incident_manager.adapters.postgres import opening
from llm_incident_manager.adapters.sql import archive
from llm_incident_manager.adapters.sql.ledger import shown
from llm_incident_manager.adapters.sqlite import backup as sqlite_backup
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.config import Settings, load
from llm_incident_manager.domain.audit_checkpoint import Checkpoint, End
from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.ids import EventId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.relations import Attachment, LinkRow, Relation
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.ports.changes import (
    NOTIFY,
    AnswerRow,
    BodyRow,
    Changes,
    IdempotencyRow,
    OutboxRetry,
    ProducerKey,
    ProducerRow,
    SegmentRow,
)
from llm_incident_manager.ports.stores import Store, StoreRefused
from llm_incident_manager.ports.timers import TimerRow
from tests.support.access_builders import a_key, a_role, a_tenant, denied
from tests.support.backends import Backend, Postgres, SqliteFile
from tests.support.builders import (
    NOW,
    TENANT,
    make_analysis,
    make_audit,
    make_delivery,
    make_entry,
    make_event_row,
    make_id,
    make_incident,
    make_opening,
    make_work,
)
from tests.support.desk import desk_on
from tests.support.edge_builders import a_directive, a_request, an_agent, whole
from tests.support.postgres import Cluster
from tests.support.steps import later, opened, release, write

NASTY = "tab\t line\n return\r back\\slash \\N \\. \\t 'quote' \"double\" Ünïcode 🔥 \x01\x0b\x0c\x08 \u2028"
COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
Everything = dict[str, list[dict[str, Any]]]

pytestmark = pytest.mark.needs("durable")


def settings_of(backend: Backend) -> Settings:
    if isinstance(backend, Postgres):
        env = {"DATABASE_URL": backend._cluster.dsn(backend._name)}
        return load({**env, "LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"})
    assert isinstance(backend, SqliteFile)
    return load({"DATABASE_URL": f"sqlite://{backend.database.parent}"})


async def take(backend: Backend, file: Path) -> archive.Manifest:
    verified = await asyncio.to_thread(databases.backup, settings_of(backend), file, NOW)
    return verified.manifest


async def put(backend: Backend, file: Path, *, force: bool = False) -> None:
    await asyncio.to_thread(databases.restore, settings_of(backend), file, NOW, force=force)


@pytest.fixture
def make_other(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Backend]:
    """Empty databases to restore into, by their kind."""

    def make(kind: str) -> Backend:
        if kind == "sqlite":
            return SqliteFile(tmp_path / "other")
        made = Postgres(request.getfixturevalue("cluster"), "template0")
        request.addfinalizer(made.remove)
        return made

    return make


async def fill(store: Store) -> Incident:
    """Something in every table, with all that is hard to write down."""
    incident = make_incident(
        title=NASTY, description="", labels={"k\t": "v\n"}, assignees=("a\\b",), cost_usd=0.1 + 0.2, tokens=2**60
    )
    await write(store, make_opening(incident))
    over = await opened(store)
    producer = ProducerKey(TENANT, "dev", "p\t1")
    async with store.transaction() as tx:
        row = await tx.open_producer(producer, NOW)
    duplicate = make_event_row(incident, disposition=Disposition.DUPLICATE, duplicate_of=EventId(make_id()))
    work = [make_work(incident, topic=NOTIFY, payload=NASTY) for _ in range(3)]
    await write(
        store,
        Changes(
            events=[duplicate, make_event_row()],
            bodies=[BodyRow(duplicate.id, TENANT, bytes(range(256)) * 300, json.dumps({"text": NASTY}))],
            changed=[over.moved(State.RESOLVED, later(5))],
            keys_released=release(over),
            timeline=[make_entry(incident, text=NASTY, details={"nasty": NASTY})],
            audit=[make_audit(incident, actor=NASTY, details={"b": NASTY, "a": ""}) for _ in range(20)],
            outbox=work,
            deliveries=[make_delivery(incident)],
            idempotency=[IdempotencyRow(TENANT, NASTY, duplicate.id, None, NOW)],
            answers=[AnswerRow(TENANT, "r", b"\x00\xff\\", b"", NOW)],
            segments=[SegmentRow(producer, 1, 2, duplicate.id, NOW)],
            links=[LinkRow(TENANT, incident.id, Relation.LINKED, over.id, NOW, NASTY, NASTY)],
            attachments=[Attachment(make_id(), TENANT, incident.id, "https://x", NASTY, "text/plain", "ann", NOW)],
            agents=[an_agent("edge", telemetry=b"\x00\xff"), whole(a_directive("edge")), a_request(NASTY)],
            analyses=[make_analysis(incident, error=NASTY, confidence=0.1, findings=b"\x00\xff\\")],
            producers=[ProducerRow(producer, row.epoch, 2)],
            timers=[TimerRow(incident.id, NASTY, TENANT, TimerKind.SNOOZE, later(60), NOW)],
            access=[
                a_key(display_name=NASTY, former_digest=bytes(range(32)), revoke_reason=NASTY),
                a_role(NASTY),
                a_tenant("acme"),
                denied(255),
            ],
        ),
    )
    await write(store, Changes(outbox_retries=[OutboxRetry(work[1].id, work[1].fence, 5, NOW, NASTY, dead=True)]))
    await store.lease_numbers(TENANT, "20261121", 1000)
    ends = (End(NASTY, 2**40, bytes(range(32))),)
    signed = Checkpoint(TENANT, 1, NOW, 20, ends, ("run/1", NASTY), bytes(32), b"\x00\xff" * 16, "key", b"\\" * 64)
    await store.add_audit_checkpoint(signed)
    await store.take_lease(NASTY, "", NOW, Instant(0))  # as a restored server finds it that has the file to itself
    return incident


async def everything(backend: Backend, store: Store) -> Everything:
    """All rows of all tables as plain values: ids as 32 digits, JSON as what it means."""
    names = await _columns(backend, store)
    found: Everything = {}
    for table, columns in names.items():
        listed = ", ".join(f'"{column}"' for column in columns)
        rows = await backend.query(store, f'SELECT {listed} FROM "{table}"')
        plain = [dict(zip(columns, map(_plain, columns, row), strict=True)) for row in rows]
        found[table] = sorted(plain, key=lambda row: json.dumps(row, sort_keys=True))
    return found


async def _columns(backend: Backend, store: Store) -> dict[str, list[str]]:
    if store.kind == "postgresql":
        rows = await backend.query(store, f"{COLUMNS} AND NOT table_name ~ '_([0-9]+|default)$'")
    else:
        rows = await backend.query(
            store,
            "SELECT m.name, c.name FROM pragma_table_list AS m, pragma_table_info(m.name) AS c "
            "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'",
        )
    names: dict[str, list[str]] = {}
    for table, column in rows:
        if table not in archive.DERIVED and (table, column) not in archive.DERIVED_COLUMNS:
            names.setdefault(table, []).append(column)
    return names


def _plain(column: str, value: object) -> object:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if column in (
        "details",
        "decision",
        "labels",
        "fp_components",
        "assignees",
        "affected_services",
        "resolution",
        "keys",
        "unmerge",
        "before",
        "after",
        "ends",
        "retired",
    ):
        return json.loads(str(value)) if value is not None else None
    if isinstance(value, bool):
        return int(value)
    if column == "id" or column.endswith("_id") or column in ("duplicate_of", "merged_into"):
        return None if value is None else str(value).replace("-", "")
    return value


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
async def test_every_value_comes_back_as_it_was(
    store: Store, backend: Backend, tmp_path: Path, make_other: Callable[[str], Backend], target: str
) -> None:
    incident = await fill(store)
    before = await everything(backend, store)
    assert [table for table, rows in before.items() if not rows] == []
    await take(backend, tmp_path / "b.zip")
    place = make_other(target)
    await put(place, tmp_path / "b.zip")
    restored = await place.open()
    after = await everything(place, restored)
    for table, rows in before.items():
        assert after[table] == rows, table
    assert (await restored.incident(TENANT, incident.id)).title == NASTY
    assert (await restored.claim_work(NOTIFY, "o", later(9), later(99), 10))[0].payload == NASTY
    newer = await opened(restored)
    assert (await restored.incident(TENANT, newer.id)).number == newer.number
    await restored.close()


async def test_a_restored_feed_goes_on_behind_what_it_had(
    store: Store, backend: Backend, tmp_path: Path, make_other: Callable[[str], Backend]
) -> None:
    first = await opened(store)
    await take(backend, tmp_path / "b.zip")
    for kind in ("sqlite", "postgresql"):
        place = make_other(kind)
        await put(place, tmp_path / "b.zip")
        restored = await place.open()
        position = await restored.feed_position()
        second = await opened(restored)
        assert [item.incident.id for item in await restored.feed_after(None, position, 10)] == [second.id]
        assert len(await restored.feed_after(None, type(position)(0, 0), 10)) == 2
        assert (await restored.incident(TENANT, first.id)).is_open
        await restored.close()


async def test_what_merges_and_splits_have_left_adds_up(
    store: Store, backend: Backend, tmp_path: Path, make_other: Callable[[str], Backend]
) -> None:
    desk = desk_on(store)
    whole, source = await desk.opened("a"), await desk.opened("b")
    await desk.merge(whole, source)
    (only,) = [row[0] for row in await backend.query(store, "SELECT id FROM event ORDER BY id LIMIT 1")]
    split = await desk.split(whole, [shown(only)])
    assert split.new.fingerprint.value == "a", "it took the fingerprint along that the other one was opened with"
    await take(backend, tmp_path / "b.zip")
    place = make_other("sqlite")
    await put(place, tmp_path / "b.zip")
    restored = await place.open()
    assert (await restored.incident(TENANT, split.new.id)).is_open
    await restored.close()


@pytest.mark.needs("alone")
async def test_a_database_with_records_is_replaced_only_by_force(
    store: Store, backend: Backend, tmp_path: Path
) -> None:
    kept = await opened(store)
    await take(backend, tmp_path / "b.zip")
    late = await opened(store)
    await store.close()
    with pytest.raises(StoreRefused, match=r"has records in .*--force"):
        await put(backend, tmp_path / "b.zip")
    await put(backend, tmp_path / "b.zip", force=True)
    again = await backend.open()
    assert (await again.incident(TENANT, kept.id)).is_open
    with pytest.raises(DomainError, match="does not exist"):
        await again.incident(TENANT, late.id)
    await again.close()


async def test_a_database_in_use_is_not_replaced(store: Store, backend: Backend, tmp_path: Path) -> None:
    incident = await opened(store)
    await take(backend, tmp_path / "b.zip")
    with pytest.raises(StoreRefused, match=r"in use by process|other connections use this database"):
        await put(backend, tmp_path / "b.zip", force=True)
    assert (await store.incident(TENANT, incident.id)).is_open


def rewritten(file: Path, member: str, change: Callable[[bytes], bytes], name: str = "changed.zip") -> Path:
    """The archive with another content of one member."""
    made = file.with_name(name)
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(made, "w") as target:
        for each in source.namelist():
            data = source.read(each)
            target.writestr(each, change(data) if each == member else data)
    return made


def honest(data: bytes, table: str, text: bytes) -> bytes:
    """The manifest of somebody who changed a table's text and adds up what he has made."""
    content = json.loads(data)
    content["tables"][table] |= {"sha256": hashlib.sha256(text).hexdigest(), "rows": text.count(b"\n")}
    return json.dumps(content).encode()


async def test_an_archive_that_is_not_whole_is_refused_and_changes_nothing(
    store: Store, backend: Backend, tmp_path: Path, make_other: Callable[[str], Backend]
) -> None:
    await fill(store)
    file = tmp_path / "b.zip"
    await take(backend, file)
    whole = file.read_bytes()
    kept = make_other("postgresql" if store.kind == "postgresql" else "sqlite")
    mine = await kept.open()
    incident = await opened(mine)
    await mine.close()

    cut, flipped = tmp_path / "cut.zip", tmp_path / "flipped.zip"
    cut.write_bytes(whole[: len(whole) // 2])
    flipped.write_bytes(whole[:300] + bytes([whole[300] ^ 1]) + whole[301:])
    shorter = rewritten(file, "tables/event.copy", lambda data: data[: data.rindex(b"\n", 0, -1) + 1])
    for damaged in (cut, flipped, shorter, tmp_path / "b.py"):
        if damaged.suffix == ".py":
            damaged.write_text("no archive at all", "utf-8")
        with pytest.raises(StoreRefused, match=r"no whole backup|is damaged"):
            databases.verify_backup(damaged)
        with pytest.raises(StoreRefused):
            await put(kept, damaged, force=True)
    again = await kept.open()
    assert (await again.incident(TENANT, incident.id)).is_open
    await again.close()


async def test_an_audit_that_was_tampered_with_is_found(store: Store, backend: Backend, tmp_path: Path) -> None:
    await fill(store)
    file = tmp_path / "b.zip"
    await take(backend, file)
    with zipfile.ZipFile(file) as source:
        text = source.read("tables/audit.copy")
    lines = text.splitlines(keepends=True)
    for forged in (b"".join(lines[:5] + lines[6:]), text.replace(b"incident.opened", b"incident.closed", 1)):
        with pytest.raises(StoreRefused, match="tampered with or lost records"):
            databases.verify_backup(with_audit(file, forged))


def with_audit(file: Path, forged: bytes) -> Path:
    """The archive with another audit, and a manifest that agrees with it."""
    first = rewritten(file, "tables/audit.copy", lambda _: forged, "first.zip")
    return rewritten(first, "manifest.json", lambda data: honest(data, "audit", forged))


async def test_a_backup_of_a_newer_program_is_refused(store: Store, backend: Backend, tmp_path: Path) -> None:
    await take(backend, tmp_path / "b.zip")

    def newer(data: bytes) -> bytes:
        content = json.loads(data)
        content["facts"]["migrations"].append([99, "0099_pre_later", "x"])
        return json.dumps(content).encode()

    made = rewritten(tmp_path / "b.zip", "manifest.json", newer)
    with pytest.raises(StoreRefused, match=r"0099_pre_later.*newer program"):
        databases.verify_backup(made)


def left_in(folder: Path) -> list[str]:
    """Files that a backup made, or left."""
    return [path.name for path in folder.glob("b.zip*")]


async def test_a_backup_takes_no_file_that_is_there(store: Store, backend: Backend, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("mine", "utf-8")
    with pytest.raises(StoreRefused, match="exists already"):
        await take(backend, tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_text("utf-8") == "mine"
    assert left_in(tmp_path) == ["b.zip"]


async def test_a_failed_backup_leaves_nothing(backend: Backend, tmp_path: Path, cluster: Cluster) -> None:
    store = await backend.open()
    await store.close()
    if isinstance(backend, Postgres):
        cluster.sql("INSERT INTO schema_migration VALUES (99, '0099_pre_later', 'x', 0)", backend._name)
    else:
        assert isinstance(backend, SqliteFile)
        backend.database.write_bytes(b"rubbish" * 1000)
    with pytest.raises(StoreRefused):
        await take(backend, tmp_path / "b.zip")
    assert left_in(tmp_path) == []


async def test_both_databases_tell_the_same_of_their_columns(cluster: Cluster, template: str, tmp_path: Path) -> None:
    """Otherwise a backup of one could not be restored into the other."""
    file = SqliteFile(tmp_path)
    await (await file.open()).close()
    connection = connections.open_reader(str(file.database))
    mine = {layout.name: layout for layout in sqlite_backup.layouts(connection)}
    connection.close()
    backend = Postgres(cluster, template)
    options = databases._postgres_options(settings_of(backend))
    pool = await opening.connect(options)
    async with pool.connection() as lent:
        theirs = {layout.name: layout for layout in await postgres_backup.layouts(lent)}
    await pool.close()
    backend.remove()
    alike = {"bool": "int", "json": "text"}
    assert mine.keys() == theirs.keys()
    for name, layout in theirs.items():
        kinds = {column: alike.get(kind, kind) for column, kind in layout.columns}
        assert dict(mine[name].columns) == kinds, name
        assert mine[name].key == layout.key, name
