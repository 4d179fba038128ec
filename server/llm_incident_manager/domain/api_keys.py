"""API keys: what they look like, what is kept of them, and when one counts.

A key is `lim_<id>_<secret>_<checksum>`. The checksum tells garbage and typing errors without any look-up; it is no
secret. Of the secret only a digest is kept, keyed with a pepper that the database does not have: 256 random bits need
no slow hash, and whoever steals the database can neither use nor guess a key.
"""

import hmac
import re
import zlib
from dataclasses import dataclass, replace
from typing import NamedTuple

from llm_incident_manager.domain.access import Condition
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant

SECRET_BYTES = 32

_FORM = re.compile(r"lim_([0-9A-HJKMNP-TV-Z]{26})_[0-9A-Za-z]{43}_[0-9a-f]{8}", re.ASCII)
_CHECKSUM_AND_DASH = 9
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Shown(NamedTuple):
    """A key somebody has shown: its id, and all of it that is digested."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `pepper` names the pepper of its digests; `issue` counts its secrets from 1.

    `revision` is that of access when it was last changed.
    """

    id: str
    tenant: TenantId
    display_name: str
    subject: str
    roles: tuple[str, ...]
    condition: Condition
    tier: str
    pepper: str
    digest: bytes
    created_at: Instant
    created_by: str
    revision: int
    issue: int = 1
    expires_at: Instant | None = None
    former_digest: bytes | None = None
    former_expires_at: Instant | None = None
    rotated_at: Instant | None = None
    revoked_at: Instant | None = None
    revoke_reason: str = ""
    last_used_at: Instant | None = None

    def expired(self, now: Instant) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now

    def counts(self, now: Instant) -> bool:
        """Whether it lets anybody in."""
        return self.revoked_at is None and not self.expired(now)

    def rotated(self, digest: bytes, pepper: str, now: Instant, overlap: int) -> "ApiKey":
        """With another secret; the one before works for `overlap` microseconds more, if that has the same pepper."""
        stays = overlap > 0 and pepper == self.pepper
        return replace(
            self,
            digest=digest,
            pepper=pepper,
            issue=self.issue + 1,
            former_digest=self.digest if stays else None,
            former_expires_at=Instant(now + overlap) if stays else None,
            rotated_at=now,
        )

    def revoked(self, reason: str, now: Instant) -> "ApiKey":
        """Refused from now on, for ever."""
        return replace(self, revoked_at=now, revoke_reason=reason, former_digest=None, former_expires_at=None)


def key_id(unique: str) -> str:
    """The id of a new key from a UUID: the same 128 bits in 26 letters and digits, which sort alike."""
    number = int(unique.replace("-", ""), 16)
    return _written(number, _CROCKFORD, 26)


def body_of(id_: str, secret: bytes) -> str:
    """The part of a key that is digested, from its id and SECRET_BYTES random bytes."""
    return f"lim_{id_}_{_written(int.from_bytes(secret), _BASE62, 43)}"


def text_of(body: str) -> str:
    """The whole key."""
    return f"{body}_{_checksum(body)}"


def read(text: str) -> Shown | None:
    """What somebody shows, if it can be a key at all."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    body = text[:-_CHECKSUM_AND_DASH]
    return Shown(found[1], body) if text.endswith(_checksum(body)) else None


def digest(pepper: bytes, body: str) -> bytes:
    """What is kept of a key: HMAC-SHA256."""
    return hmac.digest(pepper, body.encode(), "sha256")


def name_of_pepper(pepper: bytes) -> str:
    """Tells peppers apart without telling anything of them."""
    return hmac.digest(pepper, b"name of this pepper", "sha256").hex()[:16]


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _written(number: int, digits: str, length: int) -> str:
    found = []
    for _ in range(length):
        number, rest = divmod(number, len(digits))
        found.append(digits[rest])
    return "".join(reversed(found))
