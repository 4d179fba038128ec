"""What is kept for a day is forgotten after it, and not before."""

import asyncio

import pytest

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.domain.time import DAY, HOUR, Instant
from llm_incident_manager.pipeline.sweeper import Sweeper
from tests.support.builders import make_event
from tests.support.world import HeldClock, World


async def test_idempotency_keys_last_a_day(world: World) -> None:
    sweeper = Sweeper(world.store, world.clock)
    await world.submit(make_event(idempotency_key="k"))
    world.clock.forward(DAY - HOUR)
    await sweeper.once()
    (before,) = await world.submit(make_event(idempotency_key="k"))
    world.clock.forward(2 * HOUR)
    assert await sweeper.once() > 0
    (after,) = await world.submit(make_event(idempotency_key="k"))
    assert (before.disposition, after.disposition) == (Disposition.DUPLICATE, Disposition.ATTACHED)


class Ending(HeldClock):
    """A clock on which so many minutes pass; then it ends who sleeps."""

    minutes: int = 3

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        self.minutes -= 1
        if not self.minutes:
            raise asyncio.CancelledError


async def test_a_sweep_that_fails_is_repeated_a_minute_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.submit(make_event(idempotency_key="k"))
    sweep, failures = world.store.sweep, [StoreUnavailable("gone")]

    async def failing(before: Instant, limit: int) -> int:
        if failures:
            raise failures.pop()
        return await sweep(before, limit)

    monkeypatch.setattr(world.store, "sweep", failing)
    clock = Ending(Instant(world.clock.now() + 2 * DAY))
    with pytest.raises(asyncio.CancelledError):
        await Sweeper(world.store, clock).run()
    world.clock.forward(2 * DAY)
    (again,) = await world.submit(make_event(idempotency_key="k"))
    assert again.disposition is Disposition.ATTACHED
