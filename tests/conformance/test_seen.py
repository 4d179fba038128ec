"""Repeats that are known need no look into the database, and nobody can tell by the answers. Alone, and with Redis."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from uuid import uuid4

import pytest

from llm_incident_manager.adapters.redis.clients import Deadlines
from llm_incident_manager.adapters.redis.connection import Connection
from llm_incident_manager.adapters.redis.seen import RedisSeen
from llm_incident_manager.config import redis_urls
from llm_incident_manager.domain.disposition import Disposition, EventResult, Reason
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import HOUR
from llm_incident_manager.pipeline.batch import Batch, Submission
from llm_incident_manager.pipeline.seen import Seen
from llm_incident_manager.pipeline.stages import dedup
from llm_incident_manager.ports.changes import Claims
from llm_incident_manager.ports.seen import SharedSeen
from llm_incident_manager.ports.stores import Store
from tests.support.backends import Backend, Postgres, make_template
from tests.support.builders import TENANT, make_event
from tests.support.postgres import Cluster
from tests.support.redis import RedisServer
from tests.support.world import World, world_on

Asked = list[Claims]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What batches ask the database for."""
    found: Asked = []
    ask = dedup._claims

    def listened(batch: Batch) -> Claims:
        found.append(ask(batch))
        return found[-1]

    monkeypatch.setattr(dedup, "_claims", listened)
    return found


def on(store: Store, shared: SharedSeen | None = None, most: int = 1_000) -> World:
    """A process: its own memory on a database that others may use as well."""
    world = world_on(store)
    return replace(world, tools=replace(world.tools, seen=Seen(shared, most)))


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    store = await backend.open()
    yield on(store)
    await store.close()


def keyed(*names: str, title: str = "it breaks") -> list[Event]:
    return [make_event(title=title, idempotency_key=name) for name in names]


def is_repeat_of(first: EventResult) -> EventResult:
    return EventResult(first.event_id, Disposition.DUPLICATE, Reason.SAME_IDEMPOTENCY_KEY, first.incident_id)


async def test_a_repeat_is_answered_as_ever_and_asks_for_nothing(world: World, asked: Asked) -> None:
    first, other = await world.submit(*keyed("a", "b"))
    asked.clear()
    assert await world.submit(*keyed("b", "a")) == [is_repeat_of(other), is_repeat_of(first)]
    assert asked == [Claims()]


async def test_a_repeat_has_its_row_in_the_ledger_all_the_same(world: World, backend: Backend) -> None:
    results = [await world.submit(*keyed("a")) for _ in range(3)]
    rows = await backend.query(world.store, "SELECT count(*), count(DISTINCT duplicate_of) FROM event")
    assert rows == [(3, 1)]
    assert results[1:] == [[is_repeat_of(results[0][0])]] * 2
    assert (await world.incident()).event_count == 1


async def test_only_what_is_not_known_is_asked_for(world: World, asked: Asked) -> None:
    await world.submit(*keyed("a", title="one thing"))
    asked.clear()
    known, fresh = await world.submit(*keyed("a", title="one thing"), *keyed("b", title="another"))
    assert (known.disposition, fresh.disposition) == (Disposition.DUPLICATE, Disposition.NEW)
    assert asked[0].idempotency == ((TENANT, "b"),)
    assert len(asked[0].fingerprints) == 1


