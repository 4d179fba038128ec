"""What is kept for a while only is forgotten after it, and not before."""

import asyncio

import pytest

from llm_incident_manager.domain.disposition import Disposition, EventResult
from llm_incident_manager.domain.errors import NotFound, StoreUnavailable
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.time import DAY, HOUR, Instant
from llm_incident_manager.engines.retention import KEEP_ALL, Policy
from llm_incident_manager.pipeline import sweeper as module
from llm_incident_manager.pipeline.sweeper import Sweeper
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.telemetry.metrics import Metrics
from tests.support.builders import TENANT, make_event
from tests.support.steps import release
from tests.support.world import HeldClock, World


def sweeper(world: World, policy: Policy = KEEP_ALL) -> Sweeper:
    return Sweeper(world.store, world.clock, policy, world.tools.metrics)


def deleted(metrics: Metrics) -> dict[str, int]:
    """What the metrics page says retention has deleted."""
    lines = metrics.page().body.decode().splitlines()
    found = (line for line in lines if line.startswith("incident_manager_retention_deleted_total{"))
    return {line.split('"')[1]: int(float(line.rpartition(" ")[2])) for line in found}


async def has_body(world: World, result: EventResult) -> bool:
    """Whether the whole event is there. Raises NotFound when not even its row is."""
    assert result.event_id is not None
    return (await world.store.event(TENANT, result.event_id)).body is not None


async def test_idempotency_keys_last_a_day(world: World) -> None:
    await world.submit(make_event(idempotency_key="k"))
    world.clock.forward(DAY - HOUR)
    await sweeper(world).once()
    (before,) = await world.submit(make_event(idempotency_key="k"))
    world.clock.forward(2 * HOUR)
    assert await sweeper(world).once() > 0
    (after,) = await world.submit(make_event(idempotency_key="k"))
    assert (before.disposition, after.disposition) == (Disposition.DUPLICATE, Disposition.ATTACHED)


class Ending(HeldClock):
    """A clock on which three minutes pass; then it ends who sweeps."""

    minutes: int = 3

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        self.minutes -= seconds == module.EVERY_SECONDS
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
        await Sweeper(world.store, clock, KEEP_ALL, world.tools.metrics).run()
    assert not failures
    world.clock.forward(2 * DAY)
    (again,) = await world.submit(make_event(idempotency_key="k"))
    assert again.disposition is Disposition.ATTACHED


async def test_events_last_as_long_as_the_policy_says(world: World) -> None:
    (first,) = await world.submit(make_event())
    world.clock.forward(7 * DAY)
    (second,) = await world.submit(make_event())
    world.clock.forward(HOUR)
    await sweeper(world, Policy(events=7 * DAY)).once()
    with pytest.raises(NotFound):
        await has_body(world, first)
    assert await has_body(world, second)
    assert (await world.incident()).event_count == 2
    assert deleted(world.tools.metrics) == {"bodies": 1, "events": 1}


async def test_finished_incidents_last_as_long_as_the_policy_says(world: World) -> None:
    await world.submit(make_event())
    await world.settle()
    incident = await world.incident()
    async with world.store.transaction() as tx:
        over = incident.moved(State.RESOLVED, world.clock.now())
        await tx.write(Changes(changed=[over], keys_released=release(incident)))
    world.clock.forward(30 * DAY)
    await sweeper(world, Policy(incidents=30 * DAY)).once()
    assert len(await world.incidents()) == 1
    world.clock.forward(HOUR)
    await sweeper(world, Policy(incidents=30 * DAY)).once()
    assert list(await world.incidents()) == []
    assert deleted(world.tools.metrics) == {"incidents": 1}


async def test_a_database_above_its_limit_loses_old_bodies_until_it_is_below_the_low_water_mark(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 50)
    names = (f"problem {chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600))
    results = await world.submit(*(make_event(title=name, description="x" * 3_000) for name in names))
    world.clock.forward(HOUR)
    size = await world.store.size()
    await sweeper(world, Policy(most_bytes=size)).once()
    assert deleted(world.tools.metrics) == {}
    await sweeper(world, Policy(most_bytes=size - 1)).once()
    assert size * 0.8 < await world.store.size() <= size * 0.9
    kept = [await has_body(world, result) for result in results]
    assert deleted(world.tools.metrics) == {"bodies": kept.count(False)}
    assert kept == sorted(kept), "the oldest went first"
    assert len(await world.incidents()) == 600, "no incident went"


async def test_what_no_longer_fits_is_told_and_open_incidents_stay(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.submit(make_event())
    await sweeper(world, Policy(most_bytes=1)).once()
    assert (await world.incident()).is_open
    assert "retention.still_full" in "".join(capsys.readouterr())
