"""Addresses to listen on: taken by one server only, or by its workers together and nobody else."""

import socket
from dataclasses import dataclass
from pathlib import Path

BACKLOG = 1_024


class PortTaken(Exception):
    """Another process listens there, or the address is not this machine's."""

    def __init__(self, address: str, what: str, setting: str) -> None:
        """`what` is the protocol, `setting` names the environment variables that choose the address."""
        super().__init__(
            f"cannot listen on {address} for {what}: another process has it, or the address is not this machine's; "
            f"stop that process or set {setting}"
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Which of several workers this process is, and where the others are."""

    number: int
    folder: Path

    @property
    def socket(self) -> Path:
        """Where this worker answers the others; it is there once the worker serves."""
        return self.folder / f"worker-{self.number}.sock"


def listening(host: str, port: int, *, shared: bool) -> socket.socket:
    """A socket that listens; `shared` with the other workers of this server. Raises OSError."""
    return _bound(host, port, shared=shared, backlog=BACKLOG)


def reserve(host: str, port: int) -> socket.socket:
    """A socket that keeps an address for workers to share, and takes no connections. Raises OSError.

    Two servers with workers would share an address without noticing: so it is first taken for ourselves alone, and
    then in a way that lets nobody else do that.
    """
    _bound(host, port, shared=False).close()
    bound = _bound(host, port, shared=True)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return bound


def _bound(host: str, port: int, *, shared: bool, backlog: int = 0) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
        if backlog:
            bound.listen(backlog)
            bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound
