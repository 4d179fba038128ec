"""Certificates as files: what is good is read as it is, and each way to be bad is named with its setting and remedy."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from llm_incident_manager.adapters.certificates import making, reading
from llm_incident_manager.adapters.certificates.files import CredentialFiles
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.domain.time import from_datetime
from llm_incident_manager.ports.credentials import BadCredentials
from tests.support.certificates import HOUR, Held, Papers


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


def files(papers: Papers) -> CredentialFiles:
    return CredentialFiles(papers.server.certificate, papers.server.key, papers.ca)


def der(held: Held) -> bytes:
    return held.issued.certificate.public_bytes(serialization.Encoding.DER)


def test_good_files_are_read_as_they_are(papers: Papers) -> None:
    held = files(papers).read(SystemClock().now())
    assert (held.certificate, held.key) == (papers.server.certificate.read_bytes(), papers.server.key.read_bytes())
    assert held.authorities == papers.ca.read_bytes()
    assert held.certificate_ends == from_datetime(papers.server.issued.certificate.not_valid_after_utc)
    assert "PRIVATE" not in repr(held)


def missing(papers: Papers) -> None:
    papers.server.certificate.unlink()


def no_pem(papers: Papers) -> None:
    papers.server.certificate.write_text("certificate")


def ended(papers: Papers) -> None:
    papers.renew_server(papers.span(ends=-HOUR / 2))


def not_begun(papers: Papers) -> None:
    papers.renew_server(papers.span(begins=HOUR, ends=2 * HOUR))


def for_clients(papers: Papers) -> None:
    papers.server = papers.held("server", papers.authority.client("x", "", papers.span()))


def an_authority(papers: Papers) -> None:
    papers.server = papers.held("server", papers.authority.own)


def key_of_another(papers: Papers) -> None:
    papers.server.key.write_bytes(papers.client().issued.key_pem)


def no_key(papers: Papers) -> None:
    papers.server.key.write_bytes(papers.server.certificate.read_bytes())


def passphrase(papers: Papers) -> None:
    kind, secret = serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    papers.server.key.write_bytes(papers.server.issued.key.private_bytes(serialization.Encoding.PEM, kind, secret))


def no_authority(papers: Papers) -> None:
    papers.ca.write_bytes(papers.ca.read_bytes() + papers.client().issued.certificate_pem)


def ended_authorities(papers: Papers) -> None:
    old = making.Authority.new("Old CA", papers.span(ends=-HOUR / 2))
    papers.ca.write_bytes(old.own.certificate_pem)


BAD: dict[Callable[[Papers], None], tuple[str, str]] = {
    missing: ("tls.certificate_file", "No such file or directory: give the path of a PEM file"),
    no_pem: ("tls.certificate_file", "it holds no certificate in PEM"),
    ended: ("tls.certificate_file", "the certificate has ended on 20"),
    not_begun: ("tls.certificate_file", "the certificate begins on 20"),
    for_clients: ("tls.certificate_file", "the certificate is not for servers"),
    an_authority: ("tls.certificate_file", "is an authority's"),
    key_of_another: ("tls.key_file", "it is not the key of the certificate"),
    no_key: ("tls.key_file", "it holds no private key in PEM"),
    passphrase: ("tls.key_file", "the key has a passphrase"),
    no_authority: ("tls.client_ca_file", "the certificate 'sentinel' in it is no authority's"),
    ended_authorities: ("tls.client_ca_file", "all authorities in it have ended"),
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
def test_bad_files_are_refused(papers: Papers, spoil: Callable[[Papers], None]) -> None:
    spoil(papers)
    key, remedy = BAD[spoil]
    with pytest.raises(BadCredentials) as refused:
        files(papers).read(SystemClock().now())
    assert refused.value.key == key
    assert remedy in refused.value.remedy
    assert str(papers.folder) in refused.value.value


def test_what_counts_of_a_certificate(papers: Papers) -> None:
    held = papers.client("shield")
    found = reading.certificate(der(held))
    assert found.uris == ("spiffe://incidents.local/tenant/default/service/shield",)
    assert found.common_name == "shield"
    assert (found.for_clients, found.for_servers, found.authority) == (True, False, False)
    assert not reading.certificate(der(papers.for_servers())).for_clients
    assert reading.summary(papers.authority.own.certificate).authority


@pytest.mark.parametrize("junk", [b"", b"\x30\x00", b"-----BEGIN CERTIFICATE-----"])
def test_what_is_no_certificate_is_a_value_error(junk: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        reading.certificate(junk)


def test_development_certificates_are_private_and_never_replaced_by_accident(tmp_path: Path) -> None:
    folder, now = tmp_path / "certs", SystemClock().now()
    made = making.make_development(folder, now, hosts=["incidents.example.com", "192.0.2.7"])
    assert {path.name for path in made} == {
        f"{name}{end}.pem" for name in ("ca", "server", *making.SERVICES) for end in ("", "-key")
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.stem.endswith("-key")} == {0o600}
    CredentialFiles(folder / "server.pem", folder / "server-key.pem", folder / "ca.pem").read(now)
    before = {path: path.read_bytes() for path in made}
    with pytest.raises(making.AlreadyThere, match=r"ca\.pem exists: choose another directory, or give --force"):
        making.make_development(folder, now)
    assert {path: path.read_bytes() for path in made} == before
    making.make_development(folder, now, force=True)
    assert all(path.read_bytes() != content for path, content in before.items())
