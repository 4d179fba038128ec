"""The whole state × verb product, through the use cases, on every database."""

import itertools
from dataclasses import dataclass

import pytest

from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.domain import lifecycle
from llm_incident_manager.domain.errors import FingerprintTaken, IllegalTransition, NotFound, StaleEtag
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State, Verb
from llm_incident_manager.domain.time import MINUTE, Instant
from llm_incident_manager.ports.changes import Changes, KeyRow
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.incidents import Ask, Incidents, Target
from tests.support.builders import NOW, TENANT, key_of, make_incident
from tests.support.world import HeldClock

CALLER = Caller(TENANT, "ann")


@dataclass
class Desk:
    """Use cases on a store."""

    store: Store
    clock: HeldClock
    incidents: Incidents

    async def opened(self) -> Incident:
        incident = make_incident()
        async with self.store.transaction() as tx:
            await tx.write(Changes(opened=[incident], keys_taken=[KeyRow(key_of(incident), incident.id)]))
        return incident

    async def ask(self, ref: str, verb: Verb, *, force: bool = False, etag: str = "") -> Incident:
        async with self.store.transaction() as tx:
            changes = Changes()
            moved = await self.incidents.move(tx, changes, CALLER, Target(ref, etag), Ask(verb, "ann", force=force))
            await tx.write(changes)
        return moved


@pytest.fixture
def desk(store: Store) -> Desk:
    """Use cases on the store under test, with held time."""
    clock = HeldClock(Instant(NOW + MINUTE))
    return Desk(store, clock, Incidents(clock, Uuid7()))


WAYS: dict[State, tuple[Verb, ...]] = {
    State.NEW: (),
    State.ACKNOWLEDGED: (Verb.ACKNOWLEDGE,),
    State.IN_PROGRESS: (Verb.ACKNOWLEDGE, Verb.START_WORK),
    State.ESCALATED: (Verb.ESCALATE,),
    State.RESOLVED: (Verb.RESOLVE,),
    State.CLOSED: (Verb.RESOLVE, Verb.CLOSE),
}


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(State, Verb)))
async def test_each_pair_is_stored_as_the_table_says_or_refused_and_unchanged(
    desk: Desk, state: State, verb: Verb
) -> None:
    incident = await desk.opened()
    for step in WAYS[state]:
        await desk.ask(incident.id, step, force=True)
    before = await desk.store.incident(TENANT, incident.id)
    assert before.state is state
    path = lifecycle.PATHS.get((state, verb))
    if path is None and (state, verb) not in lifecycle.REPEATS:
        with pytest.raises(IllegalTransition):
            await desk.ask(incident.id, verb)
        assert await desk.store.incident(TENANT, incident.id) == before
        return
    moved = await desk.ask(incident.number, verb)
    after = await desk.store.incident(TENANT, incident.id)
    assert after == moved
    assert after.state is (path[-1] if path else state)
    assert after.revision == before.revision + len(path or ())
    entries = await desk.store.timeline(TENANT, incident.id, "", 100)
    assert len([e for e in entries if e.kind == "STATE"]) == sum(
        len(lifecycle.steps(a, v, force=True)) for a, v in _walk(state, verb)
    )


def _walk(state: State, verb: Verb) -> list[tuple[State, Verb]]:
    walked, here = [], State.NEW
    for step in (*WAYS[state], verb):
        walked.append((here, step))
        moves = lifecycle.steps(here, step, force=True)
        here = moves[-1].after if moves else here
    return walked


async def test_times_to_acknowledge_and_resolve_stand_on_the_incident(desk: Desk) -> None:
    incident = await desk.opened()
    acknowledged = await desk.ask(incident.id, Verb.ACKNOWLEDGE)
    desk.clock.forward(9 * MINUTE)
    resolved = await desk.ask(incident.id, Verb.RESOLVE)
    assert acknowledged.acknowledged_at == NOW + MINUTE
    assert resolved.resolved_at == NOW + 10 * MINUTE


async def test_a_stale_etag_is_refused_and_names_the_current_one(desk: Desk) -> None:
    incident = await desk.opened()
    moved = await desk.ask(incident.id, Verb.ACKNOWLEDGE, etag=incident.etag)
    with pytest.raises(StaleEtag) as refused:
        await desk.ask(incident.id, Verb.START_WORK, etag=incident.etag)
    assert refused.value.metadata["current"] == moved.etag


async def test_resolving_frees_the_fingerprint_and_reopening_takes_it_back(desk: Desk) -> None:
    incident = await desk.opened()
    await desk.ask(incident.id, Verb.RESOLVE, force=True)
    async with desk.store.transaction() as tx:
        assert await tx.holder(key_of(incident)) is None
    await desk.ask(incident.id, Verb.REOPEN)
    async with desk.store.transaction() as tx:
        assert await tx.holder(key_of(incident)) == incident.id


async def test_reopening_against_a_taken_fingerprint_names_the_holder(desk: Desk) -> None:
    old = await desk.opened()
    await desk.ask(old.id, Verb.RESOLVE, force=True)
    successor = make_incident(fingerprint=old.fingerprint)
    async with desk.store.transaction() as tx:
        await tx.write(Changes(opened=[successor], keys_taken=[KeyRow(key_of(successor), successor.id)]))
    with pytest.raises(FingerprintTaken) as refused:
        await desk.ask(old.id, Verb.REOPEN)
    assert refused.value.metadata["holder"] == successor.id


async def test_reopening_clears_the_resolution_and_keeps_it_in_the_timeline(desk: Desk) -> None:
    incident = await desk.opened()
    await desk.ask(incident.id, Verb.RESOLVE, force=True)
    reopened = await desk.ask(incident.id, Verb.REOPEN)
    entries = await desk.store.timeline(TENANT, incident.id, "", 100)
    assert (reopened.resolution, reopened.resolved_at) == (None, None)
    assert entries[-1].details["resolved_by"] == "ann"


async def test_an_unknown_incident_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.ask("INC-20200101-00001", Verb.ACKNOWLEDGE)
