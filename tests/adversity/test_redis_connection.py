"""The door to Redis when Redis is refused, frozen, swallowed, emptied or slow: nobody waits, and it finds back."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from llm_incident_manager.adapters.redis.clients import Client, Deadlines
from llm_incident_manager.adapters.redis.connection import Connection, RedisDegraded, RedisGone
from llm_incident_manager.config import redis_urls
from tests.support.proxy import Fate, Proxy
from tests.support.redis import RedisCluster, RedisServer, Sentinels, redis_server
from tests.support.server import free_port
from tests.support.tls import make_papers
from tests.support.waiting import until

DEADLINES = Deadlines(connect=0.3, command=0.15)
AT_MOST = DEADLINES.connect + DEADLINES.command


Told = list[tuple[bool, str]]

BOTH = "return redis.call('GET', KEYS[1]) .. ARGV[1] .. tostring(redis.call('EXISTS', KEYS[2]))"
"""A script over two keys, which must lie on one node."""


@asynccontextmanager
async def connection(url: str, told: Told | None = None) -> AsyncIterator[Connection]:
    heard = [] if told is None else told
    made = Connection(redis_urls.parse(url), DEADLINES, "test", lambda up, why: heard.append((up, why)))
    await made.probe()
    try:
        yield made
    finally:
        await made.close()


async def get(client: Client, key: str = "k") -> bytes | None:
    found = await client.get(key)
    assert not isinstance(found, str)
    return found


async def gone(link: Connection) -> str:
    with pytest.raises(RedisGone) as refused:
        await link.ask(get)
    return str(refused.value)


async def seconds(link: Connection) -> float:
    start = time.perf_counter()
    await gone(link)
    return time.perf_counter() - start


async def test_a_command_is_answered(redis_shared: RedisServer) -> None:
    async with connection(redis_shared.url) as link:
        await link.ask(lambda client: client.set("k", b"\x00\xff"))
        assert await link.ask(get) == b"\x00\xff"
        await link.check()


async def test_nobody_gets_through_before_it_was_reached(redis_shared: RedisServer) -> None:
    link = Connection(redis_urls.parse(redis_shared.url), DEADLINES, "test", lambda *_: None)
    assert await gone(link) == "it was not reached yet"
    await link.probe()
    assert link.up
    await link.close()


async def test_a_refused_command_is_the_callers_and_does_not_open_the_breaker(redis_shared: RedisServer) -> None:
    async with connection(redis_shared.url) as link:
        for _ in range(10):
            with pytest.raises(ResponseError, match="wrong number of arguments"):
                await link.ask(lambda client: client.execute_command("GET"))
        assert link.up


async def test_a_server_that_is_not_there_is_told_once_and_found_when_it_comes() -> None:
    told: Told = []
    port = free_port()
    async with connection(f"redis://127.0.0.1:{port}", told) as link:
        await link.probe()
        assert told == [(False, "nobody listens at the address of redis.url")]
        with pytest.raises(RedisDegraded, match="degraded: Redis is not used: nobody listens"):
            await link.check()
        server = RedisServer(port=port)
        try:
            await link.probe()
            assert told[1:] == [(True, "")]
            assert await link.ask(get) is None
        finally:
            server.remove()


@pytest.mark.exclusive
async def test_a_frozen_server_costs_its_callers_a_few_deadlines_and_then_nothing(redis_own: RedisServer) -> None:
    told: Told = []
    async with connection(redis_own.url, told) as link:
        redis_own.freeze()
        for _ in range(3):
            assert await seconds(link) < AT_MOST + 0.1
        assert told[1:] == [(False, "no answer in time")]
        assert max([await seconds(link) for _ in range(200)]) < 0.01
        redis_own.thaw()
        await link.probe()
        assert await link.ask(get) is None


async def test_a_black_hole_is_noticed_by_the_probe_alone(redis_shared: RedisServer) -> None:
    swallow = False
    told: Told = []
    async with (
        Proxy("127.0.0.1", redis_shared.port, lambda: Fate(black_hole_after=0) if swallow else Fate()) as proxy,
        connection(f"redis://{proxy.address}", told) as link,
    ):
        swallow = True
        proxy.cut()
        probing = asyncio.create_task(link.run())
        await until(lambda: told[1:] != [], 5)
        assert told[1:] == [(False, "no answer in time")]
        swallow = False
        proxy.cut()
        await until(lambda: told[2:] != [], 5)
        assert told[2:] == [(True, "")]
        probing.cancel()
        await asyncio.wait([probing])


async def test_an_emptied_server_is_just_empty(redis_own: RedisServer) -> None:
    async with connection(redis_own.url) as link:
        await link.ask(lambda client: client.set("k", "v"))
        redis_own.flush()
        assert await link.ask(get) is None


async def test_a_restarted_server_fails_nobody_who_asks_later(redis_own: RedisServer) -> None:
    told: Told = []
    async with connection(redis_own.url, told) as link:
        await asyncio.gather(*(link.ask(get) for _ in range(5)))
        await asyncio.to_thread(redis_own.restart_empty)
        for _ in range(5):
            assert await link.ask(get) is None
        assert told == [(True, "")]


async def test_a_cancelled_command_leaves_no_answer_for_the_next_caller(redis_shared: RedisServer) -> None:
    async with (
        Proxy("127.0.0.1", redis_shared.port, lambda: Fate(delay=0.02)) as proxy,
        connection(f"redis://{proxy.address}") as link,
    ):
        for number in range(12):
            await link.ask(lambda client, n=number: client.set(f"k{n}", f"v{n}"))  # type: ignore[misc]
        for number in range(12):
            broken = asyncio.create_task(link.ask(lambda client: client.get("k0")))
            await asyncio.sleep(0.004 * number)  # cut off before, while and after it is sent, and while it waits
            broken.cancel()
            await asyncio.wait([broken])
            wanted = f"k{number}"
            assert await link.ask(lambda client, key=wanted: get(client, key)) == f"v{number}".encode()  # type: ignore[misc]


async def test_a_command_that_was_too_late_leaves_no_answer_for_the_next_caller(redis_shared: RedisServer) -> None:
    slow = False
    async with (
        Proxy("127.0.0.1", redis_shared.port, lambda: Fate(delay=0.2 if slow else 0.0)) as proxy,
        connection(f"redis://{proxy.address}") as link,
    ):
        await link.ask(lambda client: client.set("mine", "1"))
        await link.ask(lambda client: client.set("other", "2"))
        slow = True
        proxy.cut()
        with pytest.raises(RedisGone):
            await link.ask(lambda client: client.get("other"))
        slow = False
        assert await link.ask(lambda client: get(client, "mine")) == b"1"


async def test_waiting_for_news_is_no_failure(redis_shared: RedisServer) -> None:
    async with connection(redis_shared.url) as link:
        waited = await link.wait(lambda client: client.blpop(["nothing"], timeout=0.5), 0.5)
        assert waited is None
        assert link.up


@pytest.mark.exclusive
async def test_a_caller_waits_no_longer_for_news_than_it_said(redis_own: RedisServer) -> None:
    async with connection(redis_own.url) as link:
        redis_own.freeze()
        start = time.perf_counter()
        with pytest.raises(RedisGone):
            await link.wait(lambda client: client.blpop(["nothing"], timeout=0.2), 0.2)
        assert time.perf_counter() - start < 0.2 + AT_MOST + 0.1
        redis_own.thaw()


REFUSALS = {
    "no password": ("redis://127.0.0.1:{port}", "redis.url gives no password and it asks for one"),
    "a wrong password": ("redis://:wrong@127.0.0.1:{port}", "it refuses the user or password of redis.url"),
    "no TLS": ("rediss://127.0.0.1:{port}", "no answer in time"),  # Redis takes the greeting for half a command
    "no sentinel": (
        "redis+sentinel://127.0.0.1:{port}/mymaster",
        "no sentinel of redis.url knows a master of that name that is up",
    ),
}


@pytest.mark.parametrize(("url", "why"), REFUSALS.values(), ids=REFUSALS)
async def test_a_server_that_cannot_be_used_says_why(url: str, why: str) -> None:
    with redis_server("--requirepass", "hunter2") as server:
        async with connection(url.format(port=server.port)) as link:
            assert await gone(link) == why


async def test_a_password_gets_in() -> None:
    with redis_server("--requirepass", "hunter2") as server:
        async with connection(f"redis://:hunter2@127.0.0.1:{server.port}") as link:
            assert await link.ask(get) is None


async def test_something_else_at_the_address(redis_shared: RedisServer) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, connection(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}") as link:
        assert "does not speak Redis's protocol" in await gone(link)


async def test_a_server_that_has_no_memory_left_is_gone(redis_own: RedisServer) -> None:
    async with connection(redis_own.url) as link:
        redis_own.command("CONFIG", "SET", "maxmemory", "1")
        for _ in range(3):
            with pytest.raises(RedisGone, match="it has no memory left"):
                await link.ask(lambda client: client.set("k", "v"))
        assert not link.up


async def test_tls_is_spoken_and_certificates_are_looked_at(redis_shared: RedisServer, tmp_path: Path) -> None:
    papers = make_papers(tmp_path)
    async with Proxy("127.0.0.1", redis_shared.port, tls=papers.context()) as proxy:
        own_papers = f"ssl_certfile={papers.client}&ssl_keyfile={papers.client_key}"
        good = f"rediss://localhost:{proxy.port}?ssl_ca_certs={papers.ca}&{own_papers}"
        async with connection(good) as link:
            assert await link.ask(lambda client: client.ping())
        async with connection(good.replace(str(papers.ca), str(papers.other_ca))) as link:
            assert await gone(link) == "its certificate is not trusted"


async def test_the_master_is_found_through_its_sentinels_and_so_is_the_next_one() -> None:
    group = await asyncio.to_thread(Sentinels)
    try:
        told: Told = []
        async with connection(group.url, told) as link:
            await link.ask(lambda client: client.set("k", "v"))
            group.master.kill()
            probing = asyncio.create_task(link.run())
            async with asyncio.timeout(20):
                while not await asyncio.to_thread(group.promoted):  # noqa: ASYNC110 - nobody tells us
                    await asyncio.sleep(0.05)
            await until(lambda: link.up, 5)
            await link.ask(lambda client: client.set("k2", "v2"))
            assert group.replica.command("GET", "k2") == b"v2"
            probing.cancel()
            await asyncio.wait([probing])
    finally:
        group.remove()


async def test_a_cluster_is_one_redis_for_keys_with_one_tag() -> None:
    cluster = await asyncio.to_thread(RedisCluster)
    try:
        async with connection(cluster.url) as link:
            for number in range(30):
                keys = [link.key("test", f"tag{number}", part) for part in "ab"]
                await link.ask(lambda client, keys=keys: client.set(keys[0], "x"))  # type: ignore[misc]
                work = lambda client, keys=keys: client.eval(BOTH, 2, *keys, "-")  # noqa: E731
                assert await link.ask(work) == b"x-0"
            cluster.nodes[0].kill()
            failed = 0
            for number in range(30):
                with_tag = link.key("test", f"tag{number}", "a")
                try:
                    await link.ask(lambda client, key=with_tag: get(client, key))  # type: ignore[misc]
                except RedisGone:
                    failed += 1
            assert failed
            cluster.nodes[0].start()
    finally:
        cluster.remove()
