"""Somebody is told: at least once, visibly once, and never for what does not need it."""

import asyncio

import pytest

from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import HOUR, MINUTE, SECOND
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.pipeline import outbox
from llm_incident_manager.pipeline.effects import notify
from llm_incident_manager.pipeline.outbox import Pump
from llm_incident_manager.ports.changes import NOTIFY
from llm_incident_manager.ports.channel import Notification, Receipt
from tests.support.builders import TENANT, make_event
from tests.support.world import World, a_world

BUSY = Receipt(ok=False, retryable=True, detail="503")
REFUSED = Receipt(ok=False, retryable=False, detail="410 gone")


async def test_an_opened_incident_is_told_with_its_facts(world: World) -> None:
    await world.submit(make_event(severity="critical", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01"))
    await world.settle()
    (sent,) = world.channel.sent
    incident = await world.incident()
    assert (sent.reason, sent.payload["number"], sent.payload["severity"]) == ("opened", incident.number, "P0")
    assert sent.traceparent.startswith("00-aaaa")
    assert incident.route == "default"


async def test_repeats_are_not_told_again(world: World) -> None:
    for _ in range(5):
        await world.submit(make_event())
    await world.settle()
    assert len(world.channel.sent) == 1


async def test_raising_recurring_and_resolving_are_told_in_order(world: World) -> None:
    await world.submit(make_event(severity="P2"))
    await world.submit(make_event(severity="P0"))
    world.clock.forward(20 * MINUTE)
    await world.submit(make_event(severity="P0", event_time=world.clock.now()))
    await world.submit(make_event(action=Action.RESOLVE))
    await world.settle()
    assert [sent.reason for sent in world.channel.sent] == ["opened", "severity_raised", "recurred", "resolved"]


async def test_incidents_below_the_route_are_not_told_and_the_timeline_says_why() -> None:
    async with a_world(min_severity=Severity.P1) as world:
        await world.submit(make_event(kind="", severity="P3"))
        await world.settle()
        incident = await world.incident()
        texts = [entry.text for entry in await world.store.timeline(TENANT, incident.id, "", 10)]
        assert not world.channel.sent
        assert any("below_min_severity" in text for text in texts)


async def test_a_busy_channel_is_tried_again_with_the_same_key_and_growing_waits(world: World) -> None:
    world.channel.answers = [BUSY, BUSY]
    await world.submit(make_event())
    for wait in (0, 7 * SECOND, 13 * SECOND):
        world.clock.forward(wait)
        await world.settle()
    assert len(world.channel.sent) == 3
    assert len({sent.dedup_key for sent in world.channel.sent}) == 1
    (delivery,) = await world.store.deliveries(TENANT, (await world.incident()).id)
    assert (delivery.state, delivery.attempts, delivery.error) == (DeliveryState.SENT, 3, "")


async def test_nothing_is_sent_before_its_time(world: World) -> None:
    world.channel.answers = [BUSY]
    await world.submit(make_event())
    await world.settle()
    world.clock.forward(4 * SECOND)
    await world.settle()
    assert len(world.channel.sent) == 1


async def test_five_failures_end_in_a_dead_letter_with_its_reason(world: World) -> None:
    world.channel.answers = [BUSY] * 9
    await world.submit(make_event())
    for _ in range(8):
        await world.settle()
        world.clock.forward(2 * MINUTE)
    (delivery,) = await world.store.deliveries(TENANT, (await world.incident()).id)
    assert (len(world.channel.sent), delivery.state, delivery.error) == (5, DeliveryState.DEAD, "503")


async def test_a_refusal_for_good_is_not_repeated(world: World) -> None:
    world.channel.answers = [REFUSED]
    await world.submit(make_event())
    await world.settle()
    world.clock.forward(HOUR)
    await world.settle()
    assert len(world.channel.sent) == 1


@pytest.mark.parametrize("asked", [30, 7_200])
async def test_a_channels_own_wish_to_wait_is_honoured_up_to_an_hour(world: World, asked: int) -> None:
    world.channel.answers = [Receipt(ok=False, retryable=True, detail="429", retry_after=float(asked))]
    await world.submit(make_event())
    await world.settle()
    world.clock.forward((min(asked, 3_600) - 1) * SECOND)
    await world.settle()
    assert len(world.channel.sent) == 1
    world.clock.forward(HOUR // 4 + 10 * SECOND)
    await world.settle()
    assert len(world.channel.sent) == 2


async def test_a_later_message_of_the_incident_waits_for_the_earlier_one(world: World) -> None:
    world.channel.answers = [BUSY]
    await world.submit(make_event(severity="P2"))
    await world.settle()
    await world.submit(make_event(severity="P0"))
    await world.settle()
    assert [sent.reason for sent in world.channel.sent] == ["opened"]
    world.clock.forward(10 * SECOND)
    await world.settle()
    assert [sent.reason for sent in world.channel.sent] == ["opened", "opened", "severity_raised"]


async def test_a_channel_with_a_defect_counts_as_a_failed_attempt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Notification) -> Receipt:
        raise OverflowError

    monkeypatch.setattr(world.channel, "send", broken)
    await world.submit(make_event())
    await world.settle()
    (delivery,) = await world.store.deliveries(TENANT, (await world.incident()).id)
    assert (delivery.state, delivery.attempts, delivery.error) == (DeliveryState.PENDING, 1, "defect: OverflowError")


async def test_what_has_not_begun_in_time_is_handed_back_before_the_lease_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(notification: Notification) -> Receipt:
        world.channel.sent.append(notification)
        world.clock.forward(10 * SECOND)
        return Receipt(ok=True)

    monkeypatch.setattr(world.channel, "send", slow)
    for number in range(5):
        await world.submit(make_event(title=f"{chr(97 + number)} fails"))
    begun = world.clock.now()
    await world.settle()
    assert len(world.channel.sent) == len({sent.id for sent in world.channel.sent}) == 5
    assert world.clock.now() - begun == 50 * SECOND, "two began in each round, and nobody waited for a lease to end"


def test_a_round_of_notifications_cannot_outlive_its_lease() -> None:
    database = 12  # a connection, a statement and a commit at their deadlines
    assert notify.BEGIN_SECONDS + notify.SEND_SECONDS + database < outbox.LEASE_SECONDS


async def test_a_channel_that_never_answers_is_given_up_within_the_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: Notification) -> Receipt:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(world.channel, "send", silent)
    monkeypatch.setattr(notify, "SEND_SECONDS", 0.01)
    await world.submit(make_event())
    await world.settle()
    (delivery,) = await world.store.deliveries(TENANT, (await world.incident()).id)
    assert (delivery.state, delivery.attempts, delivery.error) == (DeliveryState.PENDING, 1, "no answer within 0.01 s")


async def test_who_has_lost_the_lease_meanwhile_records_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def overtaken(notification: Notification) -> Receipt:
        world.channel.sent.append(notification)
        if len(world.channel.sent) == 1:
            world.clock.forward(outbox.LEASE_SECONDS * SECOND)
            await Pump(notify, world.tools, "another", lambda: False).once()
            return REFUSED
        return Receipt(ok=True)

    monkeypatch.setattr(world.channel, "send", overtaken)
    await world.submit(make_event())
    await world.settle()
    incident = await world.incident()
    (delivery,) = await world.store.deliveries(TENANT, incident.id)
    told = [e for e in await world.store.timeline(TENANT, incident.id, "", 10) if e.kind is TimelineKind.NOTIFIED]
    assert (delivery.state, delivery.attempts, delivery.error) == (DeliveryState.SENT, 1, "")
    assert [entry.details["state"] for entry in told] == [DeliveryState.SENT]
    assert len({sent.dedup_key for sent in world.channel.sent}) == 1
    assert await world.store.backlog(NOTIFY) == (0, None)
