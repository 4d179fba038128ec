"""Ports for servers that are started beside others."""

import fcntl
import os
import socket
import tempfile
from itertools import chain
from pathlib import Path

FIRST, LAST = 20_000, 32_767
"""Above the well-known ones, and below those that Linux gives to outgoing connections: no client takes one of them."""


def free_port() -> int:
    """A port of the loopback address that nobody listens on at this moment.

    All processes of a user go round in turn, through a file: nobody else is given the port before it is listened on,
    nor while its server is down for a while. Raises RuntimeError when every port is taken.
    """
    turns = Path(tempfile.gettempdir(), f"llm-incident-manager-ports-{os.getuid()}")
    with turns.open("a+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        last = int(file.read() or FIRST)
        for port in chain(range(last + 1, LAST + 1), range(FIRST, last + 1)):
            if _is_free(port):
                file.truncate(0)
                file.write(str(port))
                return port
    raise RuntimeError(f"no port from {FIRST} to {LAST} is free: end some of the servers that listen there")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
