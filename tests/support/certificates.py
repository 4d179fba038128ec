"""Certificates of all sorts for one test: good ones, and each way in which one can be bad."""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from llm_incident_manager.adapters.certificates.making import (
    HOSTS,
    TRUST_DOMAIN,
    Authority,
    Issued,
    Span,
    service_uri,
    write,
)
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.domain.time import to_datetime

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Held:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path
    issued: Issued

    @property
    def pems(self) -> tuple[bytes, bytes]:
        """Key and certificate."""
        return self.issued.key_pem, self.issued.certificate_pem

    @property
    def fingerprint(self) -> str:
        """Its SHA-256, as operators name it."""
        return self.issued.certificate.fingerprint(hashes.SHA256()).hex()


@dataclass
class Papers:
    """An authority in a folder, and what it issues. `other` is one that nobody trusts."""

    folder: Path
    issued: int = 0
    authority: Authority = field(init=False)
    other: Authority = field(init=False)

    def __post_init__(self) -> None:
        """Writes the authority, and a server's certificate."""
        self.authority = Authority.new("Test CA", self.span())
        self.other = Authority.new("Other CA", self.span())
        write(self.ca, self.authority.own.certificate_pem, 0o644)
        self.server = self.held("server", self.authority.server(HOSTS, self.span()))

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    def span(self, begins: timedelta = -HOUR, ends: timedelta = HOUR) -> Span:
        """From and until when, counted from now."""
        now = to_datetime(SystemClock().now())
        return Span(now + begins, now + ends)

    def held(self, name: str, issued: Issued) -> Held:
        """Writes what was issued."""
        held = Held(self.folder / f"{name}.pem", self.folder / f"{name}-key.pem", issued)
        write(held.certificate, issued.certificate_pem, 0o644)
        write(held.key, issued.key_pem, 0o600)
        return held

    def client(self, name: str = "sentinel", span: Span | None = None, uri: str | None = None) -> Held:
        """A service's certificate, each time another one."""
        uri = service_uri(name) if uri is None else uri
        self.issued += 1
        return self.held(f"{name}-{self.issued}", self.authority.client(name, uri, span or self.span()))

    def expired(self) -> Held:
        """One that has ended."""
        return self.held(
            "expired", self.authority.client("sentinel", service_uri("sentinel"), self.span(ends=-HOUR / 2))
        )

    def not_yet_valid(self) -> Held:
        """One that has not begun."""
        span = self.span(begins=HOUR, ends=2 * HOUR)
        return self.held("early", self.authority.client("sentinel", service_uri("sentinel"), span))

    def of_another_authority(self) -> Held:
        """One of an authority that nobody trusts."""
        return self.held("foreign", self.other.client("sentinel", service_uri("sentinel"), self.span()))

    def for_servers(self) -> Held:
        """One that names a service and is for servers."""
        purpose = ExtendedKeyUsageOID.SERVER_AUTH
        return self.held("purpose", self.authority.client("sentinel", service_uri("sentinel"), self.span(), purpose))

    def renew_server(self, span: Span | None = None) -> None:
        """A new certificate and key in the same files, the key first: a server may look in between."""
        self.server = self.held("server", self.authority.server(HOSTS, span or self.span(ends=60 * 24 * HOUR)))

    def config(self, asked: str = "required", **more: object) -> str:
        """The section `tls` of a server's config.yaml; nobody has a limit."""
        lines = {
            "certificate_file": self.server.certificate,
            "key_file": self.server.key,
            "client_certificates": asked,
            "trust_domain": TRUST_DOMAIN,
            "reload_secs": 0.2,
            **({} if asked == "none" else {"client_ca_file": self.ca}),
            **more,
        }
        return "limits: {usual_tier: ''}\ntls:\n" + "".join(f"  {name}: {value}\n" for name, value in lines.items())

    def context(self, client: Held | None = None) -> ssl.SSLContext:
        """What an HTTP client needs."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if client is not None:
            context.load_cert_chain(client.certificate, client.key)
        return context
