"""TLS handshakes that fail, as operators see them: why, how often, and the first few of a second each with a line."""

import ssl
from enum import StrEnum
from time import monotonic  # paces log lines, and is no source of time

from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics

LINES_A_SECOND = 5
"""More than these are only counted: whoever scans ports must not fill the log."""


class Cause(StrEnum):
    """Why a handshake failed."""

    NO_CERTIFICATE = "no_certificate"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    UNKNOWN_AUTHORITY = "unknown_authority"
    WRONG_PURPOSE = "wrong_purpose"
    BAD_CERTIFICATE = "bad_certificate"
    VERSION = "version"
    NO_COMMON_PROTOCOL = "no_common_protocol"
    NOT_TLS = "not_tls"
    REFUSED_BY_CLIENT = "refused_by_client"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    OTHER = "other"


_VERIFY = {9: Cause.NOT_YET_VALID, 10: Cause.EXPIRED, 26: Cause.WRONG_PURPOSE} | dict.fromkeys(
    (2, 18, 19, 20, 21, 24, 27), Cause.UNKNOWN_AUTHORITY
)
"""By X509_V_ERR_…: the numbers are the same in OpenSSL and BoringSSL."""

_WORDS = (
    ("certificate has expired", Cause.EXPIRED),
    ("certificate is not yet valid", Cause.NOT_YET_VALID),
    ("unable to get local issuer", Cause.UNKNOWN_AUTHORITY),
    ("unable to get issuer", Cause.UNKNOWN_AUTHORITY),
    ("self signed certificate", Cause.UNKNOWN_AUTHORITY),
    ("self-signed certificate", Cause.UNKNOWN_AUTHORITY),
    ("unsupported certificate purpose", Cause.WRONG_PURPOSE),
    ("unsuitable certificate purpose", Cause.WRONG_PURPOSE),
    ("peer did not return a certificate", Cause.NO_CERTIFICATE),
    ("peer_did_not_return_a_certificate", Cause.NO_CERTIFICATE),
    ("certificate_verify_failed", Cause.BAD_CERTIFICATE),
    ("certificate verify failed", Cause.BAD_CERTIFICATE),
    ("unsupported protocol", Cause.VERSION),
    ("unsupported_protocol", Cause.VERSION),
    ("version too low", Cause.VERSION),
    ("wrong_version_number", Cause.NOT_TLS),
    ("wrong version number", Cause.NOT_TLS),
    ("http request", Cause.NOT_TLS),
    ("http_request", Cause.NOT_TLS),
    ("record layer failure", Cause.NOT_TLS),
    ("unexpected message", Cause.NOT_TLS),
    ("no shared cipher", Cause.NO_COMMON_PROTOCOL),
    ("no_shared_cipher", Cause.NO_COMMON_PROTOCOL),
    ("no_application_protocol", Cause.NO_COMMON_PROTOCOL),
    ("alert", Cause.REFUSED_BY_CLIENT),
    ("timed out", Cause.TIMEOUT),
    ("timeout", Cause.TIMEOUT),
    ("unexpected eof", Cause.CLOSED),
    ("connection reset", Cause.CLOSED),
    ("socket closed", Cause.CLOSED),
)
"""What OpenSSL and BoringSSL say, the more telling ones first."""


def cause_of(error: BaseException) -> Cause:
    """Why a handshake of Python's own failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY.get(error.verify_code, Cause.BAD_CERTIFICATE)
    if isinstance(error, ssl.SSLError):
        return cause_in(str(error))
    if "handshake is taking longer" in str(error) or isinstance(error, TimeoutError):
        return Cause.TIMEOUT
    return Cause.CLOSED if isinstance(error, OSError) else Cause.OTHER


def cause_in(text: str) -> Cause:
    """Why a handshake failed of which a library says this."""
    said = text.lower()
    return next((cause for words, cause in _WORDS if words in said), Cause.OTHER)


class Handshakes:
    """Counts those that failed, and logs as many as anybody can read. May be used from any thread."""

    def __init__(self, metrics: Metrics, *, modern: bool = True) -> None:
        """None yet. `modern` where nothing older than TLS 1.3 is spoken."""
        self._metrics, self._modern = metrics, modern
        self._log = logs.get("tls")
        self._second, self._lines, self._unsaid = 0, 0, 0

    def said(self, words: str) -> bool:
        """What the gRPC core says; whether that was of a handshake. Where nothing older than TLS 1.3 is spoken,
        whoever finds no common cipher has tried to."""
        if "Handshake failed" not in words:
            return False
        cause = cause_in(words.rpartition("OPENSSL_internal:")[2])
        self.failed("grpc", Cause.VERSION if cause is Cause.NO_COMMON_PROTOCOL and self._modern else cause, "", words)
        return True

    def failed(self, transport: str, cause: Cause, peer: str = "", detail: str = "") -> None:
        """`transport` is grpc or http. The `peer` is empty where nobody knows it."""
        self._metrics.handshake_failed(transport, cause)
        second = int(monotonic())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > LINES_A_SECOND:
            self._unsaid += 1
            return
        fields: dict[str, object] = {"transport": transport, "cause": str(cause), "detail": detail[:300]}
        if peer:
            fields["peer"] = peer
        if self._unsaid:
            fields["unsaid"], self._unsaid = self._unsaid, 0
        self._log.info("tls.handshake_failed", **fields)
