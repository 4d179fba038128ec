"""Makes certificates for developers: an authority, a server's, and one for each service that calls it.

Not for production: the authority's key lies beside them, and nobody renews or revokes them.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from llm_incident_manager.domain.time import Instant, to_datetime

SERVICES = ("sentinel", "shield", "edge-agent", "governance", "operator")
"""Who gets a client certificate."""
TRUST_DOMAIN = "incidents.local"
HOSTS = ("localhost", "127.0.0.1", "::1")
VALID = timedelta(days=365)
BEFORE = timedelta(minutes=5)
"""They begin a little earlier than now, for machines whose clocks differ."""


class AlreadyThere(Exception):
    """A file that would be written exists."""

    def __init__(self, path: Path) -> None:
        """The first such file."""
        super().__init__(f"{path} exists: choose another directory, or give --force to replace what is there")
        self.path = path


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key, without a passphrase."""
        unencrypted = serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when a certificate is valid."""

    begins: datetime
    ends: datetime

    @classmethod
    def from_now(cls, now: Instant, length: timedelta = VALID) -> "Span":
        """So long, and a little before now."""
        moment = to_datetime(now)
        return cls(moment - BEFORE, moment + length)


@dataclass(frozen=True, slots=True)
class Authority:
    """Issues certificates."""

    own: Issued

    @classmethod
    def new(cls, name: str, span: Span) -> "Authority":
        """One of its own making."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        usage = _usage(signs_certificates=True)
        made = _builder(subject, subject, key, span).add_extension(constraints, critical=True)
        return cls(Issued(made.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key))

    def server(self, hosts: Sequence[str], span: Span) -> Issued:
        """For a server that is reached under these names and addresses."""
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        return self._issue(hosts[0], names, span, ExtendedKeyUsageOID.SERVER_AUTH)

    def client(
        self, name: str, uri: str, span: Span, purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH
    ) -> Issued:
        """For a client with this common name and, unless empty, this URI."""
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]) if uri else None
        return self._issue(name, names, span, purpose)

    def _issue(
        self, name: str, names: x509.SubjectAlternativeName | None, span: Span, purpose: x509.ObjectIdentifier
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        made = _builder(_name(name), self.own.certificate.subject, key, span)
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        made = made.add_extension(_usage(signs_certificates=False), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.own.key.public_key())
        made = made.add_extension(issuer, critical=False)
        if names is not None:
            made = made.add_extension(names, critical=False)
        return Issued(made.sign(self.own.key, hashes.SHA256()), key)


def service_uri(service: str, tenant: str = "default", trust_domain: str = TRUST_DOMAIN) -> str:
    """The SPIFFE id of a service."""
    return f"spiffe://{trust_domain}/tenant/{tenant}/service/{service}"


def make_development(
    folder: Path, now: Instant, *, hosts: Sequence[str] = (), tenant: str = "default", force: bool = False
) -> Sequence[Path]:
    """Writes all of them into a folder, which only its owner may enter, and returns their paths.

    `hosts` are names and addresses of the server beside those of this machine. Keys are readable by their owner alone.
    Raises AlreadyThere unless `force`, ValueError for a host that is none, and OSError.
    """
    span, authority = Span.from_now(now), Authority.new("LLM Incident Manager development CA", Span.from_now(now))
    issued = {"ca": authority.own, "server": authority.server(tuple(dict.fromkeys((*HOSTS, *hosts))), span)}
    issued |= {service: authority.client(service, service_uri(service, tenant), span) for service in SERVICES}
    files = [file for name, one in issued.items() for file in _files(folder, name, one)]
    if not force and (found := next((path for path, _, _ in files if path.exists()), None)) is not None:
        raise AlreadyThere(found)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, content, mode in files:
        write(path, content, mode)
    return [path for path, _, _ in files]


def write(path: Path, content: bytes, mode: int) -> None:
    """Replaces a file as a whole: whoever reads it just then gets the old one or the new one. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    beside.replace(path)


def _files(folder: Path, name: str, issued: Issued) -> list[tuple[Path, bytes, int]]:
    return [
        (folder / f"{name}.pem", issued.certificate_pem, 0o644),
        (folder / f"{name}-key.pem", issued.key_pem, 0o600),
    ]


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, span: Span
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(span.begins)
        .not_valid_after(span.ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host)
