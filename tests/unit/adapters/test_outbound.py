"""The one way out, against real servers: it connects to what it may, and tells little of what it found."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from llm_incident_manager.adapters import outbound
from llm_incident_manager.adapters.outbound.http import HttpOutbound, Limits
from llm_incident_manager.config import Settings
from llm_incident_manager.domain import destinations
from llm_incident_manager.ports.outbound import Answer, NotAllowed, OutboundFailed, OutboundRefused, Request
from llm_incident_manager.telemetry import logs
from tests.support import tls
from tests.support.listeners import Names, dripping, endless, http, listening, says, silence
from tests.support.tls import Papers
from tests.support.waiting import until

HELLO = says(http(body=b"hello"))
NOT_ALLOWED = "not allowed: outbound.allow does not name where it leads"
FAILED = "failed: the server's log says why"


class Lines:
    """A logger that keeps its warnings."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, object]]] = []

    def warning(self, event: str, **fields: object) -> None:
        self.kept.append((event, fields))

    def __getattr__(self, level: str) -> Callable[..., None]:
        raise AssertionError(f"nothing is to be said at level {level}")

    def bind(self, **_: object) -> logs.Logger:
        raise AssertionError("nobody asks for that")

    debug = info = error = exception = warning


class Way:
    """A way out, and what it said to log and metrics."""

    def __init__(self, allow: Sequence[str], names: Names | None, ca: Path | None) -> None:
        self.lines = Lines()
        self.counted: list[tuple[str, str]] = []
        policy = destinations.policy(allow, public=True)
        count = lambda *words: self.counted.append(words)  # noqa: E731
        self.out = HttpOutbound(policy, Limits(5, 1024), log=self.lines, count=count, ca=ca, resolver=names)

    async def get(self, url: str, **more: object) -> Answer:
        return await self.out.send(Request(url, "test", **more))  # type: ignore[arg-type]  # a test's own words


@asynccontextmanager
async def a_way(
    allow: Sequence[str] = ("127.0.0.1",), *, names: Names | None = None, ca: Path | None = None
) -> AsyncIterator[Way]:
    way = Way(allow, names, ca)
    try:
        yield way
    finally:
        await way.out.close()


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return tls.make_papers(tmp_path_factory.mktemp("papers"))


async def test_an_answer_is_whole_whatever_its_status() -> None:
    async with listening(says(http("404 Not Found", b"gone", "X-Why: moved"))) as server, a_way() as way:
        answer = await way.get(server.url)
    assert (answer.status, answer.body, answer.headers["x-why"]) == (404, b"gone", "moved")
    assert way.counted == [("test", "answered")]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "localhost"])
async def test_nobody_listens_in_vain_where_it_may_not_connect(host: str) -> None:
    async with listening(HELLO) as server, a_way([]) as way:
        with pytest.raises(NotAllowed, match=NOT_ALLOWED):
            await way.get(f"http://{host}:{server.port}/")
        assert server.connections == 0
    ((event, fields),) = way.lines.kept
    assert (event, fields["purpose"]) == ("outbound.not_allowed", "test")
    assert "127.0.0.1" in str(fields["addresses"]) or "7f00:1" in str(fields["addresses"])
    assert way.counted == [("test", "not_allowed")]


async def test_whether_somebody_listens_makes_no_difference_where_it_may_not_connect() -> None:
    async with listening(HELLO) as server, a_way([]) as way:
        told = set()
        for port in (server.port, 9):
            with pytest.raises(NotAllowed) as refused:
                await way.get(f"http://127.0.0.1:{port}/")
            told.add(str(refused.value))
    assert told == {NOT_ALLOWED}


async def test_a_name_that_leads_elsewhere_the_second_time_gets_nowhere() -> None:
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    async with listening(HELLO) as inner, listening(HELLO, "127.0.0.2", inner.port) as outer:
        async with a_way(["127.0.0.2"], names=names) as way:
            assert (await way.get(f"http://rebind.example:{inner.port}/")).status == 200
            with pytest.raises(NotAllowed):
                await way.get(f"http://rebind.example:{inner.port}/")
        assert (outer.connections, inner.connections) == (1, 0)
    assert names.asked == ["rebind.example", "rebind.example"]


async def test_of_several_addresses_only_the_allowed_are_tried() -> None:
    names = Names(["127.0.0.1", "127.0.0.2"])
    async with listening(HELLO) as inner, listening(HELLO, "127.0.0.2", inner.port) as outer:
        async with a_way(["127.0.0.2"], names=names) as way:
            for _ in range(10):
                assert (await way.get(f"http://both.example:{inner.port}/")).status == 200
        assert (outer.connections, inner.connections) == (10, 0)


async def test_a_listed_name_may_lead_to_this_machine_and_another_name_may_not() -> None:
    async with listening(HELLO) as server, a_way(["hooks.internal"], names=Names(["127.0.0.1"])) as way:
        assert (await way.get(f"http://hooks.internal:{server.port}/")).body == b"hello"
        with pytest.raises(NotAllowed):
            await way.get(f"http://other.internal:{server.port}/")
        assert server.connections == 1


async def test_a_connection_that_was_kept_is_no_way_for_another_name() -> None:
    kept = says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", closes=False)
    async with listening(kept) as server, a_way(["hooks.internal"], names=Names(["127.0.0.1"])) as way:
        for _ in range(3):
            await way.get(f"http://hooks.internal:{server.port}/")
        with pytest.raises(NotAllowed):
            await way.get(f"http://other.internal:{server.port}/")
        assert server.connections == 1


