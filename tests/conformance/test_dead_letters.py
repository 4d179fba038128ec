"""Dead letters: listed in pages, replayed once, dropped with a reason, by one at a time of those who want to."""

import asyncio
from collections.abc import Sequence

import pytest

from llm_incident_manager.domain.errors import CountChanged, NotFound, TooManyMatches
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports.changes import NOTIFY, ROUTED, Changes, OutboxRetry, OutboxRow
from llm_incident_manager.ports.channel import Receipt
from llm_incident_manager.ports.dead_letters import DeadQuery
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.usecases import dead_letters
from llm_incident_manager.usecases.dead_letters import DeadLetters, Deed, Outcome, Wish
from tests.support.backends import Backend
from tests.support.builders import NOW, TENANT, make_incident, make_work
from tests.support.desk import CALLER, Desk, desk_on
from tests.support.steps import claim, later, opened, write

GONE = Receipt(ok=False, retryable=False, detail="410 gone")


async def dead(store: Store, incident: Incident, *topics: str) -> list[OutboxRow]:
    """Work of these topics that was given up, each as a list shows it."""
    rows = [make_work(incident, topic=topic, lane=f"{incident.id}/{at}") for at, topic in enumerate(topics)]
    retries = [OutboxRetry(row.id, 0, 5, later(9), "5 attempts failed: why", dead=True) for row in rows]
    await write(store, Changes(outbox=rows))
    await write(store, Changes(outbox_retries=retries))
    return [row._replace(attempts=5, due_at=later(9), last_error="5 attempts failed: why") for row in rows]


def wish(deed: Deed = Deed.REPLAY, **fields: object) -> Wish:
    given = {"ids": (), "topic": "", "incident": None, "actor": "ann", "reason": "mended"}
    return Wish(deed, **{**given, **fields})  # type: ignore[arg-type]  # as the tests give them


def keeper(desk: Desk) -> DeadLetters:
    return DeadLetters(desk.store, desk.units, desk.world.clock, desk.world.tools.ids)


async def do(desk: Desk, asked: Wish, request_id: str = "") -> Outcome:
    return await keeper(desk).do(CALLER, asked, request_id, b"digest")


async def listed(store: Store, **fields: object) -> Sequence[OutboxRow]:
    return list(await store.dead_letters(DeadQuery(TENANT, **fields)))  # type: ignore[arg-type]  # as above


async def test_dead_letters_are_listed_by_topic_and_incident_in_pages(store: Store) -> None:
    one, other = await opened(store), await opened(store)
    first, second, third = await dead(store, one, ROUTED, NOTIFY, NOTIFY)
    (fourth,) = await dead(store, other, NOTIFY)
    await write(store, Changes(outbox=[make_work(one, lane="alive")]))
    assert await listed(store) == [first, second, third, fourth]
    assert await listed(store, limit=2) == [first, second]
    assert await listed(store, limit=2, after=second.id) == [third, fourth]
    assert await listed(store, topic=NOTIFY) == [second, third, fourth]
    assert await listed(store, topic=NOTIFY, incident=one.id) == [second, third]
    assert await listed(store, incident=other.id) == [fourth]
    assert await store.count_dead(DeadQuery(TENANT, NOTIFY, IncidentId(one.id), limit=1)) == 2
    assert await store.count_dead(DeadQuery(TENANT)) == 4
    assert dict(await store.dead_by_topic()) == {ROUTED: 1, NOTIFY: 3}
    assert list(await store.dead_letters_by_id(TENANT, [third.id, first.id, "nonsense"])) == [first, third]


async def test_other_tenants_see_and_touch_nothing(store: Store) -> None:
    rows = await dead(store, await opened(store), NOTIFY)
    stranger = TenantId("stranger")
    assert list(await store.dead_letters(DeadQuery(stranger))) == []
    assert list(await store.dead_letters_by_id(stranger, [rows[0].id])) == []
    async with store.transaction() as tx:
        assert list(await tx.lock_dead(stranger, [rows[0].id])) == []
        await tx.write(Changes(dead_removed=[rows[0]._replace(tenant=stranger)]))
    assert await listed(store) == rows