async def test_what_was_rolled_back_is_not_known(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(world.tools.metrics, "stage_ran", _fail_at_triage)
        with pytest.raises(_Broken):
            await world.submit(*keyed("a"))
    (fresh,) = await world.submit(*keyed("a"))
    assert fresh.disposition is Disposition.NEW


class _Broken(Exception):
    pass


def _fail_at_triage(stage: str, _: float) -> None:
    if stage == "triage":
        raise _Broken


async def test_a_key_is_known_in_its_own_tenant_only(world: World) -> None:
    await world.submit(*keyed("a"))
    theirs = Submission(TenantId("theirs"), "dev", keyed("a"), world.clock.now())
    await world.submit_all(theirs)
    assert theirs.results[0].disposition is Disposition.NEW


async def test_keys_are_forgotten_before_the_database_forgets_them(world: World, asked: Asked) -> None:
    (first,) = await world.submit(*keyed("a"))
    world.clock.forward(23 * HOUR - 1)
    assert await world.submit(*keyed("a")) == [is_repeat_of(first)]
    assert asked[-1] == Claims()
    world.clock.forward(1)
    assert await world.submit(*keyed("a")) == [is_repeat_of(first)]
    assert asked[-1].idempotency == ((TENANT, "a"),)


async def test_the_most_recently_seen_keys_are_kept(backend: Backend, asked: Asked) -> None:
    store = await backend.open()
    world = on(store, most=2)
    await world.submit(*keyed("a", "b"))
    await world.submit(*keyed("a"))
    await world.submit(*keyed("c"))
    asked.clear()
    await world.submit(*keyed("a", "b", "c"))
    assert asked[0].idempotency == ((TENANT, "b"),)
    await store.close()


@pytest.mark.parametrize("seed", range(4))
async def test_with_and_without_memory_the_answers_are_the_same(backend: Backend, seed: int) -> None:
    dice = random.Random(seed)
    batches = [[dice.choice("abcdefgh") for _ in range(dice.randint(1, 6))] for _ in range(25)]
    answers = []
    store = await backend.open()
    for most in (3, 0):
        world = on(store, most=most)
        told = [
            await world.submit(*keyed(*(f"{most}{n}" for n in batch), title="one" if most else "other"))
            for batch in batches
        ]
        answers.append([[(result.disposition, _origin(told, result)) for result in batch] for batch in told])
    assert answers[0] == answers[1]
    await store.close()


def _origin(told: Sequence[Sequence[EventResult]], result: EventResult) -> int:
    """Which of all events first had this id."""
    ids = [each.event_id for batch in told for each in batch]
    return ids.index(result.event_id)


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server that these tests may start again."""
    server = Cluster.in_new_folder()
    yield server
    server.remove()


async def test_after_a_restart_or_a_restore_the_database_is_asked_again(own_cluster: Cluster, asked: Asked) -> None:
    database = Postgres(own_cluster, await make_template(own_cluster))
    store = await database.open()
    world = on(store)
    (first,) = await world.submit(*keyed("a"))
    incarnations = {await _incarnation(store)}
    await asyncio.to_thread(own_cluster.stop)
    await asyncio.to_thread(own_cluster.start)
    incarnations.add(await _incarnation(store))
    asked.clear()
    assert await world.submit(*keyed("a")) == [is_repeat_of(first)]
    assert asked[0].idempotency == ((TENANT, "a"),)

    own_cluster.sql("TRUNCATE idempotency, event", database._name)  # what a restore does before it fills them
    incarnations.add(await _incarnation(store))
    assert (await world.submit(*keyed("a")))[0].disposition is Disposition.ATTACHED
    assert len(incarnations) == 3
    await store.close()


async def _incarnation(store: Store) -> str:
    async with store.transaction() as tx:
        return await tx.incarnation()


async def linked(url: str, prefix: str) -> Connection:
    link = Connection(redis_urls.parse(url), Deadlines(0.5, 0.5), prefix, lambda *_: None)
    await link.probe()
    return link


async def told(world: World) -> None:
    """Waits until others know what the world has told them."""
    if (telling := world.tools.seen._telling) is not None:
        await telling


async def test_processes_tell_each_other_while_repeats_are_frequent(
    cluster: Cluster, template: str, redis_own: RedisServer, asked: Asked
) -> None:
    database, link = Postgres(cluster, template), await linked(redis_own.url, "test")
    stores = [await database.open() for _ in range(2)]
    one, other = (on(store, RedisSeen(link)) for store in stores)
    fresh = await one.submit(*keyed("a", "b", "c"))
    await told(one)
    assert redis_own.command("DBSIZE") == 0  # nobody repeats anything: nothing is told

    repeats = [is_repeat_of(result) for result in fresh]
    assert await other.submit(*keyed("a", "b", "c")) == repeats  # from the database
    await told(other)
    assert redis_own.command("DBSIZE") == 3
    assert await one.submit(*keyed("a")) == repeats[:1]  # from its own memory; now it knows that repeats are frequent
    (late,) = await other.submit(*keyed("late"))
    await told(other)
    asked.clear()
    assert await one.submit(*keyed("late")) == [is_repeat_of(late)]  # from Redis
    assert asked == [Claims()]

    redis_own.flush()
    one.tools.seen._rows.clear()
    assert await one.submit(*keyed("a", "late")) == [repeats[0], is_repeat_of(late)]
    assert asked[-1].idempotency == ((TENANT, "a"), (TENANT, "late"))
    redis_own.kill()
    one.tools.seen._rows.clear()
    assert await one.submit(*keyed("a", "b")) == repeats[:2]
    for store in stores:
        await store.close()
    await link.close()
    database.remove()


async def test_a_redis_of_before_a_restore_answers_nothing(
    own_cluster: Cluster, redis_shared: RedisServer, asked: Asked
) -> None:
    database = Postgres(own_cluster, await make_template(own_cluster))
    link = await linked(redis_shared.url, f"test-{uuid4()}")
    store = await database.open()
    before = on(store, RedisSeen(link))
    for _ in range(3):
        await before.submit(*keyed("a"))
        await told(before)
    own_cluster.sql("TRUNCATE idempotency, event", database._name)
    after = on(store, RedisSeen(link))
    for name in ("x", "x", "x"):  # so that it asks others
        await after.submit(*keyed(name))
    assert (await after.submit(*keyed("a")))[0].disposition is Disposition.ATTACHED
    await store.close()
    await link.close()


async def test_a_slow_redis_is_not_waited_for(
    cluster: Cluster, template: str, redis_own: RedisServer, asked: Asked
) -> None:
    database, link = Postgres(cluster, template), await linked(redis_own.url, "test")
    store = await database.open()
    world = on(store, RedisSeen(link))
    for _ in range(3):
        await world.submit(*keyed("a"))
    await told(world)
    redis_own.freeze()
    start = asyncio.get_running_loop().time()
    (fresh,) = await world.submit(*keyed("b"))
    assert fresh.disposition is Disposition.ATTACHED
    assert asyncio.get_running_loop().time() - start < 0.25
    redis_own.thaw()
    await store.close()
    await link.close()
    database.remove()
