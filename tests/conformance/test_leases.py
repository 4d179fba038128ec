"""Leases on every database: one holder at a time, fenced inside the unit of work, freed when their process is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.time import HOUR, Instant
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.ports.changes import NOTIFY, Changes, OutboxRow
from llm_incident_manager.ports.leases import Lease
from llm_incident_manager.ports.processes import Process
from llm_incident_manager.ports.stores import KeyTaken, Store
from llm_incident_manager.ports.timers import TimerRow
from tests.support.backends import Backend
from tests.support.builders import NOW, TENANT, make_id
from tests.support.steps import later, write

UPKEEP = "upkeep"
OURS = Process("one/a", ("api", "route"), "1.0", NOW)
THEIRS = Process("one/b", ("notify",), "1.1", later(1))


async def take(store: Store, owner: str, at: Instant = NOW, seconds: float = 15) -> Lease | None:
    return await store.take_lease(UPKEEP, owner, at, Instant(at + later(seconds) - NOW))


async def taken(store: Store, owner: str, at: Instant = NOW) -> Lease:
    lease = await take(store, owner, at)
    assert lease is not None
    return lease


async def holds(store: Store, lease: Lease) -> bool:
    async with store.transaction() as tx:
        return await tx.holds(lease)


async def test_one_has_it_until_it_runs_out_and_each_holder_gets_a_larger_fence(store: Store) -> None:
    ours = await taken(store, "ours")
    assert ours == (UPKEEP, "ours", 1, later(15))
    assert await take(store, "theirs", later(14)) is None
    assert await take(store, "ours", later(14)) is None
    theirs = await taken(store, "theirs", later(15))
    assert theirs.fence == 2
    assert (await holds(store, ours), await holds(store, theirs)) == (False, True)


async def test_names_are_leases_of_their_own(store: Store) -> None:
    await taken(store, "ours")
    assert await store.take_lease("another", "theirs", NOW, later(15)) == ("another", "theirs", 1, later(15))


async def test_renewing_keeps_the_fence_and_puts_the_end_off(store: Store) -> None:
    ours = await taken(store, "ours")
    assert await store.renew_lease(ours, later(25)) == ours._replace(until=later(25))
    assert await take(store, "theirs", later(24)) is None
    assert (await taken(store, "theirs", later(25))).fence == 2


async def test_what_ran_out_and_nobody_took_can_still_be_renewed(store: Store) -> None:
    ours = await taken(store, "ours")
    assert await holds(store, ours)
    assert await store.renew_lease(ours, later(100)) == ours._replace(until=later(100))
    assert await take(store, "theirs", later(99)) is None


async def test_who_lost_it_can_neither_renew_nor_release_it(store: Store) -> None:
    ours = await taken(store, "ours")
    theirs = await taken(store, "theirs", later(15))
    assert await store.renew_lease(ours, later(100)) is None
    await store.release_lease(ours)
    assert await holds(store, theirs)
    assert await take(store, "ours", later(29)) is None


async def test_what_is_released_can_be_taken_at_once_and_the_fence_goes_on(store: Store) -> None:
    ours = await taken(store, "ours")
    await store.release_lease(ours)
    assert (await taken(store, "theirs")).fence == 2
    assert not await holds(store, ours)


async def test_of_many_that_try_at_once_one_gets_it(store: Store) -> None:
    found = await asyncio.gather(*(_try(store, f"owner-{n}") for n in range(8)))
    (winner,) = [lease for lease in found if lease is not None]
    assert await holds(store, winner)


async def _try(store: Store, owner: str, at: Instant = NOW) -> Lease | None:
    try:
        return await take(store, owner, at)
    except KeyTaken:
        return None


@pytest.mark.needs("many_writers")
async def test_nobody_takes_it_while_its_holder_works_under_it(store: Store) -> None:
    """The holder was slow: its lease has run out, but it asked before the others did. Their turn comes after it."""
    ours = await taken(store, "ours")
    async with store.transaction() as tx:
        assert await tx.holds(ours)
        taking = asyncio.create_task(take(store, "theirs", later(60)))
        done, _ = await asyncio.wait({taking}, timeout=0.3)
        assert not done
    assert (await taking) == (UPKEEP, "theirs", 2, later(75))


@dataclass
class Rivals:
    """Actors that want one lease, in a time of their own in which it runs out again and again."""

    store: Store
    rolls: Random
    at: Instant = NOW
    writing: list[int] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    refused: int = 0

    async def act(self, name: str) -> None:
        """Takes the lease when it can, and works under it long after it has run out."""
        lease: Lease | None = None
        for _ in range(8):
            self.at = Instant(self.at + later(self.rolls.uniform(0, 10)) - NOW)
            lease = lease or await self.take(name)
            await asyncio.sleep(self.rolls.uniform(0, 0.004))  # a holder that stands still does not know it
            if lease is not None and not await self.work(lease):
                lease = None

    async def take(self, name: str) -> Lease | None:
        lease = await _try(self.store, name, self.at)
        if lease is not None:
            assert not [fence for fence in self.writing if fence < lease.fence], "an older holder is still writing"
        return lease

    async def work(self, lease: Lease) -> bool:
        async with self.store.transaction() as tx:
            if not await tx.holds(lease):
                self.refused += 1
                return False
            self.writing.append(lease.fence)
            await asyncio.sleep(self.rolls.uniform(0, 0.004))
            await tx.write(Changes(outbox=[a_row()]))
            self.writing.remove(lease.fence)
        self.accepted.append(lease.fence)
        return True


@pytest.mark.parametrize("seed", range(3))
async def test_of_two_holders_the_writes_are_never_both_accepted(store: Store, seed: int) -> None:
    rivals = Rivals(store, Random(seed))
    await asyncio.gather(*(rivals.act(f"rival-{n}") for n in range(4)))
    assert rivals.accepted
    assert rivals.refused
    count, _ = await store.backlog(NOTIFY)
    assert count == len(rivals.accepted)


@pytest.mark.needs("durable")
async def test_fences_outlive_the_process(store: Store, backend: Backend) -> None:
    await taken(store, "ours")
    await store.close()
    opened = await backend.open()
    try:
        assert (await taken(opened, "theirs", later(60))).fence == 2
    finally:
        await opened.close()


@pytest.mark.needs("durable", "one_process")
async def test_a_lease_of_the_process_before_is_free(store: Store, backend: Backend) -> None:
    await taken(store, "ours")
    await store.beat(OURS)
    await store.close()
    opened = await backend.open()
    try:
        assert await opened.processes() == []
        assert (await taken(opened, "theirs")).fence == 2
    finally:
        await opened.close()


async def test_a_process_is_known_from_its_first_beat_until_it_leaves(store: Store) -> None:
    first, second = await store.beat(OURS), await store.beat(OURS)
    await store.beat(THEIRS)
    assert (first.known, second.known, second.at >= first.at) == (False, True, True)
    seen = await store.processes()
    assert [each.process for each in seen] == [OURS, THEIRS]
    assert all(0 <= each.silent_for < HOUR for each in seen)
    await store.leave(OURS.owner)
    assert [each.process for each in await store.processes()] == [THEIRS]


async def test_nobody_is_buried_who_was_heard_of(store: Store) -> None:
    await store.beat(OURS)
    ours = await taken(store, OURS.owner)
    assert await store.bury(HOUR) == []
    assert await take(store, "theirs") is None
    assert await holds(store, ours)


async def bury_all(store: Store) -> None:
    assert OURS.owner in await store.bury(0)


async def say_good_bye(store: Store) -> None:
    await store.leave(OURS.owner)


@pytest.mark.parametrize("end", [bury_all, say_good_bye], ids=["silent", "leaving"])
async def test_a_process_that_is_no_more_has_no_leases_and_can_finish_nothing(
    store: Store, end: Callable[[Store], Awaitable[None]]
) -> None:
    timer = TimerRow(IncidentId(make_id()), "snooze", TENANT, TimerKind.SNOOZE, NOW, NOW)
    await write(store, Changes(outbox=[a_row(), a_row()], timers=[timer]))
    await store.beat(OURS)
    (mine,) = await claim(store, OURS.owner, limit=1)
    (kept,) = await claim(store, "somebody else's")
    (late,) = await store.claim_timers(OURS.owner, NOW, later(60), 9)
    lease = await taken(store, OURS.owner)
    await end(store)
    assert await store.processes() == []
    async with store.transaction() as tx:
        assert await tx.still_leased([mine, kept]) == [kept]
        assert (await tx.hold_timers([late])).timers == []
        assert not await tx.holds(lease)
        await tx.write(Changes(outbox_done=[mine], timers_done=[late]))
    assert [row.id for row in await claim(store, THEIRS.owner)] == [mine.id]
    assert len(await store.claim_timers(THEIRS.owner, NOW, later(60), 9)) == 1
    assert (await taken(store, THEIRS.owner)).fence > lease.fence
    assert (await store.beat(OURS)).known is False


@pytest.mark.needs("many_writers")
async def test_what_a_lost_process_has_locked_is_freed_once_it_lets_go(store: Store) -> None:
    await write(store, Changes(outbox=[a_row(), a_row()]))
    await store.beat(OURS)
    first, _ = await claim(store, OURS.owner)
    async with store.transaction() as tx:
        assert await tx.still_leased([first]) == [first]
        assert await store.bury(0) == [OURS.owner]
        assert [row.id for row in await claim(store, THEIRS.owner)] != [first.id]
        assert [each.process for each in await store.processes()] == [OURS]
    assert await store.bury(0) == [OURS.owner]
    assert [row.id for row in await claim(store, THEIRS.owner)] == [first.id]
    assert await store.processes() == []


def a_row() -> OutboxRow:
    name = make_id()
    return OutboxRow(name, TENANT, NOTIFY, name, IncidentId(make_id()), "{}", "", NOW, due_at=NOW)


async def claim(store: Store, owner: str, limit: int = 10) -> Sequence[OutboxRow]:
    return await store.claim_work(NOTIFY, owner, NOW, later(60), limit)