async def test_live_work_is_not_removed_as_a_dead_letter(store: Store) -> None:
    row = make_work(await opened(store))
    await write(store, Changes(outbox=[row]))
    async with store.transaction() as tx:
        assert list(await tx.lock_dead(TENANT, [row.id])) == []
        await tx.write(Changes(dead_removed=[row]))
    assert (await store.backlog(NOTIFY))[0] == 1


async def test_a_replayed_notification_is_sent_with_its_own_key_once(store: Store) -> None:
    desk = desk_on(store)
    desk.world.channel.answers = [GONE]
    incident = await desk.opened("a")
    await desk.world.settle()
    (letter,) = await listed(store)
    assert (letter.topic, letter.incident_id) == (NOTIFY, incident.id)
    outcome = await do(desk, wish(ids=(letter.id,)))
    assert (outcome.matched, outcome.done, outcome.gone) == (1, 1, 0)
    (waiting,) = await store.deliveries(TENANT, incident.id)
    assert (waiting.state, waiting.attempts) == (DeliveryState.PENDING, 0)
    await desk.world.settle()
    refused, taken = desk.world.channel.sent
    assert (refused.id, refused.dedup_key) == (taken.id, taken.dedup_key)
    (delivery,) = await store.deliveries(TENANT, incident.id)
    assert (delivery.state, delivery.attempts) == (DeliveryState.SENT, 1)
    assert await listed(store) == []
    assert await store.backlog(NOTIFY) == (0, None)


async def test_replay_and_drop_stand_in_timeline_and_audit(store: Store, backend: Backend) -> None:
    desk = desk_on(store)
    incident = await opened(store)
    replayed, dropped = await dead(store, incident, NOTIFY, NOTIFY)
    await do(desk, wish(ids=(replayed.id,)))
    await do(desk, wish(Deed.DROP, ids=(dropped.id,), reason="told by phone"))
    entries = await store.timeline(TENANT, incident.id, "", 10, TimelineKind.DEAD_LETTER)
    told = [(e.actor, e.details["verb"], e.details["dead_letter"], e.details["reason"]) for e in entries]
    assert told == [
        ("ann", "replay_dead_letter", replayed.id, "mended"),
        ("ann", "drop_dead_letter", dropped.id, "told by phone"),
    ]
    found = await backend.query(
        store, "SELECT action, actor FROM audit WHERE action LIKE '%dead_letter%' ORDER BY action"
    )
    assert found == [("incident.drop_dead_letter", "ann"), ("incident.replay_dead_letter", "ann")]


async def test_work_of_an_incident_that_is_gone_is_dropped_and_audited(store: Store, backend: Backend) -> None:
    (row,) = await dead(store, make_incident(), NOTIFY)
    assert (await do(desk_on(store), wish(Deed.DROP, ids=(row.id,)))).done == 1
    assert await listed(store) == []
    found = await backend.query(store, "SELECT action, resource FROM audit WHERE action LIKE 'dead_letter%'")
    assert found == [("dead_letter.drop", f"dead_letter/{row.id}")]


async def test_replayed_work_goes_behind_what_waits_in_its_lane(store: Store) -> None:
    incident = await opened(store)
    (letter,) = await dead(store, incident, NOTIFY)
    live = [make_work(incident, lane=letter.lane) for _ in range(2)]
    await write(store, Changes(outbox=live))
    (first,) = await claim(store)
    await do(desk_on(store), wish(ids=(letter.id,)))
    assert list(await claim(store, later(1))) == [], "the lane is being worked on"
    await write(store, Changes(outbox_done=[first]))
    (second,) = await claim(store, later(1))
    assert second.id == live[1].id
    await write(store, Changes(outbox_done=[second]))
    (again,) = await claim(store, later(1))
    assert (again.payload, again.attempts, again.lane) == (letter.payload, 0, letter.lane)


