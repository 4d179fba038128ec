"""A process among others: its life, its leases, and what it does about those that fall silent."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from llm_incident_manager.adapters.sqlite.store import SqliteStore
from llm_incident_manager.domain.errors import DomainError, StoreUnavailable
from llm_incident_manager.domain.roles import Role
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.pipeline.effects import notify
from llm_incident_manager.pipeline.outbox import Pump
from llm_incident_manager.pipeline.presence import Presence, unattended
from llm_incident_manager.pipeline.stages import route
from llm_incident_manager.pipeline.tenure import Tenure, Worker
from llm_incident_manager.ports.leases import Lease
from llm_incident_manager.ports.processes import Process, Seen
from llm_incident_manager.ports.stores import Store
from tests.support.builders import NOW, make_event
from tests.support.waiting import until
from tests.support.world import World

LEASE = 15.0
OTHER = Process("other/1", ("notify",), "1.0", NOW)


def presence_in(world: World, owner: str = "this/1", roles: tuple[str, ...] = ("api", "route")) -> Presence:
    return Presence(world.store, world.clock, Process(owner, roles, "1.0", NOW), LEASE, world.tools.metrics)


async def silence(world: World, process: Process) -> None:
    """The process has not said anything for ever."""
    await world.store.beat(process)
    writer = cast(SqliteStore, world.store)._writer
    where = (process.owner,)
    await writer.unit(lambda connection: connection.execute("UPDATE process SET seen_at = 0 WHERE owner = ?", where))


async def known(world: World) -> list[str]:
    return [each.process.owner for each in await world.store.processes()]


async def test_a_life_begins_when_the_database_has_heard_of_it_and_ends_with_its_silence(world: World) -> None:
    presence = presence_in(world)
    assert presence.life() is None
    await presence.once()
    life = presence.life()
    world.clock.forward(int(14.9 * SECOND))
    assert presence.life() == life is not None
    world.clock.forward(SECOND)
    assert presence.life() is None


async def test_who_stood_still_has_another_life_afterwards(world: World) -> None:
    presence = presence_in(world)
    await presence.once()
    life = presence.life()
    await presence.once()
    assert presence.life() == life
    world.clock.forward(16 * SECOND)
    await presence.once()
    assert presence.life() not in (life, None)


async def test_who_was_buried_has_another_life_though_its_own_clock_says_nothing(world: World) -> None:
    presence = presence_in(world)
    await presence.once()
    life = presence.life()
    await world.store.bury(0)
    await presence.once()
    assert presence.life() not in (life, None)


async def test_the_silent_are_buried_by_whoever_could_be_heard_all_the_time(world: World) -> None:
    presence = presence_in(world)
    await silence(world, OTHER)
    await presence.once()
    assert await known(world) == ["other/1", "this/1"]
    await presence.once()
    assert await known(world) == ["this/1"]


async def test_after_an_outage_the_others_have_time_to_speak_first(world: World) -> None:
    presence = presence_in(world)
    await presence.once()
    world.clock.forward(60 * SECOND)
    await silence(world, OTHER)
    await presence.once()
    assert "other/1" in await known(world)
    await world.store.beat(OTHER)
    await presence.once()
    assert "other/1" in await known(world)


async def test_who_leaves_is_not_known_any_more(world: World) -> None:
    presence = presence_in(world)
    await presence.once()
    await presence.leave()
    assert await known(world) == []


async def test_work_that_no_living_process_does_is_named(world: World) -> None:
    await presence_in(world).once()
    with pytest.raises(DomainError, match="no living process has notify: that work waits; start one with --roles"):
        await presence_in(world).attended()
    await silence(world, OTHER)
    with pytest.raises(DomainError, match="no living process has notify"):
        await presence_in(world).attended()
    await world.store.beat(OTHER)
    await presence_in(world).attended()


def test_roles_without_work_in_this_release_need_nobody() -> None:
    everybody = [Seen(Process("a/1", ("api", "route", "notify"), "1.0", NOW), 0)]
    assert unattended(everybody, LEASE) == []
    assert unattended([], LEASE) == [Role.API, Role.ROUTE, Role.NOTIFY]


async def test_a_notifier_that_somebody_may_have_taken_for_dead_sends_nothing(world: World) -> None:
    lives = [1, 1, None, 2]  # asked once before all, then before each
    frozen = replace(world.tools, life=lambda: lives.pop(0))
    await world.submit(make_event(title="one"), make_event(title="two"), make_event(title="three"))
    await Pump(route, world.tools, "test", lambda: False).once()
    await Pump(notify, frozen, "frozen", lambda: False).once()
    assert len(world.channel.sent) == 1
    await world.settle()
    assert len(world.channel.sent) == 3


@dataclass
class Ticking:
    """A clock that goes with the loop."""

    def now(self) -> Instant:
        return Instant(NOW + int(asyncio.get_running_loop().time() * SECOND))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Doing:
    """A worker that says whether it runs."""

    runs: int = 0
    running: bool = False
    error: Exception | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        self.runs += 1
        self.running = True
        try:
            await self.go.wait()
            assert self.error is not None
            raise self.error
        finally:
            self.running = False


def tenure(store: Store, owner: str, worker: Doing) -> Tenure:
    return Tenure(store, Ticking(), "upkeep", owner, 0.3, {"doing": cast(Worker, worker)})


async def test_one_works_until_it_ends_and_then_the_other_does(world: World) -> None:
    first, second = Doing(), Doing()
    one = asyncio.create_task(tenure(world.store, "one", first).run())
    await until(lambda: first.running)
    two = asyncio.create_task(tenure(world.store, "two", second).run())
    await asyncio.sleep(0.5)  # longer than the lease: it is renewed
    assert (first.running, second.runs) == (True, 0)
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    assert not first.running
    await until(lambda: second.running)
    two.cancel()
    await asyncio.gather(two, return_exceptions=True)


async def test_who_loses_the_lease_stops_working(world: World) -> None:
    worker = Doing()
    task = asyncio.create_task(tenure(world.store, "one", worker).run())
    await until(lambda: worker.running)
    far = Instant(Ticking().now() + 3_600 * SECOND)
    assert await world.store.take_lease("upkeep", "two", far, Instant(far + 60 * SECOND)) is not None
    await until(lambda: not worker.running)
    assert worker.runs == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Unheard:
    """A database that hears nobody any more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.deaf = False

    async def take_lease(self, name: str, owner: str, now: Instant, until: Instant) -> Lease | None:
        if self.deaf:
            raise StoreUnavailable("gone")
        return await self._store.take_lease(name, owner, now, until)

    async def renew_lease(self, lease: Lease, until: Instant) -> Lease | None:
        if self.deaf:
            raise StoreUnavailable("gone")
        return await self._store.renew_lease(lease, until)

    async def release_lease(self, lease: Lease) -> None:
        await self._store.release_lease(lease)


async def test_while_the_database_does_not_answer_work_stops_at_the_end_of_the_lease(world: World) -> None:
    store, worker = Unheard(world.store), Doing()
    task = asyncio.create_task(tenure(cast(Store, store), "one", worker).run())
    await until(lambda: worker.running)
    store.deaf = True
    await until(lambda: not worker.running)
    store.deaf = False
    await until(lambda: worker.running)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_a_worker_dies_of_is_not_kept_quiet_and_the_lease_is_free(world: World) -> None:
    worker = Doing(error=ValueError("defect"))
    worker.go.set()
    with pytest.raises(ValueError, match="defect"):
        await tenure(world.store, "one", worker).run()
    now = Ticking().now()
    assert await world.store.take_lease("upkeep", "two", now, Instant(now + SECOND)) is not None
