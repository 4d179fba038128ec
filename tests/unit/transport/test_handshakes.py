"""Handshakes that fail: their cause in one word whichever library tells of it, and no flood of lines."""

import io
import json
import os
import sys

import pytest

from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport import handshakes
from llm_incident_manager.transport.handshakes import Cause, Handshakes
from llm_incident_manager.transport.rpc import core_log, environment
from llm_incident_manager.transport.rpc.core_log import CoreLog

CORE = "Handshake failed with error SSL_ERROR_SSL: error:1000007d:SSL routines:OPENSSL_internal:"
SAID = {
    "CERTIFICATE_VERIFY_FAILED: certificate has expired": Cause.EXPIRED,
    "CERTIFICATE_VERIFY_FAILED: certificate is not yet valid": Cause.NOT_YET_VALID,
    "CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate": Cause.UNKNOWN_AUTHORITY,
    "CERTIFICATE_VERIFY_FAILED: unsupported certificate purpose": Cause.WRONG_PURPOSE,
    "CERTIFICATE_VERIFY_FAILED: certificate signature failure": Cause.BAD_CERTIFICATE,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE: Invalid certificate verification context": Cause.NO_CERTIFICATE,
    "HTTP_REQUEST: Invalid certificate verification context": Cause.NOT_TLS,
    "WRONG_VERSION_NUMBER: Invalid certificate verification context": Cause.NOT_TLS,
    "UNSUPPORTED_PROTOCOL: Invalid certificate verification context": Cause.VERSION,
    "NO_SHARED_CIPHER: Invalid certificate verification context": Cause.NO_COMMON_PROTOCOL,
    "SSLV3_ALERT_BAD_CERTIFICATE: Invalid certificate verification context": Cause.REFUSED_BY_CLIENT,
    "TLSV1_ALERT_UNKNOWN_CA: Invalid certificate verification context": Cause.REFUSED_BY_CLIENT,
    "SOMETHING_NEW: ok": Cause.OTHER,
}


@pytest.mark.parametrize(("words", "cause"), SAID.items())
def test_what_the_core_says_has_a_cause(words: str, cause: Cause) -> None:
    assert handshakes.cause_in(words) is cause


def page(metrics: Metrics) -> list[str]:
    return [line for line in metrics.page().body.decode().splitlines() if "handshakes_failed_total{" in line]


def test_the_core_is_understood_and_a_client_without_a_common_cipher_is_an_old_one() -> None:
    metrics = Metrics("test")
    modern = Handshakes(metrics)
    assert modern.said(CORE + "NO_SHARED_CIPHER: ok")
    assert modern.said(CORE + "CERTIFICATE_VERIFY_FAILED: certificate has expired")
    assert not modern.said("Using polling engine: epoll1")
    assert page(metrics) == [
        'incident_manager_tls_handshakes_failed_total{cause="version",transport="grpc"} 1.0',
        'incident_manager_tls_handshakes_failed_total{cause="expired",transport="grpc"} 1.0',
    ]


def test_a_flood_is_counted_and_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    written, second = io.StringIO(), [100.0]
    logs.configure("info", "json", written)
    monkeypatch.setattr(handshakes, "monotonic", lambda: second[0])
    metrics = Metrics("test")
    seen = Handshakes(metrics)
    for _ in range(1_000):
        seen.failed("http", Cause.CLOSED, "192.0.2.7:1", "gone")
    second[0] += 1
    seen.failed("http", Cause.CLOSED)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert len(lines) == handshakes.LINES_A_SECOND + 1
    assert lines[-1]["unsaid"] == 1_000 - handshakes.LINES_A_SECOND
    assert page(metrics)[0].endswith(" 1001.0")


def test_lines_of_the_core_are_taken_from_standard_error_and_others_go_on() -> None:
    reading, writing = os.pipe()
    before, python = os.dup(2), sys.stderr
    os.dup2(writing, 2)
    heard: list[str] = []
    core = CoreLog()
    try:
        core.open()

        def hear(words: str) -> bool:
            heard.append(words)
            return "Handshake failed" in words

        core.handshake = hear
        os.write(2, b"I1122 10:45:10.742773     400 ssl_transport_security.cc:2563] Handshake failed with error\n")
        os.write(2, b"Fatal Python error: of somebody else\n")
        core.close()
        went_on = os.read(reading, 1_000)
    finally:
        os.dup2(before, 2)
        sys.stderr.close()
        sys.stderr = python
        for descriptor in (reading, writing, before):
            os.close(descriptor)
    assert went_on == b"Fatal Python error: of somebody else\n"
    assert heard == ["Handshake failed with error"]


def test_a_line_of_the_core() -> None:
    line = "E0000 00:00:1763807.123456   32767 chttp2_server.cc:102] it fails\n"
    assert core_log.parsed(line) == ("E", "chttp2_server.cc:102", "it fails")
    assert core_log.parsed("Error: something else") is None


def test_the_core_is_prepared_for_tls_only() -> None:
    given: dict[str, str] = {}
    environment.prepare(tls=False, least="1.3", environment=given)
    assert given == {}
    environment.prepare(tls=True, least="1.2", environment=given)
    assert given == {"GRPC_VERBOSITY": "INFO"}
    own = {"GRPC_VERBOSITY": "DEBUG"}
    environment.prepare(tls=True, least="1.3", environment=own)
    assert own == {"GRPC_VERBOSITY": "DEBUG", "GRPC_SSL_CIPHER_SUITES": environment.NO_CIPHER}
