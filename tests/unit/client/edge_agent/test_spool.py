"""The spool for programs: many events share one fsync, and neither waiting nor refusing takes memory without end."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from llm_incident_client.edge_agent.spool import Limits, Spool, SpoolBroken, SpoolFull
from llm_incident_client.edge_agent.spool import spool as module
from tests.support.waiting import until


class SlowDisk:
    """Lets no fsync end until it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.free = threading.Event()
        real = os.fdatasync

        def fdatasync(descriptor: int) -> None:
            self.calls += 1
            assert self.free.wait(10)
            real(descriptor)

        monkeypatch.setattr(os, "fdatasync", fdatasync)


async def test_what_comes_while_the_disk_is_busy_shares_the_next_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Spool(tmp_path) as spool:
        await spool.put(b"first")
        disk = SlowDisk(monkeypatch)
        one = spool.put_nowait(b"one")
        await until(lambda: disk.calls == 1)
        more = [spool.put_nowait(b"%d" % number) for number in range(1_000)]
        assert not one.done()
        disk.free.set()
        await asyncio.gather(one, *more)
        assert disk.calls == 2
        assert spool.counts().accepted == 1_002


async def test_nobody_reads_what_is_not_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Spool(tmp_path) as spool:
        await spool.put(b"first")
        assert [record.payload for record in await spool.read(10)] == [b"first"]
        disk = SlowDisk(monkeypatch)
        reading = asyncio.create_task(spool.read(10))
        done = spool.put_nowait(b"second")
        await until(lambda: disk.calls == 1)
        assert not reading.done()
        disk.free.set()
        assert [record.payload for record in await reading] == [b"second"]
        assert done.done()


async def test_behind_a_slow_disk_some_wait_and_the_others_are_refused_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAIT_FROM", 2_000)
    monkeypatch.setattr(module, "_MOST_ON_THE_WAY", 4_000)
    async with Spool(tmp_path) as spool:
        await spool.put(b"first")
        disk = SlowDisk(monkeypatch)
        spool.put_nowait(b"x")
        await until(lambda: disk.calls == 1)
        taken = [spool.put_nowait(b"x" * 1_000) for _ in range(4)]
        waiting = asyncio.create_task(spool.put(b"waits"))
        with pytest.raises(SpoolFull, match="slower than events come"):
            await spool.put_nowait(b"refused")
        await asyncio.sleep(0)
        assert not waiting.done()
        disk.free.set()
        await asyncio.gather(waiting, *taken)
        await until(lambda: spool.counts().refused == 1)
        assert spool.counts().accepted == 7


async def test_when_the_disk_breaks_all_are_told_and_nothing_more_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(5, "input/output error")

    async with Spool(tmp_path, Limits()) as spool:
        await spool.put(b"first")
        monkeypatch.setattr(os, "fdatasync", broken)
        reading = asyncio.create_task(spool.read(10))
        await reading
        reading = asyncio.create_task(spool.read(10))
        with pytest.raises(SpoolBroken, match="input/output error"):
            await spool.put(b"lost")
        with pytest.raises(SpoolBroken):
            await reading
        with pytest.raises(SpoolBroken):
            spool.put_nowait(b"late")
