"""Looking names up: one that does not come holds up nobody but those who ask for it."""

import asyncio
import socket
import threading
import time

import pytest

from llm_incident_manager.adapters.outbound import names
from llm_incident_manager.adapters.outbound.names import Found, Names

HERE: Found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]


class Slow:
    """A name server that says nothing of some hosts until it is let go."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.free = threading.Event()

    def __call__(self, host: str, port: int) -> Found:
        self.asked.append(host)
        if host.startswith("slow"):
            self.free.wait(30)
        if host.startswith("nobody"):
            raise socket.gaierror(socket.EAI_NONAME, "nobody knows it")
        return HERE


async def test_a_host_that_many_ask_for_is_looked_up_once_and_others_do_not_wait() -> None:
    server = Slow()
    asking = Names(server)
    waiting = [asyncio.create_task(asking.resolve("slow.example", 443)) for _ in range(100)]
    await asyncio.sleep(0)
    started = time.monotonic()
    (found,) = await asking.resolve("quick.example", 443)
    assert (found["host"], found["port"], found["hostname"]) == ("192.0.2.1", 443, "quick.example")
    assert time.monotonic() - started < 5
    waiting[0].cancel()
    server.free.set()
    answers = await asyncio.gather(*waiting[1:])
    assert all(len(answer) == 1 for answer in answers)
    assert server.asked.count("slow.example") == 1, "a caller that goes away takes nothing from the others"
    await asking.resolve("slow.example", 443)
    assert server.asked.count("slow.example") == 2, "nothing is kept"


async def test_only_so_many_hosts_are_looked_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "AT_ONCE", 3)
    server = Slow()
    asking = Names(server)
    waiting = [asyncio.create_task(asking.resolve(f"slow{n}.example", 443)) for n in range(5)]
    async with asyncio.timeout(10):
        while len(server.asked) < 3:  # noqa: ASYNC110 - the thread has no event to offer
            await asyncio.sleep(0.001)
    assert len(server.asked) == 3
    server.free.set()
    await asyncio.gather(*waiting)
    assert len(server.asked) == 5


async def test_a_host_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(OSError, match="nobody knows it"):
        await Names(Slow()).resolve("nobody.example", 443)


async def test_closing_waits_for_nobody() -> None:
    server = Slow()
    asking = Names(server)
    waiting = asyncio.create_task(asking.resolve("slow.example", 443))
    await asyncio.sleep(0)
    await asking.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    server.free.set()


async def test_the_systems_own_names_are_found() -> None:
    found = await Names().resolve("localhost", 80)
    assert {each["host"] for each in found} <= {"127.0.0.1", "::1"}
    assert found
