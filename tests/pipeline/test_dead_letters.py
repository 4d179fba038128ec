"""Work that fails: others go on, it is tried five times, kept with its reason, and can be put back to work."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.time import MINUTE, SECOND
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.pipeline import outbox
from llm_incident_manager.pipeline.effects import notify
from llm_incident_manager.pipeline.outbox import Pump
from llm_incident_manager.pipeline.stages import route
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.changes import NOTIFY, ROUTED, Changes, OutboxRow
from llm_incident_manager.ports.channel import Notification, Receipt
from llm_incident_manager.ports.dead_letters import DeadQuery
from tests.support.builders import TENANT, make_event, make_id, make_work
from tests.support.steps import write
from tests.support.world import World

ALL = DeadQuery(TENANT)
POISON = '{"reason":"nobody knows this reason","revision":1}'
REFUSED = Receipt(ok=False, retryable=False, detail="410 gone")


async def poisoned(world: World, topic: str = ROUTED, payload: str = POISON) -> OutboxRow:
    """Work of the only incident that the real handler cannot read."""
    incident = await world.incident()
    row = make_work(
        incident, id=world.tools.ids.new(world.clock.now()), topic=topic, payload=payload, created_at=world.clock.now()
    )
    await write(world.store, Changes(outbox=[row]))
    return row


async def pass_attempts(world: World, rounds: int) -> None:
    for _ in range(rounds):
        await world.settle()
        world.clock.forward(2 * MINUTE)


async def test_poisoned_work_does_not_keep_its_round_from_being_done(world: World) -> None:
    await world.submit(make_event(dedup_key="a"))
    await world.settle()
    row = await poisoned(world)
    await world.submit(make_event(dedup_key="b"), make_event(dedup_key="c"))
    await world.settle()
    assert [incident.route for incident in await world.incidents()] == ["default"] * 3
    assert len(world.channel.sent) == 3
    assert await world.store.backlog(ROUTED) == (1, row.created_at), "only the poisoned row is left"


async def test_after_five_attempts_with_growing_waits_it_is_dead_with_its_reason(world: World) -> None:
    await world.submit(make_event())
    await world.settle()
    await poisoned(world)
    began, tried = world.clock.now(), []
    for _ in range(200):
        before = await world.store.backlog(ROUTED)
        if await Pump(route, world.tools, "test", lambda: False).once():
            tried.append((world.clock.now() - began) / SECOND)
        if before[0] == 0:
            break
        world.clock.forward(SECOND)
    waits = [later - earlier for earlier, later in pairwise(tried)]
    assert len(tried) == 5
    for wait, least in zip(waits, (5, 10, 20, 40), strict=True):
        assert least <= wait <= least * 1.25 + 1
    (dead,) = await world.store.dead_letters(ALL)
    assert (dead.attempts, dead.topic) == (5, ROUTED)
    assert dead.last_error.startswith("5 attempts failed: ValueError: 'nobody knows this reason'")


async def test_later_work_of_its_lane_waits_and_goes_on_once_it_is_dead(world: World) -> None:
    await world.submit(make_event(severity="P2"))
    await world.settle()
    await poisoned(world)
    await world.submit(make_event(severity="P0"))
    await world.settle()
    assert [sent.reason for sent in world.channel.sent] == ["opened"]
    await pass_attempts(world, 6)
    assert [sent.reason for sent in world.channel.sent] == ["opened", "severity_raised"]


async def test_the_incident_tells_that_its_work_was_given_up(world: World) -> None:
    await world.submit(make_event())
    await world.settle()
    row = await poisoned(world)
    await pass_attempts(world, 6)
    incident = await world.incident()
    (entry,) = await world.store.timeline(TENANT, incident.id, "", 10, TimelineKind.DEAD_LETTER)
    assert (entry.actor, entry.details["dead_letter"], entry.details["attempts"]) == ("route", row.id, "5")


@pytest.mark.parametrize("payload", ["{}", "no JSON", "[]"])
async def test_an_unreadable_notification_lets_the_others_be_sent_once(world: World, payload: str) -> None:
    await world.submit(make_event(dedup_key="a"))
    await world.settle()
    await poisoned(world, NOTIFY, payload)
    await world.submit(make_event(dedup_key="b"), make_event(dedup_key="c"))
    await pass_attempts(world, 7)
    assert len(world.channel.sent) == len({sent.id for sent in world.channel.sent}) == 3
    assert [row.topic for row in await world.store.dead_letters(ALL)] == [NOTIFY]


async def test_work_for_an_incident_that_is_gone_is_given_up_with_that_reason(world: World) -> None:
    await world.submit(make_event())
    (known,) = await world.incidents()
    row = make_work(known, topic=NOTIFY, incident_id=make_id(), payload="{}")
    await write(world.store, Changes(outbox=[row]))
    await pass_attempts(world, 6)
    assert [one.id for one in await world.store.dead_letters(ALL)] == [row.id]


class Failing:
    """The real stage `route`, which fails with what it is told to before it has done anything."""

    NAME = route.NAME
    TOPIC = route.TOPIC

    def __init__(self, error: Exception, seconds: float = 0.0) -> None:
        self.error = error
        self.seconds = seconds
        self.rounds: list[int] = []

    async def run(self, rows: Sequence[OutboxRow], tools: Tools) -> None:
        self.rounds.append(len(rows))
        await tools.clock.sleep(self.seconds)
        raise self.error


async def test_a_database_that_does_not_answer_is_nobodys_fault(world: World) -> None:
    await world.submit(make_event())
    failing = Failing(StoreUnavailable("gone"))
    pump = Pump(failing, world.tools, "test", lambda: False)
    for _ in range(9):
        with pytest.raises(StoreUnavailable):
            await pump.once()
        world.clock.forward((outbox.LEASE_SECONDS + 1) * SECOND)
    (row,) = await world.store.claim_work(ROUTED, "test", world.clock.now(), world.clock.now(), 9)
    assert (row.attempts, row.last_error) == (0, "")


async def test_a_reason_shows_no_secret(world: World) -> None:
    await world.submit(make_event())
    failing = Failing(RuntimeError("postgresql://im:hunter2@db/incidents refused, token=abc123"))
    await Pump(failing, world.tools, "test", lambda: False).once()
    world.clock.forward(MINUTE)
    (row,) = await world.store.claim_work(ROUTED, "test", world.clock.now(), world.clock.now(), 9)
    assert row.last_error == "RuntimeError: postgresql://[hidden]@db/incidents refused, token=[hidden]"


async def test_what_cannot_be_tried_alone_within_the_lease_is_handed_back_uncounted(world: World) -> None:
    await world.submit(*(make_event(dedup_key=key) for key in "abcd"))
    failing = Failing(RuntimeError("slow and broken"), seconds=10)
    assert await Pump(failing, world.tools, "test", lambda: False).once() == 4
    assert failing.rounds == [4, 1], "the round, the first alone; then 15 s were over"
    rows = await world.store.claim_work(ROUTED, "test", world.clock.now(), world.clock.now(), 9)
    assert [row.attempts for row in rows] == [0, 0, 0], "and the first waits for its next attempt"


async def test_a_round_of_single_rows_cannot_outlive_its_lease() -> None:
    database = 12  # a connection, a statement and a commit at their deadlines
    assert outbox.ALONE_SECONDS + notify.SEND_SECONDS + database < outbox.LEASE_SECONDS


async def test_a_channel_that_raises_ends_as_a_dead_letter_that_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Notification) -> Receipt:
        raise OverflowError

    monkeypatch.setattr(world.channel, "send", broken)
    await world.submit(make_event())
    await pass_attempts(world, 6)
    (dead,) = await world.store.dead_letters(ALL)
    (delivery,) = await world.store.deliveries(TENANT, (await world.incident()).id)
    assert dead.last_error == "5 attempts failed: defect: OverflowError"
    assert (delivery.state, delivery.attempts) == (DeliveryState.DEAD, 5)


async def test_handled_work_is_timed_from_its_commit_on(world: World) -> None:
    world.channel.answers = [Receipt(ok=False, retryable=True, detail="503")]
    await world.submit(make_event())
    await world.settle()
    world.clock.forward(30 * SECOND)
    await world.settle()
    page = world.tools.metrics.page().body.decode()
    assert f'incident_manager_outbox_handled_seconds_sum{{topic="{NOTIFY}"}} 30.0' in page
    assert f'incident_manager_outbox_handled_seconds_count{{topic="{ROUTED}"}} 1.0' in page


async def test_one_failing_row_is_enough_for_a_pump_at_work(world: World) -> None:
    """The pump itself goes on: it neither dies nor spins on the row that is due later."""
    await world.submit(make_event())
    await world.settle()
    await poisoned(world)
    pump = Pump(route, world.tools, "test", lambda: False)
    task = asyncio.create_task(pump.run())
    async with asyncio.timeout(10):
        while (await world.store.backlog(ROUTED))[0] and not task.done():
            world.clock.forward(MINUTE)
            pump.wake()
            await asyncio.sleep(0)
    task.cancel()
    assert len(await world.store.dead_letters(ALL)) == 1
