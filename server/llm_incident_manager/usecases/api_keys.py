"""API keys: made, given another secret, revoked. The secret is in the answer and nowhere else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from llm_incident_manager.domain import access_changes, api_keys
from llm_incident_manager.domain.access import ROLES, Condition
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields, NotFound
from llm_incident_manager.domain.event import NOTHING
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import TenantState
from llm_incident_manager.domain.time import SECOND, Instant, rfc3339
from llm_incident_manager.domain.timeline import AuditRecord
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.granting import Giver

PEPPER_SETTING = "identity.api_keys.pepper_file"


@dataclass(frozen=True, slots=True)
class Wish:
    """A key to make. An empty subject: after its id. `tenant` empty: the giver's."""

    display_name: str
    roles: tuple[str, ...]
    condition: Condition
    subject: str = ""
    expires_at: Instant | None = None
    tier: str = ""
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A key as it is kept, and the whole text of it."""

    key: ApiKey
    text: str


class ApiKeys:
    """Changes keys in a unit of work, with one audit record each."""

    def __init__(self, clock: Clock, ids: Ids, secret: Callable[[int], bytes], pepper: bytes | None) -> None:
        """`secret` draws so many bytes that nobody can guess. Without a pepper no key can be made."""
        self._clock = clock
        self._ids = ids
        self._secret = secret
        self._pepper = pepper

    async def create(self, tx: Transaction, changes: Changes, giver: Giver, wish: Wish) -> Issued:
        """Makes a key. Raises PERMISSION_DENIED, NOT_CONFIGURED, InvalidFields, NotFound."""
        pepper, now = self._pepper_or_refusal(), self._clock.now()
        if wish.expires_at is not None and wish.expires_at <= now:
            text = f"expire_time: {rfc3339(wish.expires_at)} is over: give a later time, or none"
            raise InvalidFields([Violation("expire_time", text, "expire_time.future")])
        revision = await tx.next_access_revision()
        tenant = await _tenant_of(tx, giver, wish.tenant)
        giver.must_have(await _allowed(tx, tenant, wish.roles))
        giver.must_reach(wish.condition)
        if wish.tier:
            giver.must_set_limits()
        id_ = api_keys.key_id(self._ids.new(now))
        body = api_keys.body_of(id_, self._secret(api_keys.SECRET_BYTES))
        key = ApiKey(
            id=id_,
            tenant=tenant,
            display_name=wish.display_name,
            subject=wish.subject or f"key:{id_}",
            roles=tuple(sorted(wish.roles)),
            condition=wish.condition,
            tier=wish.tier,
            pepper=api_keys.name_of_pepper(pepper),
            digest=api_keys.digest(pepper, body),
            created_at=now,
            created_by=giver.caller.subject,
            revision=revision,
            expires_at=wish.expires_at,
        )
        _record(changes, giver.caller, "api_key.create", None, key, now)
        return Issued(key, api_keys.text_of(body))

    async def rotate(self, tx: Transaction, changes: Changes, giver: Giver, id_: str, overlap: int) -> Issued:
        """Gives a key another secret; the one of before works for `overlap` microseconds more.

        Raises as `create`, since whoever gets the secret can do what the key can, and NotFound for one that does not
        count any more.
        """
        pepper, now = self._pepper_or_refusal(), self._clock.now()
        revision = await tx.next_access_revision()
        before = await _known(tx, giver.caller, id_)
        if not before.counts(now):
            raise NotFound("api key", id_, "it was revoked, or has expired: make another one")
        giver.must_have(await _allowed(tx, before.tenant, before.roles, lenient=True))
        giver.must_reach(before.condition)
        body = api_keys.body_of(id_, self._secret(api_keys.SECRET_BYTES))
        digest = api_keys.digest(pepper, body)
        after = before.rotated(digest, api_keys.name_of_pepper(pepper), now, overlap)
        key = replace(after, revision=revision)
        _record(
            changes, giver.caller, "api_key.rotate", before, key, now, details={"overlap_secs": str(overlap // SECOND)}
        )
        return Issued(key, api_keys.text_of(body))

    async def revoke(self, tx: Transaction, changes: Changes, caller: Caller, id_: str, reason: str) -> ApiKey:
        """Revokes a key for ever; one that is revoked stays as it is. Raises NotFound."""
        now, revision = self._clock.now(), await tx.next_access_revision()
        before = await _known(tx, caller, id_)
        if before.revoked_at is not None:
            return before
        key = replace(before.revoked(reason, now), revision=revision)
        _record(changes, caller, "api_key.revoke", before, key, now, details={"subject": key.subject})
        return key

    def _pepper_or_refusal(self) -> bytes:
        if self._pepper is None:
            text = f"API keys need a pepper, the same in every process: set {PEPPER_SETTING} and start again"
            raise DomainError(ErrorReason.NOT_CONFIGURED, text, {"setting": PEPPER_SETTING})
        return self._pepper


async def _tenant_of(tx: Transaction, giver: Giver, wanted: str) -> TenantId:
    """Where the key is made: in the giver's tenant, or another one for those who look after tenants."""
    own = giver.caller.tenant
    if wanted in ("", own):
        return own
    giver.must_have(("TENANT_WRITE",))
    found = await tx.tenant(wanted)
    if found is None or found.state is not TenantState.ACTIVE:
        raise NotFound("tenant", wanted, "make it, or set it ACTIVE, first")
    return found.id


async def _allowed(tx: Transaction, tenant: TenantId, roles: tuple[str, ...], *, lenient: bool = False) -> set[str]:
    """What roles allow together. Raises InvalidFields for one that nobody knows, unless `lenient`."""
    allowed: set[str] = set()
    for name in roles:
        custom = None if name in ROLES else await tx.role(tenant, name)
        if name in ROLES:
            allowed |= ROLES[name]
        elif custom is not None:
            allowed |= custom.permissions
        elif not lenient:
            text = f"roles: there is no role {name!r}: ListRoles shows them all"
            raise InvalidFields([Violation("roles", text, "role.unknown")])
    return allowed


async def _known(tx: Transaction, caller: Caller, id_: str) -> ApiKey:
    found = await tx.api_key(caller.tenant, id_)
    if found is None:
        raise NotFound("api key", id_)
    return found


def _record(
    changes: Changes,
    caller: Caller,
    action: str,
    before: ApiKey | None,
    key: ApiKey,
    now: Instant,
    *,
    details: Mapping[str, str] = NOTHING,
) -> None:
    was, is_ = access_changes.between(before, key)
    changes.access.append(key)
    resource = f"api_key/{key.id}"
    changes.audit.append(AuditRecord(key.tenant, now, caller.subject, action, resource, details, was, is_))
