"""What the gRPC core reads from the environment once, when it is loaded: so this comes before, and loads nothing."""

import os
from collections.abc import MutableMapping
from typing import Literal

VERBOSITY = "GRPC_VERBOSITY"
CIPHERS = "GRPC_SSL_CIPHER_SUITES"
NO_CIPHER = "ECDHE-PSK-CHACHA20-POLY1305"
"""The core has no option for the oldest version of TLS. TLS 1.3 brings its own ciphers; of those of older versions it
is left one that nobody can agree on, since it needs a secret known to both sides and the server has none."""


def prepare(*, tls: bool, least: Literal["1.3", "1.2"], environment: MutableMapping[str, str] = os.environ) -> None:
    """For a server with `tls`: handshakes that fail are told (see core_log), and none is older than `least`."""
    if not tls:
        return
    environment.setdefault(VERBOSITY, "INFO")
    if least == "1.3":
        environment[CIPHERS] = NO_CIPHER
