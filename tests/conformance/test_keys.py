"""One open incident for each fingerprint, and the memory of the one before."""

import asyncio
from dataclasses import replace

import pytest

from llm_incident_manager.domain.fingerprint import Fingerprint
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.ports.changes import Changes, Claims, KeyRow
from llm_incident_manager.ports.stores import KeyTaken, Store
from tests.support.builders import key_of, make_incident, make_opening
from tests.support.steps import claimed, later, opened, release, write


def successor(incident: Incident) -> Incident:
    return make_incident(fingerprint=incident.fingerprint, tenant=incident.tenant)


async def resolve(store: Store, incident: Incident) -> None:
    resolved = incident.moved(State.RESOLVED, later(60))
    await write(store, Changes(changed=[resolved], keys_released=release(incident)))


async def test_a_claim_finds_the_holder_as_it_is_now(store: Store) -> None:
    first, second = await opened(store), await opened(store)
    changed = second.changed(later(1), title="changed")
    await write(store, Changes(changed=[changed]))
    unknown = key_of(make_incident())
    found = await claimed(store, key_of(first), unknown, key_of(second))
    assert found.holders == {key_of(first): first.holder, key_of(second): changed.holder}
    assert found.previous == {}


async def test_a_fingerprint_that_is_held_cannot_be_taken(store: Store) -> None:
    holder = await opened(store)
    with pytest.raises(KeyTaken):
        await write(store, make_opening(successor(holder)))
    assert (await claimed(store, key_of(holder))).holders == {key_of(holder): holder.holder}


async def test_a_released_fingerprint_is_free_and_remembers_who_held_it(store: Store) -> None:
    holder = await opened(store)
    await resolve(store, holder)
    found = await claimed(store, key_of(holder))
    assert found.holders == {}
    assert found.previous == {key_of(holder): holder.id}


async def test_a_fingerprint_that_is_held_again_names_no_previous_incident(store: Store) -> None:
    first = await opened(store)
    await resolve(store, first)
    second = successor(first)
    await write(store, make_opening(second))
    found = await claimed(store, key_of(first))
    assert found.holders == {key_of(first): second.holder}
    assert found.previous == {}


async def test_the_previous_incident_is_the_last_of_several(store: Store) -> None:
    first = await opened(store)
    await resolve(store, first)
    second = successor(first)
    await write(store, make_opening(second))
    await resolve(store, second)
    assert (await claimed(store, key_of(first))).previous == {key_of(first): second.id}


async def test_nobody_but_the_holder_releases_a_fingerprint(store: Store) -> None:
    holder = await opened(store)
    other = await opened(store)
    await write(store, Changes(keys_released=[KeyRow(key_of(holder), other.id)]))
    assert (await claimed(store, key_of(holder))).holders == {key_of(holder): holder.holder}


async def test_a_successor_takes_a_fingerprint_in_the_unit_that_releases_it(store: Store) -> None:
    first = await opened(store)
    second = successor(first)
    changes = make_opening(second)
    changes.changed = [first.moved(State.RESOLVED, later(5))]
    changes.keys_released = release(first)
    await write(store, changes)
    assert (await claimed(store, key_of(first))).holders == {key_of(first): second.holder}


async def test_an_incident_opened_and_resolved_in_one_unit_holds_nothing(store: Store) -> None:
    incident = make_incident()
    changes = make_opening(replace(incident, state=State.RESOLVED))
    changes.keys_released = release(incident)
    await write(store, changes)
    found = await claimed(store, key_of(incident))
    assert found.holders == {}
    assert found.previous == {key_of(incident): incident.id}


async def test_several_incidents_of_one_fingerprint_may_come_and_go_in_one_unit(store: Store) -> None:
    first = make_incident()
    second, third = successor(first), successor(first)
    changes = make_opening(first, second, third)
    changes.keys_released = release(first, second)
    await write(store, changes)
    assert (await claimed(store, key_of(first))).holders == {key_of(first): third.holder}
    await resolve(store, third)
    assert (await claimed(store, key_of(first))).previous == {key_of(first): third.id}


async def test_equal_values_of_other_versions_and_tenants_are_other_fingerprints(store: Store) -> None:
    one = await opened(store, fingerprint=Fingerprint(0, "same"))
    two = await opened(store, fingerprint=Fingerprint(1, "same"))
    three = await opened(store, fingerprint=Fingerprint(1, "same"), tenant=TenantId("other"))
    found = await claimed(store, key_of(one), key_of(two), key_of(three))
    assert found.holders == {key_of(one): one.holder, key_of(two): two.holder, key_of(three): three.holder}


async def test_a_fingerprint_may_point_to_an_incident_of_another_one(store: Store) -> None:
    source, target = await opened(store), await opened(store)
    moved = KeyRow(key_of(source), target.id)
    await write(store, Changes(keys_released=release(source), keys_taken=[moved]))
    found = await claimed(store, key_of(source), key_of(target))
    assert found.holders == {key_of(source): target.holder, key_of(target): target.holder}


async def test_of_two_units_that_open_one_fingerprint_exactly_one_wins(store: Store) -> None:
    fingerprint = make_incident().fingerprint

    async def open_or_find() -> str:
        incident = make_incident(fingerprint=fingerprint)
        async with store.transaction() as tx:
            found = await tx.claim(Claims(fingerprints=(key_of(incident),)))
            await asyncio.sleep(0.01)
            if found.holders:
                return "found"
            await tx.write(make_opening(incident))
        return "opened"

    outcomes = await asyncio.gather(*(open_or_find() for _ in range(4)), return_exceptions=True)
    assert outcomes.count("opened") == 1
    rest = [outcome for outcome in outcomes if outcome not in ("opened", "found")]
    assert all(isinstance(outcome, KeyTaken) for outcome in rest), rest


async def test_a_thousand_fingerprints_are_claimed_at_once(store: Store) -> None:
    held = [make_incident() for _ in range(500)]
    await write(store, make_opening(*held))
    free = [make_incident() for _ in range(500)]
    mixed = [key_of(incident) for pair in zip(free, held, strict=True) for incident in pair]
    found = await claimed(store, *mixed)
    assert found.holders == {key_of(incident): incident.holder for incident in held}