async def test_a_selection_of_another_size_than_expected_is_refused(store: Store) -> None:
    desk = desk_on(store)
    rows = await dead(store, await opened(store), NOTIFY, NOTIFY)
    for asked in (wish(topic=NOTIFY, expected=1), wish(ids=tuple(row.id for row in rows), expected=3)):
        with pytest.raises(CountChanged, match="2 dead letters match"):
            await do(desk, asked)
    assert await listed(store) == rows
    assert (await do(desk, wish(topic=NOTIFY, expected=2))).done == 2


async def test_more_than_one_call_changes_need_a_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MOST", 2)
    desk = desk_on(store)
    rows = await dead(store, await opened(store), NOTIFY, NOTIFY, NOTIFY)
    with pytest.raises(TooManyMatches):
        await do(desk, wish(Deed.DROP))
    outcome = await do(desk, wish(Deed.DROP, limit=2))
    assert (outcome.matched, outcome.done) == (3, 2)
    assert await listed(store) == rows[2:], "the oldest went first"


async def test_many_are_done_in_pages_and_chunks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "CHUNK", 2)
    monkeypatch.setattr(dead_letters, "_PAGE", 2)
    rows = await dead(store, await opened(store), *[NOTIFY] * 5)
    desk = desk_on(store)
    looked = await keeper(desk).preview(CALLER, wish())
    assert (looked.matched, looked.done, list(looked.sample)) == (5, 5, rows)
    assert (await do(desk, wish())).done == 5
    assert await listed(store) == []
    assert (await store.backlog(NOTIFY))[0] == 5


async def test_a_repeated_request_replays_nothing_twice(store: Store) -> None:
    desk = desk_on(store)
    await dead(store, await opened(store), NOTIFY, NOTIFY)
    first = await do(desk, wish(topic=NOTIFY), "request-1")
    await dead(store, await opened(store), NOTIFY)
    again = await do(desk, wish(topic=NOTIFY), "request-1")
    assert (first.matched, first.done) == (again.matched, again.done) == (2, 2)
    assert (await store.backlog(NOTIFY))[0] == 2
    assert len(await listed(store)) == 1


async def test_two_who_replay_at_once_do_it_once(store: Store) -> None:
    desk = desk_on(store)
    (row,) = await dead(store, await opened(store), NOTIFY)
    results = await asyncio.gather(*(do(desk, wish(ids=(row.id,))) for _ in range(4)), return_exceptions=True)
    done = [result.done for result in results if isinstance(result, Outcome)]
    others = [result for result in results if not isinstance(result, Outcome)]
    assert sum(done) == 1
    assert all(isinstance(result, NotFound) for result in others), "who came later still"
    assert (await store.backlog(NOTIFY))[0] == 1


async def test_a_name_that_is_no_dead_letter_is_not_found_and_nothing_is_changed(store: Store) -> None:
    desk = desk_on(store)
    rows = await dead(store, await opened(store), NOTIFY)
    for name in ("nonsense", make_work(make_incident()).id):
        with pytest.raises(NotFound):
            await do(desk, wish(ids=(rows[0].id, name)))
    assert await listed(store) == rows
    assert await keeper(desk).one(CALLER, rows[0].id) == rows[0]


async def test_poisoned_work_dies_alike_everywhere(store: Store) -> None:
    desk = desk_on(store)
    incident = await desk.opened("a")
    await write(store, Changes(outbox=[make_work(incident, topic=ROUTED, payload="no JSON", created_at=NOW)]))
    for _ in range(7):
        await desk.world.settle()
        desk.world.clock.forward(120 * SECOND)
    (letter,) = await listed(store)
    assert (letter.topic, letter.attempts) == (ROUTED, 5)
    assert letter.last_error.startswith("5 attempts failed: JSONDecodeError: ")
    assert (await desk.now(incident.id)).route == "default"
