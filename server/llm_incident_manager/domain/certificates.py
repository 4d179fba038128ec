"""Certificates as decisions see them, and the rules that say whose a client's certificate is. Reads none."""

import re
from dataclasses import dataclass

from llm_incident_manager.domain.time import Instant

SPIFFE = "spiffe://"
TOKEN = re.compile(r"\{([a-z][a-z0-9_]*)\}|\*")
"""What stands for any part in a pattern: `{name}`, which keeps it, or `*`."""
TENANT = re.compile(r"[a-z][a-z0-9-]{0,62}")
"""What a tenant may be called."""


def names_in(pattern: str) -> frozenset[str]:
    """The names of the parts that a pattern keeps."""
    return frozenset(found[1] for found in TOKEN.finditer(pattern) if found[1])


@dataclass(frozen=True, slots=True)
class Certificate:
    """What counts of a certificate.

    `fingerprint` is the SHA-256 of its DER form (32 bytes). `for_clients` and `for_servers` tell whether it may be
    shown by a client or a server: one that names no purpose may be used for any. `authority` may issue others.
    """

    fingerprint: bytes
    not_before: Instant
    not_after: Instant
    uris: tuple[str, ...] = ()
    common_name: str = ""
    for_clients: bool = True
    for_servers: bool = True
    authority: bool = False


@dataclass(frozen=True, slots=True)
class IdentityRule:
    """Whose certificates are: those with a URI, or with a common name, of this pattern.

    In a pattern `{name}` stands for any part between slashes and keeps it, for use in `tenant` and `subject`; `*`
    stands for any part and does not. An empty `subject` is the whole URI or common name. `tier` names a limit.
    """

    uri: str = ""
    common_name: str = ""
    tenant: str = "default"
    subject: str = ""
    roles: frozenset[str] = frozenset()
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Whose:
    """Who shows a certificate, as a rule has it."""

    tenant: str
    subject: str
    roles: frozenset[str]
    tier: str = ""
