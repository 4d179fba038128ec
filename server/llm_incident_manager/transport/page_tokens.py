"""Opaque page tokens: what a list remembers between two pages, sealed for one query. Gives nobody any right."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence

from llm_incident_manager.domain.errors import DomainError, ErrorReason

Values = tuple[str | int | float | None, ...]

MAX_LENGTH = 1_024
"""Characters of a token; the contract takes no longer one."""

_SEAL_BYTES = 16
_MIN_KEY_BYTES = 16
_VERSION = b"page-token-1"


class InvalidPageToken(DomainError):
    """The token is damaged, comes from another deployment, or belongs to another query."""

    def __init__(self) -> None:
        """Says nothing of the token: which of the three it is helps only somebody who forges."""
        message = (
            "page_token is damaged or belongs to another query: repeat the query it came from unchanged "
            "(page_size may differ), or begin again without page_token"
        )
        super().__init__(ErrorReason.INVALID_PAGE_TOKEN, message)


class PageTokens:
    """Seals and opens tokens with one key. Every process of a deployment needs the same key."""

    def __init__(self, key: bytes) -> None:
        """Takes at least 16 secret bytes. Raises ValueError for fewer."""
        if len(key) < _MIN_KEY_BYTES:
            raise ValueError(f"a key of {len(key)} bytes seals nothing: give at least {_MIN_KEY_BYTES}")
        self._key = key

    def seal(self, scope: Sequence[str], values: Values) -> str:
        """The token that gives the values back to a caller whose query has the same scope."""
        payload = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        return base64.urlsafe_b64encode(self._seal_of(scope, payload) + payload).rstrip(b"=").decode()

    def open(self, scope: Sequence[str], token: str, most: int = MAX_LENGTH) -> Values:
        """The values of a token of ours, of at most so many characters. Raises InvalidPageToken."""
        sealed = _decoded(token, most)
        seal, payload = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal_of(scope, payload)):
            raise InvalidPageToken
        return tuple(json.loads(payload))

    def _seal_of(self, scope: Sequence[str], payload: bytes) -> bytes:
        # JSON keeps the parts of the scope apart; the digest keeps the scope apart from the payload.
        bound = hashlib.sha256(json.dumps(list(scope)).encode()).digest()
        return hmac.digest(self._key, _VERSION + bound + payload, "sha256")[:_SEAL_BYTES]


def _decoded(token: str, most: int) -> bytes:
    if len(token) > most:
        raise InvalidPageToken
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidPageToken from error
