"""Resume tokens of watches: a position in the feed as opaque text. A token gives nobody any right: tenants are checked
by the read that follows."""

import base64
import binascii
import struct

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.ports.stores import Position

_FORM = struct.Struct(">BQQ")
_VERSION = 1
_BEYOND = 2**63
"""No store counts so far."""


def token(position: Position) -> str:
    """The token of a position."""
    return base64.urlsafe_b64encode(_FORM.pack(_VERSION, *position)).rstrip(b"=").decode()


def position(text: str) -> Position:
    """The position of a token of ours. Raises INVALID_RESUME_TOKEN."""
    try:
        version, transaction, sequence = _FORM.unpack(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, struct.error) as error:
        raise _invalid() from error
    if version != _VERSION or max(transaction, sequence) >= _BEYOND:
        raise _invalid()
    return Position(transaction, sequence)


def _invalid() -> DomainError:
    message = "resume_token is damaged: watch again without it, with snapshot to learn the present state"
    return DomainError(ErrorReason.INVALID_RESUME_TOKEN, message)
