"""Two processes' worth of ingest and people on the same few incidents: nobody deadlocks, nothing is lost or doubled."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest

from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.store import PostgresStore, open_store
from llm_incident_manager.domain.fingerprint import CURRENT, Fingerprint
from llm_incident_manager.domain.incident import Holder, Incident, Tally
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.ports.changes import Changes, Claims, FingerprintKey, IdempotencyRow, KeyRow, TallyRow
from llm_incident_manager.ports.stores import IncidentQuery, KeyTaken
from tests.support.builders import NOW, TENANT, key_of, make_audit, make_event_row, make_id, make_incident, make_opening
from tests.support.postgres import Cluster

FINGERPRINTS = [Fingerprint(CURRENT, f"{n:032x}") for n in range(8)]
ROUNDS = 40


class Crowd:
    """Ingest and people, each deciding as the real ones do; counts what was committed and why something was not."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.events = 0
        self.taken: list[str] = []

    async def repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        """A unit of work, again whenever somebody was faster."""
        for _ in range(100):
            try:
                return await work()
            except KeyTaken as e:
                self.taken.append(e.message)
        raise AssertionError("it never succeeds")

    async def ingest(self, store: PostgresStore) -> None:
        wanted = self.chance.sample(FINGERPRINTS, self.chance.randint(1, 5))
        keys = tuple(FingerprintKey(TENANT, *fingerprint[:2]) for fingerprint in wanted)
        names = tuple((TENANT, f"event-{self.chance.randrange(10_000)}") for _ in range(3))
        async with store.transaction() as tx:
            claimed = await tx.claim(Claims(idempotency=names, fingerprints=keys))
            changes = Changes()
            whole = {found.id: found for found in await tx.incidents(TENANT, [h.id for h in claimed.holders.values()])}
            for key, fingerprint in zip(keys, wanted, strict=True):
                holder = claimed.holders.get(key)
                self.report(changes, whole[holder.id] if holder else None, fingerprint)
            for tenant, name in set(names) - set(claimed.idempotency):
                changes.idempotency.append(IdempotencyRow(tenant, name, changes.events[0].id, None, NOW))
            await tx.write(changes)
        self.events += len(keys)

    def report(self, changes: Changes, holder: Incident | None, fingerprint: Fingerprint) -> None:
        if holder is None:
            opening = make_opening(make_incident(fingerprint=fingerprint))
            for name in ("opened", "events", "bodies", "keys_taken", "timeline", "audit", "feed", "outbox"):
                getattr(changes, name).extend(getattr(opening, name))
            return
        changes.events.append(make_event_row(holder))
        if self.chance.random() < 0.2:
            resolved = replace(holder.moved(State.RESOLVED, NOW), event_count=holder.event_count + 1)
            changes.changed.append(resolved)
            changes.keys_released.append(KeyRow(key_of(holder), holder.id))
        else:
            changes.tallies.append(TallyRow(TENANT, holder.id, Tally(1)))

    async def decide(self, store: PostgresStore) -> None:
        """A person resolves what is open, and reopens what is resolved and has no successor."""
        known = await store.incidents(IncidentQuery(TENANT, limit=30))
        if not known:
            return
        chosen = self.chance.choice(known)
        async with store.transaction() as tx:
            incident = await tx.incident(TENANT, chosen.number)
            key = KeyRow(key_of(incident), incident.id)
            changes = Changes(audit=[make_audit(incident)])
            if incident.is_open:
                changes.changed.append(incident.moved(State.RESOLVED, NOW))
                changes.keys_released.append(key)
            elif await tx.holder(key.key) is None:
                changes.changed.append(incident.moved(State.IN_PROGRESS, NOW))
                changes.keys_taken.append(key)
            await tx.write(changes)


@pytest.fixture
async def stores(options: Options) -> AsyncIterator[list[PostgresStore]]:
    patient = Options(options.dsn, pool_size=4, may_lose_commits=True)
    opened = [await open_store(patient, make_id(), NOW) for _ in range(2)]
    yield opened
    for store in opened:
        await store.close()


async def test_crowded_incidents_neither_deadlock_nor_lose_nor_double_anything(
    stores: list[PostgresStore], cluster: Cluster, database: str
) -> None:
    crowd = Crowd(20261121)

    async def worker(store: PostgresStore) -> None:
        for _ in range(ROUNDS):
            work = crowd.ingest if crowd.chance.random() < 0.7 else crowd.decide
            await crowd.repeat(partial(work, store))

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(worker(stores[number % 2]))

    assert not [message for message in crowd.taken if "Deadlock" in message]
    incidents = await stores[0].incidents(IncidentQuery(TENANT, limit=10_000))
    assert sum(incident.event_count for incident in incidents) == crowd.events
    still = {incident.id for incident in incidents if incident.is_open}
    held = cluster.sql("SELECT incident_id FROM incident_key", database).split()
    assert sorted(held) == sorted(still)
    opened = [incident.fingerprint for incident in incidents if incident.is_open]
    assert len(opened) == len(set(opened))


async def test_a_verb_and_a_batch_that_meet_take_turns(stores: list[PostgresStore]) -> None:
    incident = make_incident()
    async with stores[0].transaction() as tx:
        await tx.write(make_opening(incident))
    waiting = asyncio.Event()

    async def batch() -> Holder | None:
        async with stores[1].transaction() as tx:
            waiting.set()
            return (await tx.claim(Claims(fingerprints=(key_of(incident),)))).holders.get(key_of(incident))

    async with stores[0].transaction() as tx:
        locked = await tx.incident(TENANT, incident.id)
        meeting = asyncio.create_task(batch())
        await waiting.wait()
        resolved = locked.moved(State.RESOLVED, NOW)
        await tx.write(Changes(changed=[resolved], keys_released=[KeyRow(key_of(incident), incident.id)]))
    assert await meeting is None
