"""Every back end finds what the evaluation in memory lets pass, and pages in the documented order."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_incident_manager.domain import filter_match, filters
from llm_incident_manager.domain.filter_fields import FIELDS, SORTABLE
from llm_incident_manager.domain.filters import Filter, Order
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Count, IncidentQuery, Store
from tests.support import random_filters
from tests.support.random_filters import TENANT
from tests.support.steps import indexed, write

EVERYTHING = random_filters.population()
# The examples only read, so they may share the store of their test.
SHARED = (HealthCheck.function_scoped_fixture,)


@pytest.fixture(params=["behind", "halfway", "indexed"])
async def filled(store: Store, request: pytest.FixtureRequest) -> Store:
    """With the copy that lists ask at the start of the feed, in the middle of it, and at its end."""
    await write(store, Changes(opened=EVERYTHING))
    if request.param == "halfway":
        await store.index_incidents(len(EVERYTHING) // 2)
    elif request.param == "indexed":
        await indexed(store)
    return store


async def found(store: Store, filter_: Filter) -> set[str]:
    query = IncidentQuery(TENANT, filter_, limit=len(EVERYTHING))
    ids = {str(incident.id) for incident in await store.incidents(query)}
    assert await store.count_incidents(query) == len(ids)
    return ids


def passing(filter_: Filter) -> set[str]:
    return {str(incident.id) for incident in EVERYTHING if filter_match.matches(filter_, incident)}


@settings(max_examples=40, deadline=None, suppress_health_check=SHARED)
@given(filter_=random_filters.filters())
async def test_a_filter_finds_what_passes_in_memory(filled: Store, filter_: Filter) -> None:
    assert await found(filled, filter_) == passing(filter_)


@settings(max_examples=5, deadline=None, suppress_health_check=SHARED)
@given(data=st.data())
async def test_of_each_field_a_test_and_its_opposite_find_what_passes(filled: Store, data: st.DataObject) -> None:
    for field in FIELDS.values():
        test = random_filters.filter_of(data.draw(random_filters.leaves_of(field)))
        opposite = filters.parse(f"NOT {test.text}")
        assert await found(filled, test) == passing(test), test.text
        assert await found(filled, opposite) == passing(opposite), opposite.text


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
async def test_pages_by_each_field_give_each_row_once_and_in_order(filled: Store, *, descending: bool) -> None:
    for name in [name for name, field in FIELDS.items() if field.type in SORTABLE]:
        order = (Order(name, descending),)
        query, ids = IncidentQuery(TENANT, order=order, limit=30), list[str]()
        while page := await filled.incidents(query):
            ids += [incident.id for incident in page]
            query = replace(query, after=filters.place_of(page[-1], order))
        assert ids == [incident.id for incident in random_filters.sorted_by(order, EVERYTHING)], name


@settings(max_examples=25, deadline=None, suppress_health_check=SHARED)
@given(filter_=random_filters.alternatives(), order=random_filters.orders(), skipped=st.integers(0, 3))
async def test_alternatives_with_an_index_each_list_every_incident_once(
    filled: Store, filter_: Filter, order: tuple[Order, ...], skipped: int
) -> None:
    expected = [one.id for one in random_filters.sorted_by(order, EVERYTHING) if filter_match.matches(filter_, one)]
    query, ids = IncidentQuery(TENANT, filter_, order=order, limit=7, offset=skipped), list[str]()
    while page := await filled.incidents(query):
        ids += [incident.id for incident in page]
        query = replace(query, offset=0, after=filters.place_of(page[-1], order))
    assert ids == expected[skipped:]
    assert await filled.count_incidents(query) == len(expected)
    for most in (0, 3, len(EVERYTHING)):
        told = await filled.count_up_to(query, most)
        assert told == Count(len(expected)) or (told == Count(most, at_least=True) and most < len(expected))
