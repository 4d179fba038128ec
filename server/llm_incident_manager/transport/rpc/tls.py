"""TLS of the gRPC port: the library's own, so that its bytes never pass through Python."""

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias, cast

import grpc

from llm_incident_manager.ports.credentials import Credentials
from llm_incident_manager.transport.tls import ServerTls

REMEMBERED = 4_096
QUIET_SECONDS = 0.1
"""Before and after the library takes another certificate no handshake may begin; it needs a millisecond or two."""

Configuration: TypeAlias = "grpc.ServerCertificateConfiguration"


def credentials(tls: ServerTls, *, required: bool) -> grpc.ServerCredentials:
    """Asks for client certificates or does not; the library can do no third thing. Follows changes of `tls`."""
    turnover = Turnover(lambda: tls.credentials)
    fetch = cast("Callable[[], Configuration]", turnover.fetch)  # the stub forgets that None means no change
    return grpc.dynamic_ssl_server_credentials(turnover.first, fetch, require_client_authentication=required)


class Turnover:
    """Gives the library another certificate when there is one, while no handshake begins.

    It replaces what its threads make handshakes from without a lock around both (grpc/grpc#36693): a handshake that
    begins at that moment uses what was freed, and the process ends. So it gets none that it has, and another one only
    when those that asked before have begun and those that come wait.
    """

    def __init__(self, current: Callable[[], Credentials], quiet: float = QUIET_SECONDS) -> None:
        """`first` is what `current` gives now."""
        self._current = current
        self._quiet = quiet
        self._given = current()
        self._lock = threading.Lock()
        self._settled = 0.0
        self.first = _configuration(self._given)

    def fetch(self) -> "Configuration | None":
        """What to use from now on; None: what there is. Called by a thread of the library before each handshake."""
        with self._lock:
            if (wait := self._settled - time.monotonic()) > 0:
                time.sleep(wait)
            now = self._current()
            if now is self._given:
                return None
            made = _configuration(now)
            time.sleep(self._quiet)
            self._given, self._settled = now, time.monotonic() + self._quiet
            return made


def _configuration(held: Credentials) -> Configuration:
    return grpc.ssl_server_certificate_configuration([(held.key, held.certificate)], held.authorities or None)


def shown(context: Mapping[str, Iterable[bytes]]) -> tuple[bytes, str]:
    """The client's certificate in DER and the TLS version, of a call's auth context; both empty without TLS."""
    pem = next(iter(context.get("x509_pem_cert", ())), b"")
    return (_der(pem) if pem else b"", next(iter(context.get("ssl_tls_version", ())), b"").decode())


@lru_cache(REMEMBERED)
def _der(pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.decode("ascii").strip())
