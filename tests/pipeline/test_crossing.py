"""Who may be under way beside whom: batches without a common fingerprint, and first come, first served."""

import asyncio

from llm_incident_manager.pipeline.lanes import Crossing
from llm_incident_manager.ports.changes import FingerprintKey
from tests.support.builders import TENANT


def bearing(*values: str) -> set[FingerprintKey]:
    return {FingerprintKey(TENANT, 1, value) for value in values}


class Road:
    """Notes who comes in and who goes out; whoever is in stays until let out."""

    def __init__(self) -> None:
        self.crossing, self.seen = Crossing(), list[str]()
        self.gates: dict[str, asyncio.Event] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def send(self, name: str, *values: str) -> None:
        self.gates[name] = asyncio.Event()
        self.tasks.append(asyncio.create_task(self._pass(name, bearing(*values))))
        await self.settle()

    async def let_out(self, name: str) -> None:
        self.gates[name].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def _pass(self, name: str, fingerprints: set[FingerprintKey]) -> None:
        async with self.crossing.passing(lambda: fingerprints):
            self.seen.append(f"+{name}")
            await self.gates[name].wait()
        self.seen.append(f"-{name}")


async def test_batches_without_a_common_fingerprint_pass_side_by_side() -> None:
    road = Road()
    await road.send("a", "x", "y")
    await road.send("b", "z")
    assert road.seen == ["+a", "+b"]
    await road.let_out("a")
    await road.let_out("b")
    await asyncio.gather(*road.tasks)


async def test_a_batch_with_a_common_fingerprint_waits_and_nobody_overtakes_it() -> None:
    road = Road()
    await road.send("a", "x")
    await road.send("b", "x", "y")
    await road.send("c", "z")
    assert road.seen == ["+a"]
    await road.let_out("a")
    assert road.seen == ["+a", "-a", "+b", "+c"]
    await road.let_out("b")
    await road.let_out("c")
    await asyncio.gather(*road.tasks)


async def test_one_that_gives_up_waiting_leaves_the_way_free() -> None:
    road = Road()
    await road.send("a", "x")
    await road.send("b", "x")
    road.tasks[1].cancel()
    await road.send("c", "y")
    assert road.seen == ["+a", "+c"]
    await road.let_out("a")
    await road.let_out("c")
    await asyncio.gather(*road.tasks, return_exceptions=True)


async def test_what_comes_while_a_batch_waits_goes_along_and_counts_as_its_own() -> None:
    road, batch = Road(), bearing("x")
    await road.send("a", "x")
    await road.send("b", "y")
    waiting = asyncio.create_task(_enter(road, batch))
    await road.settle()
    batch |= bearing("y")
    await road.let_out("a")
    assert not waiting.done()
    await road.let_out("b")
    await asyncio.gather(waiting, *road.tasks)


async def _enter(road: Road, batch: set[FingerprintKey]) -> None:
    async with road.crossing.passing(lambda: batch):
        pass
