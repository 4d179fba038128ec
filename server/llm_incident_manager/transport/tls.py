"""What both doors show and ask for on TLS connections. Read anew when its files change: new connections get the new
ones, open ones keep what they have, and files that are no good change nothing."""

import asyncio
import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.time import DAY, SECOND, rfc3339
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.credentials import BadCredentials, Credentials, KeepsCredentials
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.handshakes import Handshakes

EXPIRES_SOON = 14 * DAY
"""From then on readiness tells it; of certificates that are short-lived from a tenth of their time on."""
SAY_AGAIN_SECONDS = 60.0
"""Between two log lines that say the same of files that are no good."""

Asked = Literal["none", "optional", "required"]


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """What is spoken, and whether client certificates are asked for. `reload_secs` between two looks at the files."""

    asked: Asked = "none"
    least: Literal["1.3", "1.2"] = "1.3"
    reload_secs: float = 5.0


class ServerTls:
    """TLS of one server."""

    def __init__(self, policy: TlsPolicy, keeper: KeepsCredentials, clock: Clock, metrics: Metrics) -> None:
        """Reads the files. Raises BadCredentials."""
        self.policy = policy
        self.handshakes = Handshakes(metrics, modern=policy.least == "1.3")
        self._keeper, self._clock, self._metrics = keeper, clock, metrics
        self._log = logs.get("tls")
        self._bad: BadCredentials | None = None
        self._said_at = 0
        self.credentials = keeper.read(clock.now())
        self._context = context_of(self.credentials, policy)
        self._tell_expiry()
        ends = rfc3339(self.credentials.certificate_ends)
        self._log.info("tls.in_use", certificate_ends=ends, client_certificates=policy.asked, least=policy.least)

    def context(self) -> ssl.SSLContext:
        """For the next connection over HTTP."""
        return self._context

    async def run(self) -> None:
        """Looks at the files again and again, until cancelled."""
        while True:
            await self._clock.sleep(self.policy.reload_secs)
            await self.look()

    async def look(self) -> None:
        """Takes over what the files hold now, if that is new and good."""
        now = self._clock.now()
        try:
            found = await asyncio.to_thread(self._keeper.read, now)
            if found != self.credentials:
                self._take(found)
            self._bad = None
        except BadCredentials as bad:
            self._refuse(bad)
        self._tell_expiry()

    async def check(self) -> None:
        """For readiness. Raises DomainError when the files are no good, or the certificate ends soon."""
        if self._bad is not None:
            raise DomainError(
                ErrorReason.NOT_CONFIGURED, f"the former credentials stay in use: {self._bad.key}: {self._bad.remedy}"
            )
        begins, ends = self.credentials.certificate_begins, self.credentials.certificate_ends
        left = ends - self._clock.now()
        if left < min(EXPIRES_SOON, (ends - begins) // 10):
            message = f"the certificate {'has ended' if left < 0 else 'ends'} on {rfc3339(ends)}: replace its file"
            raise DomainError(ErrorReason.NOT_CONFIGURED, message)

    def _take(self, found: Credentials) -> None:
        try:
            self._context = context_of(found, self.policy)
        except ssl.SSLError as error:
            raise BadCredentials("tls.certificate_file", "(new)", f"OpenSSL does not take it: {error}") from error
        self.credentials = found
        self._metrics.tls_reloaded("used")
        self._log.info("tls.reloaded", certificate_ends=rfc3339(found.certificate_ends))

    def _refuse(self, bad: BadCredentials) -> None:
        again = self._bad is not None and str(self._bad) == str(bad)
        now = self._clock.now()
        if not again:
            self._metrics.tls_reloaded("refused")
        if not again or now - self._said_at >= SAY_AGAIN_SECONDS * SECOND:
            self._said_at = now
            meaning = "the former credentials stay in use"
            self._log.error("tls.reload_failed", setting=bad.key, value=bad.value, remedy=bad.remedy, meaning=meaning)
        self._bad = bad

    def _tell_expiry(self) -> None:
        now, held = self._clock.now(), self.credentials
        self._metrics.certificate_expires("server", (held.certificate_ends - now) / SECOND)
        if held.authorities_end is not None:
            self._metrics.certificate_expires("client_ca", (held.authorities_end - now) / SECOND)


def context_of(held: Credentials, policy: TlsPolicy) -> ssl.SSLContext:
    """OpenSSL's view of them, for HTTP/1.1. Raises ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if policy.least == "1.3" else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0  # a resumed session would bring back a certificate that was checked long ago
    context.set_alpn_protocols(["http/1.1"])
    with _as_file(held.certificate) as certificate, _as_file(held.key) as key:
        context.load_cert_chain(certificate, key)
    if policy.asked != "none":
        context.load_verify_locations(cadata=held.authorities.decode("ascii", "replace"))
        context.verify_mode = ssl.CERT_REQUIRED if policy.asked == "required" else ssl.CERT_OPTIONAL
    return context


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """A path that OpenSSL can read the bytes from, which have been checked: in memory where the system can do that,
    else a file that only we can read, for as long as it takes."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("credentials", os.MFD_CLOEXEC)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{descriptor}"
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            yield file.name
