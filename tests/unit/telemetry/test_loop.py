"""The event loop is watched: a stall is measured, and forgotten after a minute."""

import asyncio
import time

from llm_incident_manager.telemetry import loop
from llm_incident_manager.telemetry.metrics import Metrics


def values(metrics: Metrics) -> dict[str, float]:
    lines = metrics.page().body.decode().splitlines()
    told = [line.rpartition(" ") for line in lines if line.startswith("incident_manager_event_loop")]
    return {name.removeprefix("incident_manager_event_loop_"): float(value) for name, _, value in told}


async def test_a_stall_of_the_loop_is_measured() -> None:
    metrics = Metrics("1")
    watch = asyncio.create_task(loop.LoopWatch(metrics).run())
    await asyncio.sleep(0)
    time.sleep(loop.EVERY_SECONDS + 0.2)  # noqa: ASYNC251 - blocking is the point
    async with asyncio.timeout(5):
        while not values(metrics)["lag_seconds_count"]:  # noqa: ASYNC110 - a metric tells nobody
            await asyncio.sleep(0.001)
    found = values(metrics)
    watch.cancel()
    assert 0.2 <= found["lag_longest_seconds"] < 5
    assert found["lag_seconds_sum"] >= 0.2
    assert found["tasks"] == len(asyncio.all_tasks())


async def test_the_longest_lag_is_that_of_the_last_minute() -> None:
    metrics = Metrics("1")
    watch = loop.LoopWatch(metrics)
    for lag in (3.0, *[0.001] * (loop.MINUTE - 1)):
        watch._note(lag)
    assert values(metrics)["lag_longest_seconds"] == 3.0
    watch._note(0.002)
    assert values(metrics)["lag_longest_seconds"] == 0.002
