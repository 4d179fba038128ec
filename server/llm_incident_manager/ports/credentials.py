"""What a server shows on TLS connections, and whom it trusts there, as somebody keeps it for us."""

from dataclasses import dataclass
from typing import Protocol

from llm_incident_manager.domain.certificates import Certificate
from llm_incident_manager.domain.time import Instant


@dataclass(frozen=True, slots=True)
class Credentials:
    """PEM as it was read and found good: our certificate with those between it and the root, its key, and the
    authorities whose client certificates count (empty where none is asked for). When the first of our own certificates
    ends, when ours began, and when the last authority ends: until then some clients are let in."""

    certificate: bytes
    key: bytes
    authorities: bytes
    certificate_begins: Instant
    certificate_ends: Instant
    authorities_end: Instant | None = None

    def __repr__(self) -> str:
        """Never shows the key."""
        return f"Credentials(certificate_ends={self.certificate_ends})"


class BadCredentials(Exception):
    """They cannot be used. Names the setting, its value, and what to do."""

    def __init__(self, key: str, value: str, remedy: str) -> None:
        """For instance "tls.key_file", "/etc/tls/key.pem", "give the key of this certificate"."""
        super().__init__(f"{key} = {value}: {remedy}")
        self.key = key
        self.value = value
        self.remedy = remedy


class KeepsCredentials(Protocol):
    """Reads what is there now."""

    def read(self, now: Instant) -> Credentials:
        """Raises BadCredentials. Blocks while it reads files."""
        ...


class ReadsCertificates(Protocol):
    """Understands certificates."""

    def __call__(self, der: bytes) -> Certificate:
        """What counts of it. Raises ValueError when it is none."""
        ...
