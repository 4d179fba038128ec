"""The gRPC server: limits, health, reflection, and an end that loses nothing."""

import asyncio
from dataclasses import dataclass

import grpc
from grpc.aio import Server

from llm_incident_manager.config.edge_agents_section import EdgeAgents
from llm_incident_manager.config.sections import Grpc, Watch
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.listening import PortTaken
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rpc import health, reflection, strangers, tls
from llm_incident_manager.transport.rpc.bridge import Bridge, Gate
from llm_incident_manager.transport.rpc.health import Health
from llm_incident_manager.transport.rpc.strangers import Strangers
from llm_incident_manager.transport.tls import ServerTls

KEEPALIVE_OPTIONS = (
    ("grpc.keepalive_time_ms", 15_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 2),
    ("grpc.max_connection_idle_ms", 600_000),
    ("grpc.max_connection_age_ms", 1_800_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
    ("grpc.server_handshake_timeout_ms", 8_000),
)
"""Connections are checked, and renewed every half hour so that load spreads; streams resume by themselves."""

SPARE_RPCS = 100 + strangers.MOST
"""Calls that are being refused, and those that need no credential."""

NOTICE_SECONDS = 0.2
"""Between saying NOT_SERVING and refusing calls: whoever watches the health service gets to hear it."""


@dataclass(frozen=True, slots=True)
class RpcSettings:
    """Where to listen and what to take."""

    host: str = "127.0.0.1"
    port: int = 50051
    max_message_bytes: int = 4 * 1024 * 1024
    max_concurrent_rpcs: int = 2_000
    reflection: bool = True
    max_subscribers: int = 1_000
    shared_port: bool = False
    mtls_port: int | None = None
    max_sessions: int = 0

    @classmethod
    def of(
        cls, section: Grpc, watch: Watch, agents: EdgeAgents, *, shared_port: bool = False, mtls_port: int | None = None
    ) -> "RpcSettings":
        """As these sections have them; `shared_port` with the other workers of this server. With a
        `mtls_port` that one requires client certificates, and the other asks for none."""
        return cls(
            section.host,
            section.port,
            section.max_message_bytes,
            section.max_concurrent_rpcs,
            section.reflection,
            watch.max_subscribers,
            shared_port,
            mtls_port,
            agents.max_sessions,
        )

    @property
    def most_rpcs(self) -> int:
        """Calls that gRPC itself takes at once. All of these are counted by somebody before their request is waited for
        (Places, Untaken, Strangers), which refuses what is too much with a hint; so nobody can take them all."""
        return self.max_concurrent_rpcs + 2 * self.max_subscribers + self.max_sessions + SPARE_RPCS


class RpcServer:
    """grpc.aio with the contract's services."""

    def __init__(
        self,
        settings: RpcSettings,
        dispatcher: Dispatcher,
        methods: tuple[Method, ...],
        secured: ServerTls | None = None,
    ) -> None:
        """Binds nothing yet. Without `secured` it speaks plainly."""
        self._settings = settings
        self._tls = secured
        self.mtls_port: int | None = None
        self.gate = Gate()
        self._server: Server = grpc.aio.server(options=_options(settings), maximum_concurrent_rpcs=settings.most_rpcs)
        self._names = tuple(dict.fromkeys(method.service for method in methods))
        bridge = Bridge(dispatcher, self.gate, secure=secured is not None)
        for name in self._names:
            handler = bridge.service(name, [method for method in methods if method.service == name])
            self._server.add_generic_rpc_handlers((handler,))
        callers = Strangers()
        self._health = Health(callers)
        self._server.add_generic_rpc_handlers((self._health.handler(),))
        if settings.reflection:
            described = reflection.handler((*self._names, health.NAME, reflection.NAME), callers)
            self._server.add_generic_rpc_handlers((described,))

    async def start(self) -> int:
        """Listens and serves; returns the port. Raises PortTaken."""
        settings = self._settings
        required = self._tls is not None and self._tls.policy.asked == "required"
        port = self._bind(settings.port, "GRPC_HOST / GRPC_PORT", required=required)
        if settings.mtls_port is not None:
            self.mtls_port = self._bind(settings.mtls_port, "GRPC_HOST / tls.mtls_port", required=True)
        await self._server.start()
        self._health.tell(("", *self._names), health.SERVING)
        return port

    async def drain(self, grace: float) -> None:
        """Takes no more calls, waits for what is under way up to `grace` seconds, then stops."""
        self._health.end()
        await asyncio.sleep(min(grace, NOTICE_SECONDS))
        self.gate.draining = True
        try:
            async with asyncio.timeout(grace):
                await self.gate.wait_idle()
        except TimeoutError:
            await self._server.stop(grace=0)
            return
        await self._server.stop(grace=0.1)

    def _bind(self, port: int, setting: str, *, required: bool) -> int:
        address = f"{self._settings.host}:{port}"
        try:
            if self._tls is None:
                return self._server.add_insecure_port(address)
            return self._server.add_secure_port(address, tls.credentials(self._tls, required=required))
        except RuntimeError as error:
            raise PortTaken(address, "gRPC", setting) from error


def _options(settings: RpcSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", int(settings.shared_port)),
        ("grpc.max_concurrent_streams", 1_000),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", 4 * settings.max_message_bytes),
        ("grpc.max_metadata_size", 8 * 1024),
        ("grpc.absolute_max_metadata_size", 16 * 1024),
        *KEEPALIVE_OPTIONS,
    ]
