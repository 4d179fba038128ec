"""The webhook channel against a real receiver on the loopback interface."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from email.utils import formatdate
from types import MappingProxyType

import pytest
from aiohttp import web

from llm_incident_manager.adapters.channels import webhook
from llm_incident_manager.adapters.channels.webhook import WebhookChannel
from llm_incident_manager.adapters.outbound.http import AGENT, HttpOutbound, Limits
from llm_incident_manager.domain import destinations
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.time import HOUR, SECOND, Instant
from llm_incident_manager.ports.channel import Notification, Receipt
from tests.support.builders import NOW
from tests.support.quiet import QUIET

FAILED = Receipt(ok=False, retryable=True, detail="failed: the server's log says why")
SECRET = "shared between the two of us"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOTIFICATION = Notification(
    id="019a0000-0000-7000-8000-000000000001",
    tenant=TenantId("default"),
    incident_id=IncidentId("019a0000-0000-7000-8000-000000000002"),
    dedup_key="019a0000-0000-7000-8000-000000000002:1:opened",
    reason="opened",
    at=Instant(NOW - 5 * SECOND),
    payload=MappingProxyType(
        {"number": "INC-20261121-00001", "title": "Größe", "labels": MappingProxyType({"a": "b"})}
    ),
    traceparent=TRACEPARENT,
)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class StoppedClock:
    """Always the same instant."""

    def now(self) -> Instant:
        return NOW

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a channel does not wait")


class Receiver:
    """An HTTP server that remembers what it got and answers as the test wants."""

    def __init__(self) -> None:
        self.handler: Handler = self.accept
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def accept(self, request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=202, text="thanks")

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return await self.handler(request)

    def answers(self, status: int, **headers: str) -> None:
        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(
                status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )

        self.handler = handler


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    it = Receiver()
    server = web.Server(it.answer)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    it.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook?key=1"
    yield it
    await runner.cleanup()


@pytest.fixture
async def channel(receiver: Receiver) -> AsyncIterator[WebhookChannel]:
    way = the_way_out()
    yield WebhookChannel("ops", receiver.url, StoppedClock(), way, secret=SECRET, timeout_secs=5)
    await way.close()


def the_way_out(*allow: str) -> HttpOutbound:
    """Leads to this machine only, unless told otherwise."""
    policy = destinations.policy(allow or ["127.0.0.1"], public=False)
    return HttpOutbound(policy, Limits(), log=QUIET)


@asynccontextmanager
async def talking(talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """The URL of a server that does with each connection whatever it likes."""
    busy: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        busy.add(asyncio.current_task())
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    for task in [task for task in busy if task is not None]:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def sent(url: str, *, timeout_secs: float = 5, notification: Notification = NOTIFICATION) -> Receipt:
    """What becomes of one attempt at a URL."""
    way = the_way_out()
    try:
        return await WebhookChannel("ops", url, StoppedClock(), way, timeout_secs=timeout_secs).send(notification)
    finally:
        await way.close()


async def test_a_receiver_gets_the_incident_as_json(receiver: Receiver, channel: WebhookChannel) -> None:
    assert await channel.send(NOTIFICATION) == Receipt(ok=True, detail="http 202")
    ((headers, body),) = receiver.requests
    assert json.loads(body) == {
        "event_type": "incident.opened",
        "timestamp": "2026-11-21T20:39:55.000000Z",
        "notification_id": NOTIFICATION.id,
        "incident": {"number": "INC-20261121-00001", "title": "Größe", "labels": {"a": "b"}},
    }
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == AGENT


async def test_a_receiver_can_tell_repeats_and_traces(receiver: Receiver, channel: WebhookChannel) -> None:
    await channel.send(NOTIFICATION)
    await channel.send(replace(NOTIFICATION, id="019a0000-0000-7000-8000-000000000003", traceparent=""))
    (first, _), (second, _) = receiver.requests
    assert first["idempotency-key"] == second["idempotency-key"] == NOTIFICATION.dedup_key
    assert (first["x-incident-delivery"], first["traceparent"]) == (NOTIFICATION.id, TRACEPARENT)
    assert "traceparent" not in second


async def test_a_receiver_can_check_the_signature(receiver: Receiver, channel: WebhookChannel) -> None:
    await channel.send(NOTIFICATION)
    ((headers, body),) = receiver.requests
    fields = dict(part.split("=", 1) for part in headers["x-incident-signature"].split(","))
    expected = hmac.new(SECRET.encode(), fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert fields == {"t": str(NOW // SECOND), "v1": expected}


async def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    await sent(receiver.url)
    assert "x-incident-signature" not in receiver.requests[0][0]


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_any_2xx_is_taken(receiver: Receiver, status: int) -> None:
    receiver.answers(status)
    assert await sent(receiver.url) == Receipt(ok=True, detail=f"http {status}")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_busy_or_broken_receiver_is_tried_again(receiver: Receiver, status: int) -> None:
    receiver.answers(status)
    assert await sent(receiver.url) == Receipt(ok=False, retryable=True, detail=f"http {status}", busy=status == 429)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410])
async def test_any_other_refusal_is_for_good(receiver: Receiver, status: int) -> None:
    receiver.answers(status, Location="/elsewhere", Retry_After="5")
    assert await sent(receiver.url) == Receipt(ok=False, detail=f"http {status}")


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers(307, Location=receiver.url)
    await sent(receiver.url)
    assert len(receiver.requests) == 1


async def test_a_receiver_may_ask_for_patience(receiver: Receiver) -> None:
    receiver.answers(429, Retry_After="17")
    assert (await sent(receiver.url)).retry_after == 17


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 90 ", 90.0),
        ("3601", 3600.0),
        ("9" * 400, 3600.0),
        (formatdate((NOW + 60 * SECOND) // SECOND, usegmt=True), 60.0),
        (formatdate((NOW - HOUR) // SECOND, usegmt=True), 0.0),
        (formatdate((NOW + 9 * HOUR) // SECOND, usegmt=True), 3600.0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("²", None),
        ("Mon, 99 Foo 2026 00:00:00 GMT", None),
        ("Mon, 01 Jan 99999999999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_cut_at_an_hour(value: str, seconds: float | None) -> None:
    assert webhook.retry_after(value, NOW) == seconds


async def test_a_receiver_that_does_not_answer_is_given_up_in_time(receiver: Receiver) -> None:
    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    receiver.handler = silent
    assert await sent(receiver.url, timeout_secs=0.1) == FAILED


async def test_a_receiver_that_drips_its_headers_is_given_up_in_time() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)

    async with talking(drip) as url:
        receipt = await sent(url, timeout_secs=0.2)
    assert receipt == FAILED


async def test_a_body_that_drips_changes_nothing_about_the_answer(receiver: Receiver) -> None:
    async def dripping(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        with suppress(ConnectionResetError):
            while True:
                await response.write(b".")
                await asyncio.sleep(0.01)
        return response

    receiver.handler = dripping
    assert await sent(receiver.url, timeout_secs=0.2) == Receipt(ok=True, detail="http 200")


async def test_an_endless_body_is_not_read(receiver: Receiver) -> None:
    written = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        with suppress(ConnectionResetError):
            while True:
                await response.write(b"x" * 65_536)
                written += 65_536
        return response

    receiver.handler = endless
    assert await sent(receiver.url, timeout_secs=30) == Receipt(ok=True, detail="http 200")
    assert written < 32 * 1024 * 1024


async def test_a_closed_port_is_tried_again() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        receipt = await sent(f"http://127.0.0.1:{held.getsockname()[1]}/")
    assert receipt == FAILED


@pytest.mark.parametrize(
    "answer", [b"", b"\x00\xff\x00\xff\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"], ids=["nothing", "noise", "no status"]
)
async def test_an_answer_that_is_not_http_is_tried_again(answer: bytes) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with talking(babble) as url:
        receipt = await sent(url)
    assert receipt == FAILED


async def test_a_url_that_is_none_is_refused_for_good() -> None:
    assert await sent("http://[half") == Receipt(ok=False, detail="the URL is not usable: correct its host or its port")


async def test_hostile_ids_cannot_add_headers(receiver: Receiver) -> None:
    hostile = replace(NOTIFICATION, dedup_key="a\r\nX-Evil: 1 ü", traceparent="x\ny")
    assert (await sent(receiver.url, notification=hostile)).ok
    headers = receiver.requests[0][0]
    assert headers["idempotency-key"] == "a%0D%0AX-Evil: 1 %C3%BC"
    assert "x-evil" not in headers


async def test_cancelling_passes_through(receiver: Receiver, channel: WebhookChannel) -> None:
    reached = asyncio.Event()

    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        reached.set()
        await asyncio.sleep(60)
        return web.Response()

    receiver.handler = silent
    task = asyncio.create_task(channel.send(NOTIFICATION))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_where_it_must_not_connect_it_gives_up_at_once(receiver: Receiver) -> None:
    way = the_way_out("192.0.2.1")
    channel = WebhookChannel("ops", receiver.url, StoppedClock(), way)
    detail = "not allowed: outbound.allow does not name where it leads"
    assert await channel.send(NOTIFICATION) == Receipt(ok=False, detail=detail)
    assert receiver.requests == []
    await way.close()


def test_it_bears_its_name(channel: WebhookChannel) -> None:
    assert channel.name == "ops"
