"""Reads a request body, and refuses one that is too large before it is held."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from llm_incident_manager.domain.errors import DomainError, ErrorReason

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def read_body(scope: MutableMapping[str, Any], receive: Receive, limit: int) -> bytes:
    """The whole body. Raises TOO_LARGE, MALFORMED_MESSAGE for a content coding, CANCELLED when the client is gone."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise _too_large(limit)
        if name == b"content-encoding" and value.lower() != b"identity":
            text = f"content-encoding {value.decode('latin-1')!r} is not taken: send the body as it is"
            raise DomainError(ErrorReason.MALFORMED_MESSAGE, text)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DomainError(ErrorReason.CANCELLED, "the client went away before the body was complete")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return part if not parts else b"".join((*parts, part))
        parts.append(part)


def _too_large(limit: int) -> DomainError:
    text = f"the body is larger than {limit} bytes: split it"
    return DomainError(ErrorReason.TOO_LARGE, text, {"limit_bytes": str(limit)})
