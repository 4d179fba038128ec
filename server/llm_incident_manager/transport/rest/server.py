"""The HTTP server: uvicorn in this process's loop, with limits, and an end that finishes what is under way."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn

from llm_incident_manager.config.sections import Api, Watch
from llm_incident_manager.config.websocket_section import WebSocket
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.listening import PortTaken, listening
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest import protocol, tls, upgraded
from llm_incident_manager.transport.rest.app import NO_SOCKETS, Application, RestApp
from llm_incident_manager.transport.rest.pages import Told
from llm_incident_manager.transport.tls import ServerTls

SEND_BUFFER_BYTES = 128 * 1024
"""What the system may keep of an answer that is not taken, for each connection; it doubles the number."""
USUAL_WEBSOCKET = WebSocket()
LAST_WORDS_SECONDS = 2.0
"""After a subscriber was cut off: in case it reads on just then, it hears why."""


@dataclass(frozen=True, slots=True)
class RestSettings:
    """Where to listen and what to take."""

    host: str = "127.0.0.1"
    port: int = 3000
    max_body_bytes: int = 4 * 1024 * 1024
    request_timeout: float = 8.0
    patience: float = 20.0
    shared_port: bool = False
    websocket: WebSocket = USUAL_WEBSOCKET

    @classmethod
    def of(cls, api: Api, watch: Watch, websocket: WebSocket, *, shared_port: bool = False) -> "RestSettings":
        """As these sections have them; `shared_port` with the other workers of this server."""
        limits = (api.max_body_bytes, api.request_timeout_secs, watch.slow_after_secs)
        return cls(api.host, api.port, *limits, shared_port, websocket)


class _Quiet(uvicorn.Server):
    """uvicorn that says when it is up, and without its own signal handlers: the composition root has them."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set_result(None)

    def protocol(self) -> asyncio.Protocol:
        """For a connection that uvicorn has not taken itself."""
        made: type[Any] = self.config.http_protocol_class
        spoken: asyncio.Protocol = made(config=self.config, server_state=self.server_state, app_state={})
        return spoken

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class RestServer:
    """HTTP with the contract's methods, health, metrics and the description of itself."""

    def __init__(
        self,
        settings: RestSettings,
        dispatcher: Dispatcher,
        methods: tuple[Method, ...],
        told: Told,
        *,
        secured: ServerTls | None = None,
        sockets: Mapping[str, Application] = NO_SOCKETS,
        others: Mapping[str, Application] = NO_SOCKETS,
    ) -> None:
        """Binds nothing yet. Without `secured` it speaks plainly. `sockets` serve WebSockets, by path, and `others`
        what else answers requests."""
        self._settings = settings
        app = RestApp(dispatcher, methods, told, settings.max_body_bytes, sockets, others)
        self._server = _Quiet(_config(settings, app))
        self._tls = secured
        self._listener: tls.TlsListener | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listens and serves; returns the port. Raises PortTaken."""
        bound = self._bind()
        port: int = bound.getsockname()[1]
        sockets = [bound] if self._tls is None else []
        self._serving = asyncio.create_task(self._server.serve(sockets=sockets), name="http")
        await asyncio.wait({self._serving, self._server.up}, return_when=asyncio.FIRST_COMPLETED)
        if self._tls is not None:
            seconds = self._settings.request_timeout
            self._listener = tls.TlsListener(bound, self._tls, seconds, self._server.protocol)
            self._listener.start()
        return port

    async def drain(self, grace: float) -> None:
        """Takes no more connections, finishes requests under way for up to `grace` seconds, then stops."""
        if self._serving is None:
            return
        if self._listener is not None:
            self._listener.close()
        self._server.config.timeout_graceful_shutdown = max(1, int(grace))
        self._server.should_exit = True
        await asyncio.wait({self._serving}, timeout=grace + 1)
        if not self._serving.done():
            self._server.force_exit = True
            await asyncio.wait({self._serving}, timeout=1)

    def _bind(self) -> socket.socket:
        settings = self._settings
        try:
            bound = listening(settings.host, settings.port, shared=settings.shared_port)
        except OSError as error:
            raise PortTaken(f"{settings.host}:{settings.port}", "HTTP", "API_HOST / API_PORT") from error
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)  # connections inherit it
        return bound


def _config(settings: RestSettings, app: RestApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol.with_deadlines(settings.request_timeout, settings.patience + LAST_WORDS_SECONDS),
        ws=upgraded.keeping(settings.websocket.buffer_bytes),
        ws_max_size=2 * settings.websocket.max_frame_bytes,
        ws_ping_interval=settings.websocket.heartbeat_secs,
        ws_ping_timeout=None,  # the session hears the answers, and anything else, and knows how long it may be silent
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        limit_concurrency=4_000,
    )
