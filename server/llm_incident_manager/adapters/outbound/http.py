"""The one door through which the server asks others by HTTP. Where it leads is judged at connect: the socket for an
address is only made when that very address may be connected to, so that no name, redirect or second answer of a name
server gets anywhere else. Uses no proxy of the environment, keeps no cookies, follows no redirect.
"""

import contextlib
import re
import socket
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

import llm_incident_manager
from llm_incident_manager.adapters.outbound.names import Names
from llm_incident_manager.domain import destinations
from llm_incident_manager.domain.destinations import Policy
from llm_incident_manager.ports.outbound import Answer, NotAllowed, OutboundFailed, OutboundRefused, Request
from llm_incident_manager.telemetry.logs import Logger

AGENT = f"llm-incident-manager/{llm_incident_manager.__version__}"
MOST_UNREAD_BYTES = 64 * 1024
"""Of an answer whose body nobody wants so much is taken in, so that the connection can be used again."""

_SHAPE = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)
_AddressInfo: TypeAlias = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for a whole exchange, from the name to the last byte, and bytes of an answer's body."""

    seconds: float = 10.0
    most_bytes: int = 1024 * 1024


@dataclass(slots=True)
class _Attempt:
    """What is known about the request under way: the host of its URL, and to which addresses it led."""

    host: str
    refused: list[str] = field(default_factory=list)
    tried: int = 0


_attempt: ContextVar[_Attempt] = ContextVar("outbound_attempt")


class _Refused(OSError):
    """No socket is made for an address that may not be connected to."""


class HttpOutbound:
    """Implements ports.outbound.Outbound."""

    def __init__(
        self,
        policy: Policy,
        limits: Limits,
        *,
        log: Logger,
        count: Callable[[str, str], None] = lambda *_: None,
        ca: Path | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """`count` takes purpose and outcome of each request; `ca` is trusted beside the system's authorities; the
        `resolver` is the system's unless given. Raises OutboundRefused for a `ca` that cannot be used."""
        self._policy = policy
        self._limits = limits
        self._log = log
        self._count = count
        self._tls = ssl.create_default_context()
        if ca is not None:
            _trust(self._tls, ca)
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Answer:
        """One request, without following redirects. Raises NotAllowed, OutboundFailed."""
        url = _usable(request.url)
        attempt = _Attempt(url.raw_host or "")
        mark = _attempt.set(attempt)
        try:
            answer = await self._exchange(url, request)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise self._told(request, attempt, error) from error
        finally:
            _attempt.reset(mark)
        self._count(request.purpose, "answered")
        return answer

    async def close(self) -> None:
        """Gives back connections; a later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, url: URL, request: Request) -> Answer:
        seconds = self._limits.seconds if request.timeout is None else request.timeout
        async with self._opened().request(
            request.method,
            url,
            data=request.body or None,
            headers={"User-Agent": AGENT, "Accept-Encoding": "identity", **request.headers},
            timeout=aiohttp.ClientTimeout(total=seconds),
            allow_redirects=False,
        ) as response:
            body = await self._body(response) if request.reads else await _leave(response)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, body)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        parts, left = [], self._limits.most_bytes
        while chunk := await response.content.read(left + 1):
            left -= len(chunk)
            if left < 0:
                response.close()
                raise aiohttp.ClientPayloadError(f"more than {self._limits.most_bytes} bytes")
            parts.append(chunk)
        return b"".join(parts)

    def _told(self, request: Request, attempt: _Attempt, error: Exception) -> NotAllowed | OutboundFailed:
        """What the asker learns of it; the operator learns the rest from the log."""
        if attempt.refused and not attempt.tried:
            self._count(request.purpose, "not_allowed")
            self._log.warning(
                "outbound.not_allowed",
                purpose=request.purpose,
                host=attempt.host,
                addresses=attempt.refused,
                remedy="if the server may connect there, name the host or the network in outbound.allow",
            )
            return NotAllowed("not allowed: outbound.allow does not name where it leads")
        self._count(request.purpose, "failed")
        cause = "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
        self._log.warning("outbound.failed", purpose=request.purpose, host=attempt.host, cause=cause)
        return OutboundFailed()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,  # who sends bounds it: nothing must wait here unseen
                ssl=self._tls,
                resolver=self._resolver or Names(),
                use_dns_cache=False,  # a name is looked up within the request that asks for it
                socket_factory=self._socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
            )
        return self._session

    def _socket(self, info: _AddressInfo) -> socket.socket:
        """The socket for an address, which is connected next. Raises OSError when that is not allowed."""
        attempt, address = _attempt.get(), str(info[4][0])
        if not self._policy.judge(attempt.host, address).allowed:
            attempt.refused.append(address)
            raise _Refused("not allowed")
        attempt.tried += 1
        return socket.socket(info[0], info[1], info[2])


def _trust(tls: ssl.SSLContext, ca: Path) -> None:
    try:
        tls.load_verify_locations(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        remedy = "give a PEM file of certificate authorities that this process may read"
        raise OutboundRefused(f"outbound.ca = {str(ca)!r}: {error.strerror or 'cannot be used'}: {remedy}") from error


def _usable(text: str) -> URL:
    """The URL as it is going to be used, if no reader could take it for another. Raises NotAllowed."""
    shape = _SHAPE.match(text)
    if shape is None or not text.isprintable():
        raise NotAllowed("the URL is not usable: give one that starts with https:// or http://")
    if "@" in shape[1] or "\\" in text:
        raise NotAllowed("the URL is not usable: leave user, password and backslashes out")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError:
        raise NotAllowed("the URL is not usable: correct its host or its port") from None
    if not host or not port:
        raise NotAllowed("the URL is not usable: correct its host or its port")
    if destinations.is_odd(host):
        raise NotAllowed("the URL is not usable: write the address as four numbers with dots between them")
    return url


async def _leave(response: aiohttp.ClientResponse) -> bytes:
    """Takes in a small body to its end; whatever becomes of it, the status has already decided."""
    left = MOST_UNREAD_BYTES
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
        while left > 0 and (chunk := await response.content.read(left)):
            left -= len(chunk)
    if left <= 0:
        response.close()
    return b""
