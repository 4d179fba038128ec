"""The virtual loop: time jumps, lanes keep their order, a seed decides between them."""

import asyncio
from random import Random

import pytest

from simulation.loop import Stuck, VirtualLoop


def test_time_jumps_to_the_next_timer() -> None:
    loop = VirtualLoop.drawing_from(Random(1))

    async def main() -> float:
        await asyncio.sleep(3_600)
        async with asyncio.timeout(60):
            await asyncio.sleep(30)
        return loop.time()

    assert loop.run(main()) == 3_630


def test_a_timeout_ends_what_takes_longer() -> None:
    async def main() -> None:
        async with asyncio.timeout(1):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        VirtualLoop.drawing_from(Random(1)).run(main())


def in_turns(seed: int) -> str:
    loop, said = VirtualLoop.drawing_from(Random(seed)), []

    async def say(letter: str) -> None:
        for number in range(4):
            said.append(f"{letter}{number}")
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(loop.lane(letter).spawn(say(letter), letter) for letter in "abc"))

    loop.run(main())
    return " ".join(said)


def test_the_seed_decides_which_lane_goes_on_and_nothing_else_does() -> None:
    orders = {in_turns(seed) for seed in range(10)}
    assert len(orders) > 5
    assert in_turns(3) == in_turns(3)


def test_within_a_lane_things_happen_in_order() -> None:
    for order in {in_turns(seed) for seed in range(10)}:
        assert [word for word in order.split() if word[0] == "a"] == ["a0", "a1", "a2", "a3"]


def test_a_frozen_lane_does_nothing_until_it_is_thawed() -> None:
    loop, said = VirtualLoop.drawing_from(Random(1)), []

    async def tick() -> None:
        while True:
            await asyncio.sleep(1)
            said.append(loop.time())

    async def main() -> None:
        lane = loop.lane("a")
        task = lane.spawn(tick(), "tick")
        await asyncio.sleep(2.5)
        lane.freeze()
        await asyncio.sleep(10)
        lane.thaw()
        await asyncio.sleep(1.2)
        task.cancel()

    loop.run(main())
    assert said == [1, 2, 12.5, 13.5]


def test_what_can_never_end_is_told() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck, match="everybody waits"):
        VirtualLoop.drawing_from(Random(1)).run(main())


def test_an_error_that_nobody_catches_is_remembered() -> None:
    loop = VirtualLoop.drawing_from(Random(1))

    async def main() -> None:
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    loop.run(main())
    assert len(loop.defects) == 1
    assert "ZeroDivisionError" in loop.defects[0]
