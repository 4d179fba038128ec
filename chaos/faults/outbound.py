"""Faults 44 and 47: URLs that lead where the server must not go, and providers that lie."""

import asyncio
import json
import ssl
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

import aiohttp
import psutil

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_manager.adapters.outbound.http import HttpOutbound, Limits
from llm_incident_manager.domain import destinations
from llm_incident_manager.ports.outbound import OutboundError, Request
from tests.support.command import command
from tests.support.http import whole
from tests.support.issuer import an_issuer
from tests.support.listeners import Listener, Names, NamesOf, Talk, dripping, endless, http, listening, says, silence
from tests.support.quiet import QUIET
from tests.support.server import RunningServer, running_server
from tests.support.tls import make_papers

NOT_PUBLIC = (
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1"),  # noqa: S104
    *("169.254.169.254", "168.63.129.16", "::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fe80::1"),
    *("fd00:ec2::254", "fc00::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::7f00:1", "::127.0.0.1"),
)
ODD = (
    "2130706433",
    "0x7f000001",
    "017700000001",
    "127.1",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "127.0.0.1.",
    "\uff11\uff12\uff17.0.0.1",
)
SCHEMES = ("file:///etc/passwd", "gopher://{}/", "ftp://{}/", "unix:///run/x.sock", "dict://{}/", "data:,x", "//{}/")
REBINDINGS = 200


@fault(44, "URLs that lead to this machine, its cloud or its network: names, odd forms, redirects, second answers",
       limit="0 connections where none is allowed; what is told does not depend on what is there")  # fmt: skip
async def forged_requests(run: Run) -> Outcome:
    """A listener on this machine stands for everything that must not be reached; it counts who comes."""
    told: set[str] = set()
    reached: list[str] = []
    async with listening(says(http(body=b"secret"))) as inner, listening(silence, "127.0.0.2", inner.port):
        urls = _urls(inner.port)
        for names, url in urls:
            way = HttpOutbound(destinations.policy((), public=True), Limits(2), log=QUIET, resolver=names)
            try:
                await way.send(Request(url, "chaos"))
                reached.append(url)
            except OutboundError as refused:
                told.add(str(refused).partition(":")[0])
            finally:
                await way.close()
        rebound = await _rebound(run, inner.port)
        configured = await _configured(run)
        figures = [
            Figure("URLs tried", len(urls), least=40),
            Figure("second answers of a name server", rebound, least=REBINDINGS),
            Figure("connections where none is allowed", inner.connections, most=0),
            Figure("starts refused for a URL in the settings", configured, least=5),
            Figure("sorts of answers", len(told), most=2),
        ]
    return Outcome(figures, wrong=reached)


def _urls(port: int) -> Sequence[tuple[Names | None, str]]:
    """URLs with the answers of the name server they meet, if it is not the system's."""
    hosts = [*(f"[{one}]" if ":" in one else one for one in NOT_PUBLIC), *ODD, "localhost", "LOCALHOST"]
    direct = [(None, f"http://{host}:{port}/") for host in hosts]
    named = [(Names([address]), f"http://innocent.example:{port}/") for address in NOT_PUBLIC]
    others = [(None, scheme.format(f"127.0.0.1:{port}")) for scheme in SCHEMES]
    users = [(None, f"http://{user}@127.0.0.1:{port}/") for user in ("user", "example.org", "a:b", "example.org%2f")]
    return [*direct, *named, *others, *users, (None, f"http://example.org\\@127.0.0.1:{port}/")]


