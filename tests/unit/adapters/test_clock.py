"""The clock of the operating system."""

import asyncio
from datetime import UTC, datetime

import pytest

from llm_incident_manager.adapters.clock import SteadyClock, SystemClock
from llm_incident_manager.domain import time


def test_now_is_the_time_of_the_system_in_microseconds() -> None:
    before = time.from_datetime(datetime.now(UTC))
    now = SystemClock().now()
    assert before <= now <= time.from_datetime(datetime.now(UTC))


async def test_sleep_lets_others_run() -> None:
    order: list[str] = []

    async def sleeper() -> None:
        await SystemClock().sleep(0)
        order.append("slept")

    task = asyncio.create_task(sleeper())
    await asyncio.sleep(0)
    order.append("other")
    await task
    assert order == ["other", "slept"]


class Sources:
    """A wall clock and a tick counter in our hands, in nanoseconds."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000_000_000_000
        self.ticks = 77

    def pass_by(self, seconds: float) -> None:
        self.wall += int(seconds * 1e9)
        self.ticks += int(seconds * 1e9)

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.ticks)


@pytest.mark.parametrize("step", [3_600, -3_600, 86_400, -86_400, 0.4])
def test_a_steady_clock_runs_evenly_whatever_the_wall_clock_is_set_to(step: float) -> None:
    sources = Sources()
    clock = sources.clock()
    start = clock.now()
    assert start == clock.wall()
    sources.pass_by(10)
    sources.wall += int(step * 1e9)
    assert clock.now() - start == 10 * time.SECOND
    assert clock.wall() - clock.now() == step * time.SECOND


@pytest.mark.parametrize("difference", [400_000, -400_000])
def test_a_difference_is_made_up_for_slowly_and_then_no_further(difference: int) -> None:
    sources = Sources()
    clock = sources.clock()
    start = clock.now()
    clock.slew(difference)
    sources.pass_by(100)
    assert clock.now() - start == 100 * time.SECOND + difference // 4
    sources.pass_by(900)
    assert clock.now() - start == 1_000 * time.SECOND + difference


def test_a_shift_is_at_once_and_keeps_what_was_made_up_for() -> None:
    sources = Sources()
    clock = sources.clock()
    start = clock.now()
    clock.slew(100_000)
    sources.pass_by(1_000)
    clock.shift(-5 * time.SECOND)
    assert clock.now() - start == 995 * time.SECOND + 100_000
    sources.pass_by(1_000)
    assert clock.now() - start == 1_995 * time.SECOND + 100_000


def test_the_steady_clock_of_this_machine_goes_forward() -> None:
    clock = SteadyClock()
    told = [clock.now() for _ in range(1_000)]
    assert told == sorted(told)
    assert abs(clock.wall() - told[-1]) < time.SECOND
