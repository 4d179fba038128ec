"""What lets callers in, put together: the book of who is known, API keys, and whoever has the last word."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from llm_incident_manager import securing
from llm_incident_manager.adapters import databases, jwt, pepper
from llm_incident_manager.adapters.rates import ProcessRates
from llm_incident_manager.adapters.redis import opening as redis_opening
from llm_incident_manager.adapters.redis.connection import Connection
from llm_incident_manager.config import Settings
from llm_incident_manager.domain import api_keys
from llm_incident_manager.domain.access import DEVELOPER, EVERYWHERE
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.limits import Tier
from llm_incident_manager.domain.tenants import DEFAULT
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.engines.lockout import Patience
from llm_incident_manager.pipeline.tenure import Worker
from llm_incident_manager.ports.access import KnownTenants
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.outbound import Outbound
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.authenticators.api_key import ApiKeyAuthenticator
from llm_incident_manager.transport.bearer import BearerTokens
from llm_incident_manager.transport.guard import Guard
from llm_incident_manager.transport.handlers.access_desk import AccessDesk
from llm_incident_manager.transport.identity import Authenticator, Identity, OpenStreams
from llm_incident_manager.transport.limits import Limiter, Source
from llm_incident_manager.usecases.access_book import EVERY_SECONDS, AccessBook
from llm_incident_manager.usecases.api_keys import PEPPER_SETTING, ApiKeys, Wish
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.certificates import Certificates
from llm_incident_manager.usecases.custom_roles import CustomRoles
from llm_incident_manager.usecases.granting import Giver
from llm_incident_manager.usecases.key_uses import KeyUses
from llm_incident_manager.usecases.keyring import Keyring
from llm_incident_manager.usecases.tenancy import Tenancy

if TYPE_CHECKING:
    from llm_incident_manager.adapters.jwt.verifier import Verifier

NOBODY = (
    "identity.required refuses everybody: there is no API key, no issuer and no client CA. Let "
    "`llm-incident-manager init` make a first key, or set identity.issuers or tls.client_ca_file"
)


@dataclass(frozen=True, slots=True)
class Entrance:
    """The parts. `workers` work on their own while the server runs; `tokens` is there where issuers are,
    `callers` where only API keys count."""

    identity: Identity
    streams: OpenStreams
    desk: AccessDesk
    tenants: KnownTenants
    workers: Mapping[str, Worker]
    tokens: "Verifier | None"
    callers: "Callers | None"


async def build(
    settings: Settings,
    store: Store,
    clock: Clock,
    ids: Ids,
    *,
    metrics: Metrics,
    outbound: Outbound,
    stack: AsyncExitStack,
) -> Entrance:
    """Reads who is known. Raises PepperRefused, StoreUnavailable."""
    book = AccessBook(store, EVERY_SECONDS if databases.may_be_shared(settings) else None)
    await book.refresh()
    secret = pepper.load(settings)
    _must_fit(book, secret)
    uses = KeyUses(store)
    stack.push_async_callback(uses.flush)
    lockout = settings.identity.lockout
    patience = Patience(lockout.failures, int(lockout.window_secs * SECOND), int(lockout.pause_secs * SECOND))
    guard = Guard(book, clock, patience, metrics)
    bearer = jwt.build(settings.identity.issuers, outbound, book, clock, logs.get("identity"))
    if bearer is not None:
        stack.push_async_callback(bearer.close)
    known = authenticators(settings, book, Keyring(book, secret, clock, uses), bearer)
    streams = OpenStreams(known, guard.admits, lambda certificate: book.denied(sha256(certificate).digest()))
    identity = Identity(known, streams, guard, None if settings.asks_who_calls else DEVELOPER)
    workers: dict[str, Worker] = {"access": book, "key_uses": uses, "open_streams": streams}
    if bearer is not None:
        workers["issuers"] = bearer
    only_keys = settings.identity.required and bearer is None and settings.tls.client_certificates == "none"
    callers = Callers(book) if only_keys else None
    if callers is not None and not book.holds_keys:
        logs.get("access").warning("access.nobody_can_call", meaning=NOBODY)
    return Entrance(identity, streams, desk(book, clock, ids, secret), book, workers, bearer, callers)


class Callers:
    """Where API keys are the only credentials that count: whether there is any."""

    def __init__(self, book: AccessBook) -> None:
        """Asks the book."""
        self._book = book

    async def check(self) -> None:
        """Raises NOT_CONFIGURED when nobody can call."""
        if not self._book.holds_keys:
            raise DomainError(ErrorReason.NOT_CONFIGURED, NOBODY, {"setting": "identity.issuers"})


def authenticators(
    settings: Settings, book: AccessBook, keyring: Keyring, bearer: "Verifier | None"
) -> tuple[Authenticator, ...]:
    """What knows a kind of credential, in the order of the settings."""
    known: list[Authenticator] = [ApiKeyAuthenticator(keyring), *securing.authenticators(settings, book, book)]
    if bearer is not None:
        known.append(BearerTokens(bearer))
    by_name = {each.name: each for each in known}
    return tuple(by_name[name] for name in settings.identity.order if name in by_name)


def desk(book: AccessBook, clock: Clock, ids: Ids, secret: bytes | None) -> AccessDesk:
    """The use cases that change who is let in; `secret` is the pepper of API keys."""
    keys = ApiKeys(clock, ids, pepper.draw, secret)
    return AccessDesk(book, keys, CustomRoles(clock), Tenancy(clock), Certificates(clock))


async def first_key(settings: Settings, store: Store, clock: Clock, ids: Ids) -> str:
    """Makes a key for whoever looks after the installation, and gives its text. Raises PepperRefused,
    StoreUnavailable, NOT_CONFIGURED without a pepper."""
    keys, changes = ApiKeys(clock, ids, pepper.draw, pepper.load(settings)), Changes()
    wish = Wish("the first administrator", ("platform_admin",), EVERYWHERE, subject="admin")
    async with store.transaction() as tx:
        issued = await keys.create(tx, changes, Giver(Caller(DEFAULT, "init"), DEVELOPER), wish)
        await tx.write(changes)
    return issued.text


def _must_fit(book: AccessBook, secret: bytes | None) -> None:
    """Raises PepperRefused when there are API keys and no pepper; keys made with another one are told of."""
    others = book.keys_of_other_peppers("" if secret is None else api_keys.name_of_pepper(secret))
    if secret is None and others:
        raise pepper.PepperRefused(
            f"the database has {others} API keys, and no pepper to look at them with: set {PEPPER_SETTING}, or "
            "API_KEY_PEPPER, to the one they were made with"
        )
    if others:
        meaning = "they are refused: give the pepper that they were made with, or rotate or revoke them"
        logs.get("access").error("api_keys.other_pepper", keys=others, meaning=meaning)


def limits(
    settings: Settings, clock: Clock, redis: Connection | None, metrics: Metrics, tenants: KnownTenants
) -> tuple[Source, Limiter]:
    """What refuses callers that call too often, or from where they may not: before they are known, and after."""
    own = ProcessRates(clock)
    rates = own if redis is None else redis_opening.shared_rates(redis, own)
    given = settings.limits

    def of_tenant(tenant: TenantId) -> Tier | None:
        has = tenants.limits_of(tenant)
        return (
            Tier(has.calls_per_minute, has.burst or max(1, has.calls_per_minute // 10))
            if has.calls_per_minute
            else None
        )

    return (
        Source(ProcessRates(clock), given.gate(), given.of_source(), metrics.limited),
        Limiter(rates, given.rules(), of_tenant, metrics.limited),
    )