async def _rebound(run: Run, port: int) -> int:
    """Names that lead to an allowed address, where nobody answers, and the next time to one that is not; mixed, too.
    How many requests got no answer, which has to be all of them."""

    def names(_: str) -> Names:
        return Names(["127.0.0.2"], ["127.0.0.1"], run.chance.sample(["127.0.0.2", "127.0.0.1"], 2), ["127.0.0.1"])

    policy = destinations.policy(["127.0.0.2"], public=True)
    way = HttpOutbound(policy, Limits(0.05), log=QUIET, resolver=NamesOf(names))
    count = 0
    for number in range(REBINDINGS // 4):
        for _ in range(4):
            try:
                await way.send(Request(f"http://rebind-{number}.example:{port}/", "chaos"))
            except OutboundError:
                count += 1
    await way.close()
    return count


async def _configured(run: Run) -> int:
    """How many starts are refused, each naming the remedy."""
    refused = 0
    for host in ("127.0.0.1", "169.254.169.254", "[::1]", "localhost", "2130706433"):
        channel = {"type": "webhook", "webhook_url": f"http://{host}/hook"}
        file = run.folder / "ssrf.yaml"
        file.write_text(json.dumps({"notifications": {"channels": [channel]}}), "utf-8")
        checked = await command("config", "check", "--config", str(file))
        refused += checked.code == 2 and ("outbound.allow" in checked.err or "four numbers" in checked.err)
    return refused


LIES: dict[str, Talk] = {
    "endless": endless,
    "dripping": dripping,
    "silent": silence,
    "noise": says(b"\x00\xff" * 40_000 + b"\r\n\r\n"),
    "patient": says(http("503 Service Unavailable", b"", "Retry-After: 99999999999999999999")),
}


@fault(47, "providers that lie: 10 GB, a byte at a time, no HTTP, another name's certificate, a huge Retry-After",
       limit="cut at the time and size that are allowed, logged, left alone by a breaker; ingest goes on")  # fmt: skip
async def lying_providers(run: Run) -> Outcome:
    """Each lie behind a webhook of its own and one behind an issuer; a good webhook beside them gets everything."""
    papers = make_papers(run.folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(papers.server, papers.server_key)
    async with AsyncExitStack() as stack:
        liars = {name: await stack.enter_async_context(listening(talk)) for name, talk in LIES.items()}
        secure = await stack.enter_async_context(listening(says(http()), tls=tls))
        good = await stack.enter_async_context(listening(says(http())))
        issuer = await stack.enter_async_context(an_issuer())
        urls = {name: liar.url for name, liar in liars.items()} | {"good": good.url}
        config = _config({**urls, "other-name": f"https://127.0.0.1:{secure.port}/"}, str(papers.ca))
        lying = {**issuer.settings(), "issuer": "http://localhost", "jwks_uri": liars["endless"].url}
        config["identity"] = {"issuers": [issuer.settings(), lying]}
        server = await stack.enter_async_context(running_server(config=json.dumps(config)))
        memory = _memory(server)
        slowest = await _events(server, run.size(10, 100))
        await _all_met(server, [*liars.values(), good])
        left_alone = await _left_alone(server, {"silent", "noise", "patient", "other-name"})
        await asyncio.sleep(1.5)  # what was under way has ended
        attempts = liars["silent"].connections
        await asyncio.sleep(run.size(3, 12))
        figures = [
            Figure("lies", len(liars) + 2),
            Figure("slowest event meanwhile", slowest, "s", most=2),
            Figure("more memory", (_memory(server) - memory) / 2**20, "MiB", most=64),
            Figure("told by the good one", good.connections, least=run.size(10, 100)),
            Figure("breakers that opened", left_alone, least=4, most=4),
            Figure("attempts at the silent one behind its breaker", liars["silent"].connections - attempts, most=0),
            Figure("attempts at the one that wants patience", liars["patient"].connections, most=run.size(10, 100)),
            Figure("keys fetched", issuer.asked["jwks"], least=1),
        ]
    return Outcome(figures)


def _config(urls: dict[str, str], ca: str) -> dict[str, object]:
    channels = [
        {"type": "webhook", "name": name, "webhook_url": url, "timeout_secs": 1.0} for name, url in urls.items()
    ]
    return {
        "outbound": {"allow": ["127.0.0.1", "localhost"], "timeout_secs": 2.0, "ca": ca},
        "notifications": {"channels": channels, "base_delay_secs": 0.5},
    }


async def _all_met(server: RunningServer, listeners: Sequence[Listener]) -> None:
    """Until each was connected to, and the log tells of a wrong certificate and of keys that did not come."""
    told = ("CertificateError", "issuer.keys_not_fetched", "outbound.failed")
    async with asyncio.timeout(60):
        while not all(one.connections for one in listeners) or not all(word in server.log for word in told):
            await asyncio.sleep(0.1)


async def _left_alone(server: RunningServer, liars: set[str]) -> int:
    """How many of these channels are not called any more, once that is all of them; the good one always is."""
    async with asyncio.timeout(60), aiohttp.ClientSession(server.http) as client:
        while True:
            answer = await whole(client.get("/health/ready"))
            assert answer.status == 200, "readiness tells of it and does not count it"
            told = str(answer.json["checks"]["destinations"])
            if all(f"channel {name} is open" in told for name in liars):
                assert "channel good" not in told
                return len(liars)
            await asyncio.sleep(0.1)


def _memory(server: RunningServer) -> int:
    assert server.process is not None
    return int(psutil.Process(server.process.pid).memory_info().rss)


async def _events(server: RunningServer, number: int) -> float:
    """Opens incidents; seconds that the slowest took."""
    slowest = 0.0
    async with aiohttp.ClientSession(server.http) as client:
        for each in range(number):
            event = {"source": "chaos", "title": f"lie {each}", "severity": "P1", "dedup_key": f"lie-{each}"}
            started = time.monotonic()
            answer = await whole(client.post("/api/v1/events", json=event))
            assert answer.status == 202, answer.text
            slowest = max(slowest, time.monotonic() - started)
            await asyncio.sleep(0.05)
    return slowest
