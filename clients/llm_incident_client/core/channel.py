"""Channels to the server: plain, TLS or mTLS, kept alive within the server's limits, and who the caller says it is."""

import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import grpc

Metadata = tuple[tuple[str, str], ...]
TokenSource = Callable[[], Awaitable[str]]
"""Gives a valid bearer token. Asked once per call, so it should keep the token until shortly before it ends."""

DEFAULT_ADDRESS = "localhost:50051"
MAX_SEND_BYTES = 4 * 1024 * 1024
MAX_RECEIVE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificates as PEM. Without roots the system's are used; key and chain together make it mTLS."""

    root_certificates: bytes | None = None
    private_key: bytes | None = field(default=None, repr=False)
    certificate_chain: bytes | None = None
    server_name: str = ""

    def __post_init__(self) -> None:
        """Refuses half a client certificate."""
        if (self.private_key is None) != (self.certificate_chain is None):
            raise ValueError("mTLS needs private_key and certificate_chain together: give both or neither")

    @classmethod
    def from_files(
        cls, roots: Path | None = None, key: Path | None = None, certificate: Path | None = None, server_name: str = ""
    ) -> Self:
        """The same from PEM files, as they are now. Raises OSError, and ValueError for half a client certificate."""
        root_pem, key_pem, own_pem = (None if one is None else one.read_bytes() for one in (roots, key, certificate))
        return cls(root_pem, key_pem, own_pem, server_name)


@dataclass(frozen=True, slots=True)
class ChannelOptions:
    """Where the server is and how to introduce oneself. At most one of `api_key` and `bearer`."""

    address: str = DEFAULT_ADDRESS
    tls: Tls | None = None
    api_key: str = field(default="", repr=False)
    bearer: TokenSource | None = field(default=None, repr=False)
    secrets_in_clear_text: bool = False

    def __post_init__(self) -> None:
        """Refuses two identities, and a secret that would cross a network unprotected."""
        if self.api_key and self.bearer is not None:
            raise ValueError("api_key and bearer both given: an identity is one of them")
        secret = bool(self.api_key) or self.bearer is not None
        if secret and self.tls is None and not is_loopback(self.address) and not self.secrets_in_clear_text:
            raise ValueError(
                f"would send a secret to {self.address} in clear text: give tls, or set secrets_in_clear_text "
                "when something else protects the way"
            )


def open_channel(options: ChannelOptions) -> grpc.aio.Channel:
    """A channel that connects on first use and again after a break. Close it when done."""
    arguments = _arguments(options)
    if options.tls is None:
        return grpc.aio.insecure_channel(options.address, options=arguments)
    tls = options.tls
    credentials = grpc.ssl_channel_credentials(tls.root_certificates, tls.private_key, tls.certificate_chain)
    return grpc.aio.secure_channel(options.address, credentials, options=arguments)


async def identity(options: ChannelOptions) -> Metadata:
    """The metadata that tells the server who calls."""
    if options.api_key:
        return (("x-api-key", options.api_key),)
    if options.bearer is not None:
        return (("authorization", f"Bearer {await options.bearer()}"),)
    return ()


def is_loopback(address: str) -> bool:
    """Whether the address stays on this machine."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition(":")[0].strip("[]") or address
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _arguments(options: ChannelOptions) -> Sequence[tuple[str, int | str]]:
    arguments: list[tuple[str, int | str]] = [
        ("grpc.max_send_message_length", MAX_SEND_BYTES),
        ("grpc.max_receive_message_length", MAX_RECEIVE_BYTES),
        # The server takes a ping every 10 s; an idle stream must still notice a dead peer.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        # The library's own reconnecting: short, because the retries above it wait as well.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.min_reconnect_backoff_ms", 10_000),  # despite its name the time that one attempt may take
        # Channels with equal arguments would share one connection, and one cut would hit all of them.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_retries", 0),
    ]
    if is_loopback(options.address):
        arguments.append(("grpc.enable_http_proxy", 0))
    if options.tls is not None and options.tls.server_name:
        arguments.append(("grpc.ssl_target_name_override", options.tls.server_name))
    return arguments
