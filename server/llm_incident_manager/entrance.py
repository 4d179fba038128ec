"""What lets callers in, put together: the book of who is known, API keys, and whoever has the last word."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from llm_incident_manager.adapters import databases, pepper
from llm_incident_manager.config import Settings
from llm_incident_manager.domain import api_keys
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.engines.lockout import Patience
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.guard import Guard
from llm_incident_manager.transport.handlers.access_desk import AccessDesk
from llm_incident_manager.usecases.access_book import EVERY_SECONDS, AccessBook
from llm_incident_manager.usecases.api_keys import PEPPER_SETTING, ApiKeys
from llm_incident_manager.usecases.certificates import Certificates
from llm_incident_manager.usecases.custom_roles import CustomRoles
from llm_incident_manager.usecases.key_uses import KeyUses
from llm_incident_manager.usecases.keyring import Keyring
from llm_incident_manager.usecases.tenancy import Tenancy


@dataclass(frozen=True, slots=True)
class Entrance:
    """The parts. `book` and `uses` work on their own while the server runs."""

    book: AccessBook
    uses: KeyUses
    keyring: Keyring
    guard: Guard
    desk: AccessDesk


async def build(
    settings: Settings, store: Store, clock: Clock, ids: Ids, metrics: Metrics, stack: AsyncExitStack
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
    return Entrance(
        book=book,
        uses=uses,
        keyring=Keyring(book, secret, clock, uses),
        guard=Guard(book, clock, patience, metrics),
        desk=desk(book, clock, ids, secret),
    )


def desk(book: AccessBook, clock: Clock, ids: Ids, secret: bytes | None) -> AccessDesk:
    """The use cases that change who is let in; `secret` is the pepper of API keys."""
    keys = ApiKeys(clock, ids, pepper.draw, secret)
    return AccessDesk(book, keys, CustomRoles(clock), Tenancy(clock), Certificates(clock))


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
