"""TLS of the HTTP port: each connection shakes hands with what is shown at that moment, within a deadline, and why that
fails is known, and with whom. Then uvicorn's protocol takes over as if it had been there from the beginning."""

import asyncio
import errno
import socket
from collections.abc import Callable

from llm_incident_manager.telemetry import logs
from llm_incident_manager.transport.handshakes import cause_of
from llm_incident_manager.transport.tls import ServerTls

GOODBYE_SECONDS = 1.0
"""How long a client may take to answer our goodbye; then the connection is closed without."""
AT_ONCE = 100
"""Most connections that are accepted before something else gets its turn."""
OUT_OF_MEANS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
BREATH_SECONDS = 1.0
"""Without descriptors or memory, until the next try."""


class TlsListener:
    """Takes the connections of a socket that listens."""

    def __init__(
        self, listener: socket.socket, tls: ServerTls, seconds: float, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        """`seconds` for a handshake; `protocol` makes what comes after it. Takes none yet."""
        self._listener, self._tls, self._seconds, self._protocol = listener, tls, seconds, protocol
        self._loop = asyncio.get_running_loop()
        self._greetings: set[asyncio.Task[None]] = set()
        self._breath: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Takes them from now on."""
        self._loop.add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Takes no more, and ends handshakes that are under way."""
        self._loop.remove_reader(self._listener)
        if self._breath is not None:
            self._breath.cancel()
        for greeting in self._greetings:
            greeting.cancel()
        self._listener.close()

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                accepted, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(error)
                return
            accepted.setblocking(False)
            greeting = self._loop.create_task(self._greet(accepted, f"{peer[0]}:{peer[1]}"), name="http-tls")
            self._greetings.add(greeting)
            greeting.add_done_callback(self._greetings.discard)

    def _pause(self, error: OSError) -> None:
        if error.errno not in OUT_OF_MEANS:
            raise error
        logs.get("tls").error("tls.accept_failed", why=error.strerror, again_in=BREATH_SECONDS)
        self._loop.remove_reader(self._listener)
        self._breath = self._loop.call_later(BREATH_SECONDS, self.start)

    async def _greet(self, accepted: socket.socket, peer: str) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._protocol,
                accepted,
                ssl=self._tls.context(),
                ssl_handshake_timeout=self._seconds,
                ssl_shutdown_timeout=GOODBYE_SECONDS,
            )
        except OSError as error:  # those of TLS are such as well; the transport has closed the socket
            self._tls.handshakes.failed("http", cause_of(error), peer, str(error))
