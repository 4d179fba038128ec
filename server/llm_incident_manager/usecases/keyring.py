"""Says whose an API key is. Asks nobody: the book has every key, and a wrong one costs no more than a right one."""

from dataclasses import replace
from hmac import compare_digest

from llm_incident_manager.domain import api_keys
from llm_incident_manager.domain.access import Principal
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.errors import Unauthenticated
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.usecases.access_book import AccessBook
from llm_incident_manager.usecases.key_uses import KeyUses

_NONE = bytes(32)
"""Stands where a key has no digest, so that every key shown takes the same way."""


class Keyring:
    """The keys of all tenants."""

    def __init__(self, book: AccessBook, pepper: bytes | None, clock: Clock, uses: KeyUses) -> None:
        """Without a pepper no key can be looked at, and all are refused."""
        self._book = book
        self._pepper = pepper
        self._clock = clock
        self._uses = uses

    def principal(self, text: str) -> Principal:
        """Whose the key is. Raises Unauthenticated."""
        shown = api_keys.read(text)
        if shown is None:
            raise Unauthenticated("malformed")
        if self._pepper is None:
            raise Unauthenticated("not_configured")
        key, now = self._book.key(shown.id), self._clock.now()
        digest = api_keys.digest(self._pepper, shown.body)
        current = compare_digest(digest, _NONE if key is None else key.digest)
        former = compare_digest(digest, _NONE if key is None else key.former_digest or _NONE)
        if key is None or not (current or former):
            raise Unauthenticated("unknown", account="" if key is None else key.id)
        if key.expired(now):
            raise Unauthenticated("expired", account=key.id)
        principal = self._book.principal(key) if current else self._of_former(key, now)
        if principal is None:
            raise Unauthenticated("rotated", account=key.id)
        self._uses.note(key.id, now)
        return principal

    def still(self, principal: Principal) -> bool:
        """Whether a principal of ours is let in as before: same secret, same rights."""
        key, now = self._book.key(principal.credential), self._clock.now()
        if key is None or key.expired(now):
            return False
        found = self._book.principal(key) if principal.issue == key.issue else self._of_former(key, now)
        return found is not None and replace(found, expires_at=principal.expires_at) == principal

    def _of_former(self, key: ApiKey, now: Instant) -> Principal | None:
        """Who calls with the secret before the last rotation, while that works."""
        end = key.former_expires_at
        if end is None or end <= now:
            return None
        known = self._book.principal(key)
        expires_at = end if known.expires_at is None else min(end, known.expires_at)
        return replace(known, issue=key.issue - 1, expires_at=expires_at)