async def test_a_redirect_is_an_answer_and_nobody_follows_it() -> None:
    async with listening(HELLO, "127.0.0.2") as inner:
        moved = says(http("302 Found", b"", f"Location: {inner.url}"))
        async with listening(moved) as server, a_way(["127.0.0.0/8"]) as way:
            assert (await way.get(server.url)).status == 302
        assert inner.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "ftp://127.0.0.1/",
            "unix:/run/x",
            "data:,x",
            "//127.0.0.1/",
            "",
        ),
        *("http:///x", "http://", "http://[half", "http://user@127.0.0.1/", "http://user:pass@127.0.0.1/"),
        *("http://:x@127.0.0.1/", "http://@127.0.0.1/", "http://a\\@127.0.0.1/", "http://127.0.0.1/\r\nX: 1"),
        *("http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://127.1/", "http://0177.0.0.1/"),
        *("http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://1.2.3.4./"),
    ],
)
async def test_a_url_that_leaves_any_doubt_is_not_used(url: str) -> None:
    async with a_way(["0.0.0.0/0", "::/0", "localhost"]) as way:
        with pytest.raises(NotAllowed, match="the URL is not usable"):
            await way.get(url)
    assert way.lines.kept == []


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(HELLO) as proxy, listening(HELLO, "127.0.0.2") as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with a_way(["127.0.0.2"]) as way:
            assert (await way.get(server.url)).body == b"hello"
        assert proxy.connections == 0


async def test_a_body_that_is_too_long_is_not_read_to_its_end() -> None:
    async with listening(endless) as server, a_way() as way:
        started = time.monotonic()
        with pytest.raises(OutboundFailed):
            await way.get(server.url)
        assert time.monotonic() - started < 2
    ((event, fields),) = way.lines.kept
    assert event == "outbound.failed"
    assert "more than 1024 bytes" in str(fields["cause"])


async def test_a_body_at_the_limit_is_read() -> None:
    async with listening(says(http(body=b"x" * 1024))) as server, a_way() as way:
        assert len((await way.get(server.url)).body) == 1024


async def test_compressed_bodies_are_left_as_they_are() -> None:
    bomb = b"\x1f\x8b\x08\x00 not unpacked"
    async with listening(says(http("200 OK", bomb, "Content-Encoding: gzip"))) as server, a_way() as way:
        assert (await way.get(server.url)).body == bomb


@pytest.mark.parametrize("talk", [silence, dripping])
async def test_the_whole_exchange_has_one_limit_of_time(talk: Callable[..., object]) -> None:
    async with listening(talk) as server, a_way() as way:  # type: ignore[arg-type]  # both are conversations
        started = time.monotonic()
        with pytest.raises(OutboundFailed):
            await way.get(server.url, timeout=0.2)
        assert 0.1 < time.monotonic() - started < 2
    assert way.lines.kept[0][1]["cause"] == "no answer in time"


async def test_a_certificate_for_another_name_is_not_taken(papers: Papers) -> None:
    names, context = Names(["127.0.0.1"]), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers.server, papers.server_key)
    async with listening(HELLO, tls=context) as server:
        async with a_way(["127.0.0.0/8"], names=names, ca=papers.ca) as way:
            assert (await way.get(f"https://localhost:{server.port}/")).body == b"hello"
            with pytest.raises(OutboundFailed):
                await way.get(f"https://elsewhere.example:{server.port}/")
        async with a_way(["127.0.0.0/8"], names=names) as stranger:
            with pytest.raises(OutboundFailed):
                await stranger.get(f"https://localhost:{server.port}/")
    assert ["Certificate" in str(fields["cause"]) for _, fields in way.lines.kept + stranger.lines.kept] == [True, True]


async def test_all_failures_look_alike_to_whoever_chose_the_url(papers: Papers) -> None:
    told = set()
    async with listening(silence) as mute, listening(says(b"\x00\xff\r\n\r\n")) as noisy:
        names = Names([])
        async with a_way(names=names) as way:
            for url in (
                mute.url,
                noisy.url,
                "http://127.0.0.1:9/",
                f"https://127.0.0.1:{mute.port}/",
                "http://nobody/",
            ):
                with pytest.raises(OutboundFailed) as failed:
                    await way.get(url, timeout=0.3)
                told.add(str(failed.value))
    assert told == {FAILED}
    assert way.counted == [("test", "failed")] * 5
    assert all("/" not in str(fields["host"]) for _, fields in way.lines.kept)


async def test_cancelling_passes_through() -> None:
    async with listening(silence) as server, a_way() as way:
        task = asyncio.create_task(way.get(server.url))
        await until(lambda: server.connections > 0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_it_works_again_after_it_was_closed() -> None:
    async with listening(HELLO) as server, a_way() as way:
        await way.get(server.url)
        await way.out.close()
        assert (await way.get(server.url)).status == 200


def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("", "utf-8")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(OutboundRefused, match=rf"outbound\.ca = .*{name}'.*give a PEM file"):
            outbound.build(_with_webhook(tmp_path / name), logs.get("test"), lambda *_: None, AsyncExitStack())


def _with_webhook(ca: Path) -> Settings:
    told = {"channels": [{"type": "webhook", "webhook_url": "https://example.org/"}]}
    return Settings.model_validate({"notifications": told, "outbound": {"ca": str(ca)}})
