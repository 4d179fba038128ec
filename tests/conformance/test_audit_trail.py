"""The audit trail in the database: where chains end, pages of records, signed checkpoints, and what tampering does."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.audit_proof import Trail
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.retention import Expiring
from llm_incident_manager.domain.time import DAY, SECOND, Instant
from llm_incident_manager.ports.audit import AuditPlace, AuditQuery
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import KeyTaken, Store
from tests.support.backends import Backend, Postgres, SqliteFile
from tests.support.builders import NOW, TENANT, make_audit, make_incident
from tests.support.tampering import PostgresVictim, SqliteVictim, Tally, Tamperer, Victim
from tests.support.trails import OTHER, TENANTS, Scribe

TAMPERS = 60


@pytest.fixture
def scribe(backend: Backend, tmp_path: Path) -> Scribe:
    return Scribe.on(backend.open, tmp_path / "kept")


async def write(store: Store, *, at: Instant = NOW, tenant: TenantId = TENANT, **fields: object) -> None:
    async with store.transaction() as tx:
        await tx.write(Changes(audit=[make_audit(make_incident(), at=at, tenant=tenant, **fields)]))


async def listed(store: Store, query: AuditQuery) -> list[tuple[Instant, str]]:
    return [(row.at, row.action) for row in await store.audit_page(query)]


async def proven(store: Store, scribe: Scribe, tenant: TenantId = TENANT) -> Trail:
    """The trail of a tenant as a server looks at it."""
    trail = Trail(tenant, scribe.signer.signed)
    trail.take(await store.audit_checkpoints(tenant, 0, 1_000))
    for head in await store.audit_heads(tenant):
        trail.look(await store.audit_rows(tenant, head.writer, 0, 1_000))
    trail.finish()
    return trail


async def test_a_record_comes_back_as_it_was_written(store: Store, scribe: Scribe) -> None:
    await scribe.write(store, 7)
    writer = ""
    for tenant in TENANTS:
        (head,) = await store.audit_heads(tenant)
        writer = head.writer
        assert (head.tenant, head.sequence) == (tenant, 7)
        rows = await store.audit_rows(tenant, head.writer, 0, 100)
        assert [row.sequence for row in rows] == list(range(1, 8))
        assert rows[-1].hash == head.hash
        assert [row.sequence for row in await store.audit_rows(tenant, head.writer, 2, 3)] == [3, 4, 5]
    first = (await store.audit_rows(TENANT, writer, 0, 1))[0]
    assert (first.version, first.proven_by, first.credential, first.source) == (2, "api_key", "key-0", "192.0.2.0")
    assert {head.tenant for head in await store.audit_heads()} == set(TENANTS)
    assert (await proven(store, scribe)).report.intact


async def test_pages_go_backwards_in_time_and_stay_in_the_tenant(store: Store) -> None:
    for second in (3, 1, 2, 2, 0):
        await write(store, at=Instant(NOW + second * SECOND), action=f"a.{second}")
    await write(store, at=NOW, tenant=OTHER, action="a.foreign")
    found, after = [], None
    while page := await store.audit_page(AuditQuery(TENANT, after=after, limit=2)):
        found += [row.action for row in page]
        after = AuditPlace(page[-1].at, page[-1].writer, page[-1].sequence)
    assert found == ["a.3", "a.2", "a.2", "a.1", "a.0"]
    assert await listed(store, AuditQuery(OTHER)) == [(NOW, "a.foreign")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (AuditQuery(TENANT, actor="ann"), ["incident.opened"]),
        (AuditQuery(TENANT, action="incident."), ["incident.closed", "incident.opened"]),
        (AuditQuery(TENANT, action="incident"), []),
        (AuditQuery(TENANT, action="key.created"), ["key.created"]),
        (AuditQuery(TENANT, resource="r/2"), ["key.created"]),
        (AuditQuery(TENANT, since=Instant(NOW + 1)), ["incident.closed", "key.created"]),
        (AuditQuery(TENANT, before=Instant(NOW + 2)), ["key.created", "incident.opened"]),
        (AuditQuery(TENANT, actor="' OR 1 = 1 --"), []),
        (AuditQuery(TENANT, action="%."), []),
    ],
)
async def test_filters_of_a_page(store: Store, query: AuditQuery, expected: list[str]) -> None:
    await write(store, at=NOW, actor="ann", action="incident.opened", resource="r/1")
    await write(store, at=Instant(NOW + 1), actor="bob", action="key.created", resource="r/2")
    await write(store, at=Instant(NOW + 2), actor="bob", action="incident.closed", resource="r/3")
    assert [action for _, action in await listed(store, query)] == expected


async def test_checkpoints_follow_each_other_and_are_made_when_there_is_something_new(
    store: Store, scribe: Scribe
) -> None:
    signing = scribe.checkpointer(store)
    assert await signing.once() == 0, "nothing to sign"
    await scribe.write(store, 3)
    assert await signing.once() == 2, "one for each tenant"
    assert await signing.once() == 0
    await scribe.write(store, 2)
    assert await signing.once() == 0, "a minute has not passed"
    scribe.clock.forward(60 * SECOND)
    assert await signing.once() == 2
    one, two = await store.audit_checkpoints(TENANT, 0, 10)
    assert (one.number, two.number, two.records, two.prev_hash) == (1, 2, 5, one.hash)
    assert [end.sequence for end in two.ends] == [5]
    assert await store.latest_audit_checkpoints(TENANT, 0, 1) == [two]
    assert await store.latest_audit_checkpoints(TENANT, 2, 5) == [one]
    assert await scribe.copies.last(TENANT) == two
    await scribe.write(store, 1, [TENANT])
    scribe.clock.forward(60 * SECOND)
    assert await scribe.checkpointer(store).once() == 1, "another process goes on where this one was"
    report = (await proven(store, scribe)).report
    assert (report.intact, report.records, report.checkpoints) == (True, 6, 3)
    assert report.proven_until == scribe.clock.now()


async def test_of_two_checkpoints_with_one_number_the_first_counts(store: Store, scribe: Scribe) -> None:
    await scribe.write(store, 1)
    await scribe.checkpointer(store).once()
    (made,) = await store.audit_checkpoints(TENANT, 0, 10)
    with pytest.raises(KeyTaken):
        await store.add_audit_checkpoint(made._replace(records=99))
    assert await store.audit_checkpoints(TENANT, 0, 10) == [made]


@pytest.mark.needs("durable")
async def test_retention_ends_only_chains_that_a_checkpoint_has_retired(backend: Backend, scribe: Scribe) -> None:
    await scribe.run(records=6, checkpoints=1)
    scribe.clock.forward(10 * DAY)
    store = await backend.open()
    await scribe.write(store, 2)
    before = Instant(scribe.clock.now() - 5 * DAY)
    assert await store.finished_audit_chains(before)
    assert (await store.expire(Expiring.AUDIT, before, 100)).records == 0, "nobody has signed for that"
    await scribe.checkpointer(store, kept=5 * DAY).once()
    assert len(await store.retired_audit_chains()) == 2
    assert (await store.expire(Expiring.AUDIT, before, 4)).records == 4, "the end of a chain goes first"
    assert (await proven(store, scribe)).report.intact
    while (await store.expire(Expiring.AUDIT, before, 4)).records:
        pass
    for tenant in TENANTS:
        report = (await proven(store, scribe, tenant)).report
        assert (report.intact, report.records, report.chains) == (True, 2, 1)
    scribe.clock.forward(61 * SECOND)
    assert await scribe.checkpointer(store, kept=5 * DAY).once() == 0, "all was signed with the retirement"
    await store.close()


@pytest.mark.needs("durable")
async def test_a_database_that_is_older_than_its_checkpoints_outside_is_not_signed(
    backend: Backend, scribe: Scribe, tmp_path: Path
) -> None:
    await scribe.run(records=4, checkpoints=2)
    store = await backend.open()
    last = await scribe.copies.last(TENANT)
    assert last is not None
    await scribe.copies.keep([last._replace(number=3, prev_hash=last.hash)])
    await scribe.write(store, 1)
    scribe.clock.forward(61 * SECOND)
    signing = scribe.checkpointer(store)
    assert await signing.once() == 1, "the other tenant's trail is as it was"
    with pytest.raises(DomainError, match="checkpoint 3 was kept outside and is not in the database"):
        await signing.check()
    await store.close()


@pytest.mark.needs("durable")
async def test_copies_that_could_not_be_read_at_first_are_compared_later(backend: Backend, scribe: Scribe) -> None:
    await scribe.run(records=4, checkpoints=2)
    store = await backend.open()
    last = await scribe.copies.last(TENANT)
    assert last is not None
    await scribe.copies.keep([last._replace(number=3, prev_hash=last.hash)])
    file = scribe.copies.file
    away = file.rename(file.with_suffix(".away"))
    file.mkdir()  # cannot be read as a file
    signing = scribe.checkpointer(store)
    await scribe.write(store, 1)
    scribe.clock.forward(61 * SECOND)
    assert await signing.once() == 2, "what cannot be read outside keeps nothing from being signed"
    with pytest.raises(DomainError, match="not kept outside"):
        await signing.check()
    file.rmdir()
    away.rename(file)
    await scribe.write(store, 1)
    scribe.clock.forward(61 * SECOND)
    assert await signing.once() == 1, "the other tenant's trail is as it was"
    for _ in range(2):
        with pytest.raises(DomainError, match="checkpoint 3 was kept outside and is not in the database"):
            await signing.check()
        await signing.once()
    assert (await scribe.copies.last(OTHER)) == (await store.latest_audit_checkpoints(OTHER, 0, 1))[0]
    await store.close()


@pytest.mark.needs("durable")
async def test_who_signs_again_reads_what_others_have_kept_since(backend: Backend, scribe: Scribe) -> None:
    await scribe.run(records=4, checkpoints=1)
    store, file = await backend.open(), scribe.copies
    first = await file.last(TENANT)
    await scribe.write(store, 1)
    scribe.clock.forward(61 * SECOND)
    await scribe.checkpointer(store).once()
    assert await file.last(TENANT) == first
    file.forget()
    assert await file.last(TENANT) == (await store.latest_audit_checkpoints(TENANT, 0, 1))[0]
    await store.close()


async def test_records_that_vanish_while_a_server_runs_are_noticed(
    store: Store, backend: Backend, scribe: Scribe
) -> None:
    await scribe.write(store, 3)
    signing = scribe.checkpointer(store)
    await signing.once()
    await signing.check()
    async with tampered(backend, store, scribe) as tamperer:
        if tamperer is None:
            return
        await tamperer.victim.run(("DELETE FROM audit WHERE tenant = $1 AND sequence > $2", (TENANT, 1)))
    scribe.clock.forward(61 * SECOND)
    await signing.once()
    with pytest.raises(DomainError, match="records are gone or changed"):
        await signing.check()


@asynccontextmanager
async def tampered(
    backend: Backend, store: Store | None, scribe: Scribe, seed: int = 1
) -> AsyncIterator[Tamperer | None]:
    """Somebody with the database in hand; None where nobody can reach it."""
    chance, file = random.Random(seed), scribe.copies.file
    victim: Victim
    if isinstance(backend, SqliteFile):
        victim = SqliteVictim(backend.database)
        try:
            yield await Tamperer.of(victim, scribe.signer, file, chance)
        finally:
            victim.close()
    elif isinstance(backend, Postgres):
        connection = await asyncpg.connect(backend.dsn)
        try:
            yield await Tamperer.of(PostgresVictim(connection), scribe.signer, file, chance)
        finally:
            await connection.close()
    else:
        yield None


@pytest.mark.needs("durable")
async def test_whatever_is_tampered_with_is_found_and_named(backend: Backend, scribe: Scribe) -> None:
    await scribe.run(records=12, checkpoints=3)
    await scribe.run(records=8, checkpoints=2)
    async with tampered(backend, None, scribe) as tamperer:
        assert tamperer is not None
        mark = await tamperer.mark()
    await scribe.run(records=6, checkpoints=2)
    async with tampered(backend, None, scribe, seed=7) as tamperer:
        assert tamperer is not None
        assert all(report.intact for report in (await tamperer.reports()).values())
        tally, victim = Tally(), tamperer.victim
        aimed = await Tamperer.of(victim, scribe.signer, scribe.copies.file, tamperer.chance, mark)
        for _ in range(TAMPERS):
            await aimed.once(tally)
        assert all(report.intact for report in (await tamperer.reports()).values()), "all of it was undone"
    assert tally.wrong == []
    assert (tally.found.total(), tally.named.total()) == (TAMPERS, TAMPERS)


async def test_a_checkpoint_comes_back_as_it_was_made(store: Store, scribe: Scribe) -> None:
    made = Checkpoint(TENANT, 1, NOW, 5, (), ("run/1", "run/2"), bytes(32), b"h" * 32, "key", b"s" * 64)
    await store.add_audit_checkpoint(made)
    assert await store.audit_checkpoints(TENANT, 0, 10) == [made]
    assert await store.retired_audit_chains() == {(TENANT, "run/1"), (TENANT, "run/2")}
