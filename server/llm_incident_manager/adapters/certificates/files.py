"""The files of our certificate, its key and the authorities we trust: read together, refused unless all are good."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from llm_incident_manager.adapters.certificates import reading
from llm_incident_manager.domain.certificates import Certificate
from llm_incident_manager.domain.time import Instant, rfc3339
from llm_incident_manager.ports.credentials import BadCredentials, Credentials

MOST_BYTES = 1024 * 1024
"""Of one file: whole bundles of public authorities are smaller."""

_CERTIFICATE, _KEY, _AUTHORITIES = "tls.certificate_file", "tls.key_file", "tls.client_ca_file"


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """Where they are. `authorities` only where client certificates are asked for."""

    certificate: Path
    key: Path
    authorities: Path | None = None

    def read(self, now: Instant) -> Credentials:
        """What the files hold now. Raises BadCredentials for the first thing that is wrong."""
        chain_pem, key_pem = _read(_CERTIFICATE, self.certificate), _read(_KEY, self.key)
        own, *_ = chain = _certificates(_CERTIFICATE, self.certificate, chain_pem)
        _check_own(self.certificate, reading.summary(own), now)
        _check_key(self.key, own, key_pem)
        trusted, trusted_end = b"", None
        if self.authorities is not None:
            trusted = _read(_AUTHORITIES, self.authorities)
            issuers = [reading.summary(one) for one in _certificates(_AUTHORITIES, self.authorities, trusted)]
            _check_authorities(self.authorities, issuers, now)
            trusted_end = max(issuer.not_after for issuer in issuers)
        ends = min(reading.summary(one).not_after for one in chain)
        begins = reading.summary(own).not_before
        return Credentials(chain_pem, key_pem, trusted, begins, ends, trusted_end)


def _read(key: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise _bad(key, path, f"{why}: give the path of a PEM file that this server may read") from error
    if len(content) > MOST_BYTES:
        raise _bad(key, path, f"it has more than {MOST_BYTES} bytes: give a PEM file")
    return content


def _certificates(key: str, path: Path, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        remedy = "it holds no certificate in PEM: give a file with -----BEGIN CERTIFICATE-----"
        raise _bad(key, path, remedy) from error


def _check_own(path: Path, own: Certificate, now: Instant) -> None:
    if now > own.not_after:
        raise _bad(_CERTIFICATE, path, f"the certificate has ended on {rfc3339(own.not_after)}: give a new one")
    if now < own.not_before:
        remedy = (
            f"the certificate begins on {rfc3339(own.not_before)}: give one that is valid, or set this machine's clock"
        )
        raise _bad(_CERTIFICATE, path, remedy)
    if own.authority:
        remedy = "the first certificate is an authority's: begin with the server's own"
        raise _bad(_CERTIFICATE, path, remedy)
    if not own.for_servers:
        remedy = "the certificate is not for servers: give one with the extended key usage serverAuth"
        raise _bad(_CERTIFICATE, path, remedy)


def _check_key(path: Path, own: x509.Certificate, pem: bytes) -> None:
    if _public(_private(path, pem).public_key()) != _public(own.public_key()):
        raise _bad(
            _KEY, path, "it is not the key of the certificate in tls.certificate_file: give the one it was made with"
        )


def _private(path: Path, pem: bytes) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise _bad(_KEY, path, "the key has a passphrase, and nobody is there to type it: store it without") from error
    except ValueError as error:
        raise _bad(
            _KEY, path, "it holds no private key in PEM: give a file with -----BEGIN PRIVATE KEY-----"
        ) from error


def _public(key: object) -> bytes:
    found: bytes = key.public_bytes(  # type: ignore[attr-defined]  # all sorts of keys have it
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


def _check_authorities(path: Path, issuers: list[Certificate], now: Instant) -> None:
    for place, issuer in enumerate(issuers, 1):
        if not issuer.authority:
            name = issuer.common_name or f"number {place}"
            remedy = (
                f"the certificate {name!r} in it is no authority's and may issue none: give those that issue clients'"
            )
            raise _bad(_AUTHORITIES, path, remedy)
    if all(now > issuer.not_after for issuer in issuers):
        raise _bad(_AUTHORITIES, path, "all authorities in it have ended: give valid ones")


def _bad(key: str, path: Path, remedy: str) -> BadCredentials:
    return BadCredentials(key, str(path), remedy)
