"""The clock of the operating system."""

import asyncio
from datetime import UTC, datetime

from llm_incident_manager.adapters.clock import SystemClock
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
