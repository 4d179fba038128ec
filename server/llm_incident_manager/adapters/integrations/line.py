"""The line to one service: a channel that leads to judged addresses only, opened once and used for all calls.

The core never sees a name, so it cannot be led elsewhere by a second answer; it uses no proxy of the environment and no
configuration from a name server. Names are asked again once in a while, and after calls that did not get through.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import grpc
from grpc import aio

from llm_incident_manager.ports.outbound import Addresses

RESOLVE_SECONDS = 30.0
"""So long addresses and certificates count as they are; then they are looked at again."""
LEAVE_SECONDS = 30.0
"""Calls on a channel that is replaced have so long to end."""
METADATA_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the manager is known there, and whom it trusts. `metadata` goes with each call."""

    tls: bool = True
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    metadata: tuple[tuple[str, str], ...] = ()

    def channel(self) -> grpc.ChannelCredentials | None:
        """As the files are now; None without TLS. Raises OSError."""
        if not self.tls:
            return None
        ca, key, chain = (None if file is None else file.read_bytes() for file in (self.ca, self.key, self.certificate))
        return grpc.ssl_channel_credentials(ca, key, chain)

    def versions(self) -> tuple[int, ...]:
        """Changes with each of the files. Raises OSError."""
        files = (self.ca, self.key, self.certificate) if self.tls else ()
        return tuple(file.stat().st_mtime_ns for file in files if file is not None)


class Line:
    """The channel of one service. For one event loop."""

    def __init__(
        self,
        target: tuple[str, int],
        purpose: str,
        addresses: Addresses,
        credentials: Credentials,
        most_bytes: int,
    ) -> None:
        """`purpose` is a word for logs; no answer may be longer than `most_bytes`."""
        self._host, self._port = target
        self._purpose = purpose
        self._addresses = addresses
        self._credentials = credentials
        self._most_bytes = most_bytes
        self._channel: aio.Channel | None = None
        self._leads_to: tuple[Sequence[str], tuple[int, ...]] = ((), ())
        self._until = 0.0
        self._opening = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with each call."""
        return self._credentials.metadata

    async def channel(self) -> aio.Channel:
        """The channel as it should be now. Raises NotAllowed, OutboundFailed, and OSError for files of credentials."""
        now = asyncio.get_running_loop().time()
        async with self._opening:
            if self._channel is None or now >= self._until:
                found = await self._addresses.of(self._host, self._port, self._purpose)
                leads_to = (found, self._credentials.versions())
                if self._channel is None or leads_to != self._leads_to:
                    self._replace(self._opened(found))
                    self._leads_to = leads_to
                self._until = now + RESOLVE_SECONDS
            assert self._channel is not None
            return self._channel

    def doubt(self) -> None:
        """A call did not get through: the next one asks where the service is."""
        self._until = 0.0

    async def close(self) -> None:
        """Ends all calls."""
        for task in self._leaving:
            task.cancel()
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _opened(self, addresses: Sequence[str]) -> aio.Channel:
        credentials, target = self._credentials.channel(), _target(addresses, self._port)
        if credentials is None:
            return aio.insecure_channel(target, self._options())
        return aio.secure_channel(target, credentials, self._options())

    def _options(self) -> list[tuple[str, int | str]]:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return [
            ("grpc.default_authority", f"{host}:{self._port}"),
            ("grpc.ssl_target_name_override", self._host),  # its certificate is held against what the settings name
            ("grpc.enable_http_proxy", 0),
            ("grpc.service_config_disable_resolution", 1),
            ("grpc.enable_retries", 0),  # retries are rows
            ("grpc.max_receive_message_length", self._most_bytes),
            ("grpc.max_metadata_size", METADATA_BYTES),
            ("grpc.absolute_max_metadata_size", METADATA_BYTES),
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            ("grpc.use_local_subchannel_pool", 1),
        ]

    def _replace(self, channel: aio.Channel) -> None:
        before, self._channel = self._channel, channel
        if before is not None:
            task = asyncio.create_task(before.close(LEAVE_SECONDS), name=f"line of {self._purpose}")
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)


def _target(addresses: Sequence[str], port: int) -> str:
    """All addresses of the family that the name server prefers, as the core takes them."""
    version = ip_address(addresses[0]).version
    same = [address for address in addresses if ip_address(address).version == version]
    if version == 6:
        return "ipv6:" + ",".join(f"[{address}]:{port}" for address in same)
    return "ipv4:" + ",".join(f"{address}:{port}" for address in same)
