"""A process that stands still past its lease and goes on as if nothing had happened: what it writes late is refused."""

import asyncio

from llm_incident_manager.pipeline.effects import notify
from tests.support.fleet import Fleet, a_fleet, submit
from tests.support.postgres import Cluster
from tests.support.receiver import a_receiver

LEASE = 2.0
EVERYTHING = (
    "SELECT id::text, fence::int, attempts::int, dead::text FROM outbox ORDER BY 1",
    "SELECT id::text, attempts::int, state::text, updated_at FROM delivery ORDER BY 1",
    "SELECT id::text, actor, details::text FROM timeline ORDER BY 1",
)


async def everything(fleet: Fleet) -> list[object]:
    """All that an effect may change."""
    return [await fleet.rows(statement) for statement in EVERYTHING]


async def test_a_notifier_frozen_while_it_sends_changes_nothing_when_it_wakes_up(cluster: Cluster) -> None:
    """Its request is on the way, so the receiver sees it twice, under one key; the record has it once."""
    async with a_receiver() as receiver, a_fleet(cluster, receiver.url, str(LEASE)) as fleet:
        receiver.held = 1
        api = await fleet.start("--roles", "api,route")
        frozen = await fleet.start("--roles", "notify", LLM_IM__INSTANCE_ID="frozen")
        await submit(api, "slow receiver")
        first = await receiver.take()
        frozen.pause()
        await fleet.start("--roles", "notify", LLM_IM__INSTANCE_ID="awake")
        second = await receiver.take()
        assert second.headers["Idempotency-Key"] == first.headers["Idempotency-Key"]
        await fleet.until("SELECT state::text FROM delivery", "sent")
        before = await everything(fleet)
        assert await fleet.value("SELECT count(*) FROM timeline WHERE actor = 'notifier'") == 1
        await asyncio.sleep(2 * LEASE)  # what is shown is that it slept too long
        receiver.let_go()
        frozen.resume()
        known = "SELECT count(*) FROM process WHERE split_part(owner, '/', 1) = 'frozen' AND seen_at > "
        await fleet.until(known + str(await fleet.value("SELECT max(seen_at) FROM process")), 1)
        async with asyncio.timeout(20):
            while "process.taken_for_dead" not in frozen.log:  # noqa: ASYNC110 - a log line has no event
                await asyncio.sleep(0.05)
        assert await everything(fleet) == before
        assert receiver.received.empty()
        assert await frozen.terminate() == 0


async def test_what_a_frozen_notifier_had_not_begun_to_send_it_does_not_send_any_more(cluster: Cluster) -> None:
    """It has claimed 40 rows and sends 32 at once: the others are not on the way yet when it stands still."""
    async with a_receiver() as receiver, a_fleet(cluster, receiver.url, str(LEASE)) as fleet:
        receiver.held = 40
        api = await fleet.start("--roles", "api,route")
        for n in range(40):
            await submit(api, f"number {'abcdefghijklmnopqrstuvwxyzabcdefghijklmnop'[n]} {'x' * n}")
        await fleet.until("SELECT count(*) FROM outbox WHERE topic = 'incidents.notify'", 40)
        frozen = await fleet.start("--roles", "notify")
        keys = [(await receiver.take()).headers["Idempotency-Key"] for _ in range(notify.AT_ONCE)]
        frozen.pause()
        receiver.held = 0
        awake = await fleet.start("--roles", "notify")
        keys += [(await receiver.take()).headers["Idempotency-Key"] for _ in range(40)]
        await fleet.until("SELECT count(*) FROM delivery WHERE state = 'sent'", 40)
        before = await everything(fleet)
        receiver.let_go()
        frozen.resume()
        async with asyncio.timeout(20):
            while "process.taken_for_dead" not in frozen.log:  # noqa: ASYNC110 - a log line has no event
                await asyncio.sleep(0.05)
        assert [await each.terminate() for each in (frozen, awake)] == [0, 0]
        assert await everything(fleet) == before
        assert receiver.received.empty()
        assert len(set(keys)) == 40
