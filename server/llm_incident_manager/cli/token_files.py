"""Bearer tokens of contexts, in files that only their owner can read: those that `login` keeps, which are renewed when
they are about to end, and plain ones that somebody else keeps fresh.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from llm_incident_client.core.channel import TokenSource
from llm_incident_manager.cli import oauth
from llm_incident_manager.cli.failures import BadUsage
from llm_incident_manager.cli.oauth import Granted
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.ports.clock import Clock

RENEW_BEFORE = 30
"""Seconds before its end a token is renewed."""
AGAIN = "log in again: llm-incident-manager login"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a login leaves behind. `expires_at` in Unix seconds, 0 when nobody knows."""

    access_token: str
    refresh_token: str
    expires_at: int
    token_endpoint: str
    client_id: str

    @classmethod
    def of(cls, granted: Granted, token_endpoint: str, client_id: str, now: int) -> "Kept":
        """What an issuer has granted at `now` in Unix seconds."""
        ends = now + granted.expires_in if granted.expires_in else 0
        return cls(granted.access_token, granted.refresh_token, ends, token_endpoint, client_id)


def save(file: Path, kept: Kept) -> None:
    """Writes the file as a whole or not at all, readable by its owner alone. Raises OSError."""
    import orjson

    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=file.parent)  # only its owner may read what mkstemp makes
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(orjson.dumps(asdict(kept)))
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def source(file: Path, clock: Clock) -> TokenSource:
    """Gives the token of a file each time it is asked, renewed if need be. Raises BadUsage, OSError, oauth.Refused."""

    async def token() -> str:
        found = _read(file)
        if isinstance(found, str):
            return found
        return (await _renewed(file, clock)).access_token if _ends(found, clock) else found.access_token

    return token


def _read(file: Path) -> Kept | str:
    import orjson

    text = file.read_text("utf-8").strip()
    if not text.startswith("{"):
        return text
    try:
        facts = orjson.loads(text)
        return Kept(**{one.name: facts[one.name] for one in fields(Kept)})
    except (orjson.JSONDecodeError, KeyError):
        raise BadUsage(f"{file}: is no token that `login` has kept; {AGAIN}") from None


def _ends(kept: Kept, clock: Clock) -> bool:
    return bool(kept.expires_at) and clock.now() // SECOND >= kept.expires_at - RENEW_BEFORE


async def _renewed(file: Path, clock: Clock) -> Kept:
    """The token after it was renewed, by us or by another command that was quicker: issuers take each refresh token
    once, so only one may try."""
    with _alone(file):
        kept = _read(file)
        if isinstance(kept, str):
            raise BadUsage(f"{file}: is not what `login` has kept any more; {AGAIN}")
        if not _ends(kept, clock):
            return kept
        if not kept.refresh_token:
            raise BadUsage(f"the token has ended and cannot be renewed; {AGAIN}")
        granted = await oauth.refresh(kept.token_endpoint, kept.client_id, kept.refresh_token)
        fresh = Kept.of(granted, kept.token_endpoint, kept.client_id, clock.now() // SECOND)
        save(file, fresh)
        return fresh


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """While the block runs no other command renews the token of this file."""
    with file.with_suffix(".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
