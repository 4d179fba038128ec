"""What people do to API keys, roles, tenants and certificates: decided under the revision, audited once each, and
known by heart in every process that looks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import pytest

from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.domain import api_keys
from llm_incident_manager.domain.access import EVERYWHERE, ROLES, Condition, Principal
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.errors import (
    AlreadyExists,
    DomainError,
    ErrorReason,
    InUse,
    InvalidFields,
    NotFound,
    StaleEtag,
    Unauthenticated,
)
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import TenantLimits, TenantState
from llm_incident_manager.domain.time import HOUR, MINUTE
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Store, Transaction
from llm_incident_manager.usecases import custom_roles
from llm_incident_manager.usecases.access_book import AccessBook
from llm_incident_manager.usecases.api_keys import ApiKeys, Issued, Wish
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.certificates import Certificates
from llm_incident_manager.usecases.custom_roles import CustomRoles
from llm_incident_manager.usecases.granting import Giver
from llm_incident_manager.usecases.key_uses import KeyUses
from llm_incident_manager.usecases.keyring import Keyring
from llm_incident_manager.usecases.tenancy import Change, Tenancy
from tests.support.backends import Backend
from tests.support.builders import NOW, TENANT
from tests.support.world import HeldClock

T = TypeVar("T")
PEPPER = b"0123456789abcdef0123456789abcdef"
ACME = TenantId("acme")


def giver(role: str = "platform_admin", condition: Condition = EVERYWHERE, tenant: TenantId = TENANT) -> Giver:
    who = Principal(tenant, "ann", frozenset({role}), ROLES[role], "api_key", condition=condition)
    return Giver(Caller(tenant, "ann"), who)


ANN = giver()


@dataclass
class Office:
    """Everything about access on one store, as a process has it."""

    store: Store
    backend: Backend

    def __post_init__(self) -> None:
        self.clock = HeldClock()
        drawn = iter(range(1, 1_000))
        self.keys = ApiKeys(self.clock, Uuid7(), lambda size: next(drawn).to_bytes(size), PEPPER)
        self.roles = CustomRoles(self.clock)
        self.tenancy = Tenancy(self.clock)
        self.certificates = Certificates(self.clock)
        self.book = AccessBook(self.store)
        self.uses = KeyUses(self.store)
        self.ring = Keyring(self.book, PEPPER, self.clock, self.uses)

    async def do(self, work: Callable[[Transaction, Changes], Awaitable[T]]) -> T:
        """A use case in its unit of work; the book knows of it afterwards."""
        async with self.store.transaction() as tx:
            changes = Changes()
            answer = await work(tx, changes)
            await tx.write(changes)
        await self.book.refresh()
        return answer

    async def make(self, *roles: str, by: Giver = ANN, **fields: object) -> Issued:
        wish = Wish("for a test", roles or ("producer",), EVERYWHERE)
        wish = replace(wish, **fields)  # type: ignore[arg-type]  # as the tests give them
        return await self.do(lambda tx, changes: self.keys.create(tx, changes, by, wish))

    async def role(self, name: str, *permissions: str, by: Giver = ANN) -> None:
        wish = custom_roles.Wish(name, "", frozenset(permissions))
        await self.do(lambda tx, changes: self.roles.create(tx, changes, by, wish))

    async def allow(self, name: str, *permissions: str, etag: str = "", by: Giver = ANN) -> None:
        wish = custom_roles.Wish(name, "", frozenset(permissions), etag)
        await self.do(lambda tx, changes: self.roles.update(tx, changes, by, wish))

    async def audit(self) -> list[tuple[str, str]]:
        """Actions and resources of all records."""
        rows = await self.backend.query(self.store, "SELECT action, resource FROM audit ORDER BY at, writer, sequence")
        return [(action, resource) for action, resource in rows]

    def refusal(self, text: str) -> str:
        """Why a key is not taken; empty when it is."""
        try:
            self.ring.principal(text)
        except Unauthenticated as refused:
            return refused.cause
        return ""


@pytest.fixture
async def office(store: Store, backend: Backend) -> Office:
    made = Office(store, backend)
    await made.book.refresh()
    return made


# API keys -------------------------------------------------------------------------------------------------------------


async def test_a_key_says_who_calls_and_what_they_may_do(office: Office) -> None:
    made = await office.make("producer", "viewer", subject="sentinel", tier="gold", expires_at=NOW + HOUR)
    who = office.ring.principal(made.text)
    assert (who.tenant, who.subject) == (TENANT, "sentinel")
    assert who.roles == {"producer", "viewer"}
    assert who.permissions == ROLES["producer"] | ROLES["viewer"]
    assert (who.proven_by, who.credential, who.tier, who.expires_at) == ("api_key", made.key.id, "gold", NOW + HOUR)


async def test_the_secret_is_nowhere_in_the_database(office: Office) -> None:
    made = await office.make()
    for table in ("api_key", "audit", "request_answer", "tenant", "role"):
        rows = await office.backend.query(office.store, f"SELECT * FROM {table}")
        kept = repr(rows)
        assert made.text.split("_")[2] not in kept
        assert PEPPER.decode() not in kept


async def test_making_rotating_and_revoking_are_audited_once_each(office: Office) -> None:
    made = await office.make()
    id_ = made.key.id
    await office.do(lambda tx, changes: office.keys.rotate(tx, changes, ANN, id_, 0))
    await office.do(lambda tx, changes: office.keys.revoke(tx, changes, ANN.caller, id_, "leaked"))
    again = await office.do(lambda tx, changes: office.keys.revoke(tx, changes, ANN.caller, id_, "again"))
    assert again.revoke_reason == "leaked"
    assert sorted(await office.audit()) == [
        ("api_key.create", f"api_key/{id_}"),
        ("api_key.revoke", f"api_key/{id_}"),
        ("api_key.rotate", f"api_key/{id_}"),
    ]


async def test_a_revoked_key_is_refused(office: Office) -> None:
    made, other = await office.make(), await office.make()
    who = office.ring.principal(made.text)
    await office.do(lambda tx, changes: office.keys.revoke(tx, changes, ANN.caller, made.key.id, ""))
    assert office.refusal(made.text) == "unknown"
    assert not office.ring.still(who)
    assert office.refusal(other.text) == ""


async def test_an_expired_key_is_refused_from_that_moment_on(office: Office) -> None:
    made = await office.make(expires_at=NOW + HOUR)
    who = office.ring.principal(made.text)
    office.clock.forward(HOUR - 1)
    assert office.refusal(made.text) == ""
    assert office.ring.still(who)
    office.clock.forward(1)
    assert office.refusal(made.text) == "expired"
    assert not office.ring.still(who)


async def test_a_wrong_secret_of_a_known_id_is_refused(office: Office) -> None:
    made, other = await office.make(), await office.make()
    mixed = made.text.split("_")
    mixed[2] = other.text.split("_")[2]
    body = "_".join(mixed[:3])
    with pytest.raises(Unauthenticated) as refused:
        office.ring.principal(api_keys.text_of(body))
    assert (refused.value.cause, refused.value.account) == ("unknown", made.key.id)
    assert office.refusal(made.text[:-1] + "x") == "malformed"


async def test_the_former_secret_works_for_the_overlap(office: Office) -> None:
    made = await office.make(subject="sentinel")
    before = office.ring.principal(made.text)
    new = await office.do(lambda tx, changes: office.keys.rotate(tx, changes, ANN, made.key.id, 10 * MINUTE))
    assert new.text != made.text
    former = office.ring.principal(made.text)
    assert (former.subject, former.expires_at) == ("sentinel", NOW + 10 * MINUTE)
    assert office.ring.still(before)
    assert office.ring.still(former)
    office.clock.forward(10 * MINUTE)
    assert office.refusal(made.text) == "rotated"
    assert not office.ring.still(before)
    assert office.refusal(new.text) == ""
    assert office.ring.still(office.ring.principal(new.text))


async def test_without_an_overlap_the_former_secret_ends_at_once_also_for_its_streams(office: Office) -> None:
    made = await office.make()
    before = office.ring.principal(made.text)
    new = await office.do(lambda tx, changes: office.keys.rotate(tx, changes, ANN, made.key.id, 0))
    assert office.refusal(made.text) == "unknown"
    assert not office.ring.still(before)
    assert office.refusal(new.text) == ""


async def test_a_key_that_does_not_count_is_not_rotated(office: Office) -> None:
    made = await office.make(expires_at=NOW + HOUR)
    office.clock.forward(HOUR)
    with pytest.raises(NotFound):
        await office.do(lambda tx, changes: office.keys.rotate(tx, changes, ANN, made.key.id, 0))


async def test_nobody_gives_a_permission_that_they_lack(office: Office) -> None:
    admin = giver("admin")
    await office.make("admin", by=admin)
    with pytest.raises(DomainError) as refused:
        await office.make("platform_admin", by=admin)
    assert (refused.value.reason, refused.value.metadata) == (
        ErrorReason.PERMISSION_DENIED,
        {"permission": "TENANT_READ"},
    )
    strong = await office.make("platform_admin")
    with pytest.raises(DomainError, match="TENANT_READ"):  # its new secret would be one's own
        await office.do(lambda tx, changes: office.keys.rotate(tx, changes, admin, strong.key.id, 0))
    await office.do(lambda tx, changes: office.keys.revoke(tx, changes, admin.caller, strong.key.id, ""))


async def test_only_who_looks_after_tenants_gives_a_key_limits_of_its_own(office: Office) -> None:
    with pytest.raises(DomainError, match=r"tier: .* TENANT_WRITE") as refused:
        await office.make("viewer", by=giver("admin"), tier="gold")
    assert (refused.value.reason, refused.value.metadata) == (
        ErrorReason.PERMISSION_DENIED,
        {"permission": "TENANT_WRITE"},
    )
    assert (await office.make("viewer", tier="gold")).key.tier == "gold"


async def test_nobody_gives_a_reach_that_they_lack(office: Office) -> None:
    own = Condition(frozenset({"checkout", "search"}))
    narrow = giver("admin", own)
    await office.make("viewer", by=narrow, condition=Condition(frozenset({"checkout"})))
    for condition in (EVERYWHERE, Condition(frozenset({"checkout", "billing"}))):
        with pytest.raises(DomainError) as refused:
            await office.make("viewer", by=narrow, condition=condition)
        assert refused.value.reason is ErrorReason.PERMISSION_DENIED
    wide = await office.make("viewer")
    with pytest.raises(DomainError):
        await office.do(lambda tx, changes: office.keys.rotate(tx, changes, narrow, wide.key.id, 0))
    with pytest.raises(DomainError):  # a role counts wherever its holders reach
        await office.role("night-shift", "INCIDENT_READ", by=narrow)


async def test_unknown_roles_and_a_past_end_are_bad_fields(office: Office) -> None:
    with pytest.raises(InvalidFields, match="no role 'night-shift'"):
        await office.make("night-shift")
    with pytest.raises(InvalidFields, match="is over"):
        await office.make(expires_at=NOW)
    assert await office.audit() == []


async def test_the_first_key_of_another_tenant_is_made_by_whoever_looks_after_tenants(office: Office) -> None:
    with pytest.raises(NotFound):
        await office.make("admin", tenant="acme")
    await office.do(lambda tx, changes: office.tenancy.create(tx, changes, ANN.caller, "acme", "", TenantLimits()))
    made = await office.make("admin", tenant="acme")
    assert office.ring.principal(made.text).tenant == ACME
    with pytest.raises(DomainError) as refused:
        await office.make("admin", tenant="acme", by=giver("admin"))
    assert refused.value.metadata == {"permission": "TENANT_WRITE"}


async def test_other_tenants_neither_rotate_nor_revoke(office: Office) -> None:
    made = await office.make()
    stranger = giver(tenant=ACME)
    with pytest.raises(NotFound):
        await office.do(lambda tx, changes: office.keys.rotate(tx, changes, stranger, made.key.id, 0))
    with pytest.raises(NotFound):
        await office.do(lambda tx, changes: office.keys.revoke(tx, changes, stranger.caller, made.key.id, ""))
    assert office.refusal(made.text) == ""


async def test_uses_are_written_to_the_minute(office: Office) -> None:
    made = await office.make()
    office.clock.forward(90 * 1_000_000)
    office.ring.principal(made.text)
    await office.uses.flush()
    kept = await office.store.api_key(TENANT, made.key.id)
    assert kept is not None
    used = kept.last_used_at
    assert used is not None
    assert used % MINUTE == 0
    assert 0 <= office.clock.now() - used < MINUTE


# Roles ----------------------------------------------------------------------------------------------------------------


async def test_a_changed_role_counts_for_those_who_have_it(office: Office) -> None:
    await office.role("night-shift", "INCIDENT_READ", "INCIDENT_WRITE")
    made = await office.make("night-shift")
    before = office.ring.principal(made.text)
    assert before.permissions == {"INCIDENT_READ", "INCIDENT_WRITE", "SELF_READ"}
    await office.allow("night-shift", "INCIDENT_READ")
    assert office.ring.principal(made.text).permissions == {"INCIDENT_READ", "SELF_READ"}
    assert not office.ring.still(before), "its streams begin anew"


async def test_a_role_is_made_once_and_changed_only_as_it_was_seen(office: Office) -> None:
    await office.role("night-shift", "INCIDENT_READ")
    with pytest.raises(AlreadyExists):
        await office.role("night-shift", "EVENT_READ")
    with pytest.raises(AlreadyExists):
        await office.role("viewer", "EVENT_READ")
    found = await office.store.role(TENANT, "night-shift")
    assert found is not None
    await office.allow("night-shift", "EVENT_READ", etag=str(found.revision))
    with pytest.raises(StaleEtag):
        await office.allow("night-shift", "INCIDENT_READ", etag=str(found.revision))
    with pytest.raises(InUse):
        await office.allow("viewer", "EVENT_READ")
    with pytest.raises(NotFound):
        await office.allow("nobody", "EVENT_READ")


async def test_a_role_cannot_have_what_its_maker_lacks(office: Office) -> None:
    with pytest.raises(DomainError, match="TENANT_WRITE"):
        await office.role("boss", "EVENT_READ", "TENANT_WRITE", by=giver("admin"))
    await office.role("boss", "EVENT_READ", by=giver("admin"))
    with pytest.raises(DomainError, match="TENANT_WRITE"):
        await office.allow("boss", "TENANT_WRITE", by=giver("admin"))


async def test_a_role_that_a_key_has_stays(office: Office) -> None:
    await office.role("night-shift", "INCIDENT_READ")
    made = await office.make("night-shift")
    with pytest.raises(InUse, match=made.key.id):
        await office.do(lambda tx, changes: office.roles.delete(tx, changes, ANN, "night-shift"))
    await office.do(lambda tx, changes: office.keys.revoke(tx, changes, ANN.caller, made.key.id, ""))
    await office.do(lambda tx, changes: office.roles.delete(tx, changes, ANN, "night-shift"))
    assert office.book.permissions(TENANT, ["night-shift"]) == {"SELF_READ"}


async def test_roles_of_one_tenant_are_none_of_another(office: Office) -> None:
    await office.role("night-shift", "INCIDENT_READ")
    assert office.book.permissions(ACME, ["night-shift"]) == {"SELF_READ"}
    assert office.book.permissions(TENANT, ["night-shift", "producer"]) >= {"INCIDENT_READ", "EVENT_WRITE"}


# Tenants and certificates ---------------------------------------------------------------------------------------------


async def test_a_tenant_is_made_limited_suspended_and_resumed(office: Office) -> None:
    limits = TenantLimits(10, 600, 50)
    made = await office.do(lambda tx, changes: office.tenancy.create(tx, changes, ANN.caller, "acme", "", limits))
    assert (made.display_name, made.state) == ("acme", TenantState.ACTIVE)
    assert office.book.limits_of(ACME) == limits
    assert office.book.state_of(ACME) is TenantState.ACTIVE
    assert office.book.state_of(TenantId("nobody")) is None
    assert office.book.limits_of(TenantId("nobody")) == TenantLimits()

    async def update(change: Change) -> None:
        await office.do(lambda tx, changes: office.tenancy.update(tx, changes, ANN.caller, "acme", change))

    await update(Change(state=TenantState.SUSPENDED))
    assert office.book.state_of(ACME) is TenantState.SUSPENDED
    assert office.book.limits_of(ACME) == limits, "what is not given stays"
    await update(Change(state=TenantState.ACTIVE, limits=TenantLimits(), display_name="Acme"))
    assert office.book.limits_of(ACME) == TenantLimits()
    with pytest.raises(StaleEtag):
        await update(Change(display_name="late", etag=str(made.revision)))
    assert [action for action, _ in await office.audit()] == ["tenant.create", "tenant.update", "tenant.update"]


async def test_nobody_suspends_themselves_or_takes_a_name_twice(office: Office) -> None:
    suspended = Change(state=TenantState.SUSPENDED)
    with pytest.raises(InUse):
        await office.do(lambda tx, changes: office.tenancy.update(tx, changes, ANN.caller, "default", suspended))
    with pytest.raises(AlreadyExists):
        await office.do(
            lambda tx, changes: office.tenancy.create(tx, changes, ANN.caller, "default", "", TenantLimits())
        )
    with pytest.raises(NotFound):
        await office.do(lambda tx, changes: office.tenancy.update(tx, changes, ANN.caller, "nobody", suspended))


async def test_a_certificate_is_denied_once_and_allowed_again(office: Office) -> None:
    fingerprint = bytes(range(32))
    assert not office.book.denied(fingerprint)
    for reason in ("stolen", "again"):
        kept = await office.do(
            lambda tx, changes, why=reason: office.certificates.deny(tx, changes, ANN.caller, fingerprint, why)  # type: ignore[misc]
        )
        assert kept.reason == "stolen"
    assert office.book.denied(fingerprint)
    await office.do(lambda tx, changes: office.certificates.allow(tx, changes, ANN.caller, fingerprint))
    assert not office.book.denied(fingerprint)
    with pytest.raises(NotFound):
        await office.do(lambda tx, changes: office.certificates.allow(tx, changes, ANN.caller, fingerprint))
    assert [action for action, _ in await office.audit()] == ["certificate.deny", "certificate.allow"]


# Other processes ------------------------------------------------------------------------------------------------------


async def test_another_book_learns_of_everything_by_looking_at_the_revision(office: Office) -> None:
    other = AccessBook(office.store)
    await other.refresh()
    await office.role("night-shift", "INCIDENT_READ")
    made = await office.make("night-shift")
    await office.do(lambda tx, changes: office.tenancy.create(tx, changes, ANN.caller, "acme", "", TenantLimits(1)))
    await office.do(lambda tx, changes: office.certificates.deny(tx, changes, ANN.caller, bytes(32), ""))
    assert other.key(made.key.id) is None
    await other.refresh()
    known = other.key(made.key.id)
    assert isinstance(known, ApiKey)
    assert other.principal(known).permissions == {"INCIDENT_READ", "SELF_READ"}
    assert other.state_of(ACME) is TenantState.ACTIVE
    assert other.denied(bytes(32))
    await office.do(lambda tx, changes: office.keys.revoke(tx, changes, ANN.caller, made.key.id, ""))
    await other.refresh()
    assert other.key(made.key.id) is None


async def test_without_a_pepper_no_key_is_made_or_taken(office: Office) -> None:
    made = await office.make()
    bare = ApiKeys(office.clock, Uuid7(), bytes, None)
    wish = Wish("x", ("viewer",), EVERYWHERE)
    with pytest.raises(DomainError) as refused:
        await office.do(lambda tx, changes: bare.create(tx, changes, ANN, wish))
    assert refused.value.reason is ErrorReason.NOT_CONFIGURED
    with pytest.raises(Unauthenticated, match="show who you are"):
        Keyring(office.book, None, office.clock, office.uses).principal(made.text)
    other = Keyring(office.book, b"another pepper, as long as it is", office.clock, office.uses)
    with pytest.raises(Unauthenticated):
        other.principal(made.text)
    assert office.book.keys_of_other_peppers(made.key.pepper) == 0
    assert office.book.keys_of_other_peppers("another") == 1
