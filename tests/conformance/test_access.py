"""API keys, roles, tenants and refused certificates: kept as they were given, changed one after the other, and told of
by a revision that every process can look at."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import TenantLimits, TenantState
from llm_incident_manager.domain.time import DAY, MINUTE, Instant
from llm_incident_manager.domain.timeline import AuditRecord
from llm_incident_manager.ports.access_store import AccessRow, CertificateAllowed, KeyQuery, RoleRemoved
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Store
from tests.support.access_builders import a_key, a_role, a_tenant, denied
from tests.support.backends import Backend
from tests.support.builders import NOW, TENANT
from tests.support.steps import Dropped, dropped, later

OTHER = TenantId("other")


async def change(store: Store, *rows: AccessRow) -> int:
    """Writes rows in a unit of work, as use cases do; returns the revision that it took."""
    async with store.transaction() as tx:
        revision = await tx.next_access_revision()
        await tx.write(Changes(access=list(rows)))
    return revision


async def test_a_database_begins_with_one_tenant_that_is_served(store: Store) -> None:
    news = await store.access_since(0)
    assert (news.keys, news.roles, news.denied) == ([], [], [])
    (only,) = news.tenants
    assert (only.id, only.display_name, only.state) == ("default", "default", TenantState.ACTIVE)
    assert only.limits == TenantLimits()
    assert news.revision == await store.access_revision() == 1


async def test_what_is_written_is_read_back_alike(store: Store) -> None:
    key, role, tenant, certificate = a_key(), a_role(), a_tenant("acme"), denied(7)
    await change(store, key, role, tenant, certificate)
    assert await store.api_key(TENANT, key.id) == key
    assert await store.role(TENANT, "night-shift") == role
    assert await store.tenant("acme") == tenant
    assert await store.denied_certificate(certificate.fingerprint) == certificate
    async with store.transaction() as tx:
        assert await tx.api_key(TENANT, key.id) == key
        assert await tx.role(TENANT, "night-shift") == role
        assert await tx.tenant("acme") == tenant
        assert await tx.denied_certificate(certificate.fingerprint) == certificate


async def test_a_change_takes_the_place_of_what_was_there(store: Store) -> None:
    key, role, tenant = a_key(), a_role(), a_tenant("acme")
    await change(store, key, role, tenant)
    rotated = replace(key.rotated(b"x" * 32, key.pepper, later(9), 60 * MINUTE), revision=3, expires_at=later(99))
    other = replace(role, permissions=frozenset({"EVENT_READ"}), description="", revision=3)
    suspended = replace(tenant, state=TenantState.SUSPENDED, limits=TenantLimits(), updated_at=later(9), revision=3)
    await change(store, rotated, other, suspended)
    assert await store.api_key(TENANT, key.id) == rotated
    assert await store.role(TENANT, role.name) == other
    assert await store.tenant("acme") == suspended
    revoked = replace(rotated.revoked("leaked", later(10)), revision=4)
    await change(store, revoked, RoleRemoved(TENANT, role.name))
    assert await store.api_key(TENANT, key.id) == revoked
    assert await store.role(TENANT, role.name) is None


async def test_other_tenants_see_and_touch_nothing(store: Store) -> None:
    key, role = a_key(), a_role()
    await change(store, key, role)
    assert await store.api_key(OTHER, key.id) is None
    assert await store.role(OTHER, role.name) is None
    assert list(await store.roles(OTHER)) == []
    assert list(await store.api_keys(KeyQuery(OTHER, NOW, revoked=True))) == []
    await change(store, RoleRemoved(OTHER, role.name), a_role(tenant=OTHER))
    assert await store.role(TENANT, role.name) == role


async def test_news_are_the_keys_that_changed_since_and_all_of_the_rest(store: Store) -> None:
    first, second, gone = a_key(), a_key(revision=3), a_key(revision=3)
    await change(store, first, a_role(), denied(1))
    await change(store, second, gone)
    await change(store, replace(gone.revoked("", later(1)), revision=4))
    news = await store.access_since(2)
    assert {key.id for key in news.keys} == {second.id, gone.id}, "also those that were revoked"
    assert [role.name for role in news.roles] == ["night-shift"]
    assert [each.fingerprint for each in news.denied] == [bytes([1]) * 32]
    assert news.revision == 4
    everything = await store.access_since(0)
    assert {key.id for key in everything.keys} == {first.id, second.id}, "none that are revoked"


async def test_a_certificate_is_allowed_again(store: Store) -> None:
    await change(store, denied(1), denied(2))
    await change(store, CertificateAllowed(denied(1).fingerprint))
    assert await store.denied_certificate(denied(1).fingerprint) is None
    assert [each.fingerprint for each in (await store.access_since(0)).denied] == [denied(2).fingerprint]


async def test_keys_are_listed_in_pages_newest_first_without_those_that_do_not_count(store: Store) -> None:
    keys = [a_key() for _ in range(4)]
    keys[1] = keys[1].revoked("", later(1))
    keys[2] = replace(keys[2], expires_at=later(5))
    await change(store, *keys)
    await change(store, a_key(tenant=OTHER))
    new = [key.id for key in reversed(keys)]
    whole = await store.api_keys(KeyQuery(TENANT, later(9), revoked=True))
    assert [key.id for key in whole] == new
    page = await store.api_keys(KeyQuery(TENANT, later(9), before=new[0], limit=2, revoked=True))
    assert [key.id for key in page] == new[1:3]
    assert [key.id for key in await store.api_keys(KeyQuery(TENANT, later(9)))] == [keys[3].id, keys[0].id]
    assert [key.id for key in await store.api_keys(KeyQuery(TENANT, later(4)))] == [keys[3].id, keys[2].id, keys[0].id]


async def test_tenants_and_roles_are_listed_by_name(store: Store) -> None:
    await change(store, *(a_tenant(id_) for id_ in ("b-2", "b", "b2", "a")), *(a_role(n) for n in ("x-y", "xa", "x")))
    assert [tenant.id for tenant in await store.tenants("", 100)] == ["a", "b", "b-2", "b2", "default"]
    assert [tenant.id for tenant in await store.tenants("b", 2)] == ["b-2", "b2"]
    assert [role.name for role in await store.roles(TENANT)] == ["x", "x-y", "xa"]


async def test_refused_certificates_are_listed_newest_first(store: Store) -> None:
    await change(store, denied(1, later(1)), denied(2, later(3)), denied(3, later(3)), denied(4, later(2)))
    shown = [each.fingerprint[0] for each in await store.denied_certificates(None, 3)]
    assert shown == [3, 2, 4]
    rest = await store.denied_certificates((later(2), denied(4).fingerprint), 3)
    assert [each.fingerprint[0] for each in rest] == [1]


async def test_a_role_has_a_user_while_a_key_with_it_counts(store: Store) -> None:
    key = a_key(roles=("viewer", "x%"), expires_at=later(60))
    await change(store, key, a_key(tenant=OTHER, roles=("viewer",)), a_key(roles=("viewer2",)))

    async def user(role: str, now: Instant = NOW) -> str | None:
        async with store.transaction() as tx:
            return await tx.key_with_role(TENANT, role, now)

    assert await user("viewer") == await user("x%") == key.id
    assert await user("view") is None
    assert await user("viewer", later(60)) is None, "it has expired"
    await change(store, key.revoked("", NOW))
    assert await user("viewer") is None


async def test_uses_are_noted_and_never_made_earlier_and_no_news(store: Store) -> None:
    key, other = a_key(), a_key()
    await change(store, key, other)
    before = await store.access_revision()
    await store.note_uses({key.id: later(60), other.id: later(120), "nobody": NOW})
    await store.note_uses({key.id: later(30), other.id: later(180)})
    await store.note_uses({})
    assert await store.access_revision() == before
    assert (await store.access_since(0)).keys
    found = {each.id: each.last_used_at for each in await store.api_keys(KeyQuery(TENANT, NOW))}
    assert found == {key.id: later(60), other.id: later(180)}
    await change(store, replace(key, display_name="renamed"))
    kept = await store.api_key(TENANT, key.id)
    assert kept is not None
    assert kept.last_used_at == later(60), "a change knows nothing of uses"


async def test_what_is_rolled_back_leaves_no_revision_behind(store: Store) -> None:
    async def given_up() -> None:
        async with dropped(store) as tx:
            await tx.next_access_revision()
            await tx.write(Changes(access=[a_key()], audit=[AuditRecord(TENANT, NOW, "ann", "x", "y")]))

    with pytest.raises(Dropped):
        await given_up()
    assert await store.access_revision() == 1
    assert (await store.access_since(0)).keys == []


@pytest.mark.needs("many_writers")
async def test_changes_of_access_follow_one_after_the_other(store: Store) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def one(name: str, begun: asyncio.Event, wait: Callable[[], Awaitable[object]]) -> int:
        async with store.transaction() as tx:
            revision = await tx.next_access_revision()
            begun.set()
            await wait()
            order.append(name)
            await tx.write(Changes(access=[a_role(name, revision)]))
        return revision

    async def other() -> int:
        await first.wait()
        return await one("b", second, _at_once)

    async def patient() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await second.wait()

    assert list(await asyncio.gather(one("a", first, patient), other())) == [2, 3]
    assert order == ["a", "b"]


@pytest.mark.needs("many_writers")
async def test_whoever_reads_under_the_revision_sees_what_was_changed_before_it(store: Store) -> None:
    """A role cannot go while a key with it is being made: the second change reads what the first has committed."""
    locked, go = asyncio.Event(), asyncio.Event()
    key = a_key(roles=("night-shift",))
    await change(store, a_role())

    async def makes() -> None:
        async with store.transaction() as tx:
            await tx.next_access_revision()
            locked.set()
            await go.wait()
            await tx.write(Changes(access=[key]))

    async def removes() -> str | None:
        await locked.wait()
        asyncio.get_running_loop().call_later(0.2, go.set)
        async with store.transaction() as tx:
            await tx.next_access_revision()
            return await tx.key_with_role(TENANT, "night-shift", NOW)

    _, user = await asyncio.gather(makes(), removes())
    assert user == key.id


@pytest.mark.needs("durable")
async def test_everything_is_there_after_a_restart(backend: Backend) -> None:
    store = await backend.open()
    key = a_key(last_used_at=None)
    await change(store, key, a_role(), a_tenant("acme"), denied(1))
    await store.note_uses({key.id: Instant(NOW + DAY)})
    before = await store.access_since(0)
    await store.close()
    again = await backend.open()
    try:
        assert await again.access_since(0) == before
        assert before.keys[0].last_used_at == NOW + DAY
    finally:
        await again.close()


async def _at_once() -> None:
    """Waits for nothing."""
