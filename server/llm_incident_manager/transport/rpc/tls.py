"""TLS of the gRPC port: the library's own, so that its bytes never pass through Python."""

import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache

import grpc

from llm_incident_manager.ports.credentials import Credentials
from llm_incident_manager.transport.tls import ServerTls

REMEMBERED = 4_096


def credentials(tls: ServerTls, *, required: bool) -> grpc.ServerCredentials:
    """Asks for client certificates or does not; the library can do no third thing. Follows changes of `tls`."""
    shown = tls.credentials
    latest = _configuration(shown)

    def fetch() -> "grpc.ServerCertificateConfiguration":
        """Called by a thread of the library before each handshake."""
        nonlocal shown, latest
        if tls.credentials is not shown:
            shown = tls.credentials
            latest = _configuration(shown)
        return latest

    return grpc.dynamic_ssl_server_credentials(latest, fetch, require_client_authentication=required)


def _configuration(held: Credentials) -> "grpc.ServerCertificateConfiguration":
    return grpc.ssl_server_certificate_configuration([(held.key, held.certificate)], held.authorities or None)


def shown(context: Mapping[str, Iterable[bytes]]) -> tuple[bytes, str]:
    """The client's certificate in DER and the TLS version, of a call's auth context; both empty without TLS."""
    pem = next(iter(context.get("x509_pem_cert", ())), b"")
    return (_der(pem) if pem else b"", next(iter(context.get("ssl_tls_version", ())), b"").decode())


@lru_cache(REMEMBERED)
def _der(pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.decode("ascii").strip())
