"""The SQL of filters, orders and pages against SQLite: it answers as the evaluation in memory does."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_incident_manager.adapters.sql import dialect, filters, migrations, records
from llm_incident_manager.domain import filter_match
from llm_incident_manager.domain import filters as language
from llm_incident_manager.domain.filter_fields import FIELDS, SORTABLE, Field
from llm_incident_manager.domain.filters import Filter, Order
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.stores import IncidentQuery
from tests.support import random_filters
from tests.support.random_filters import TENANT

DIALECTS = (dialect.SQLITE, dialect.POSTGRES)
_SCHEMA = "".join(each.sql for each in migrations.load("sqlite"))
_INSERT = (
    f"INSERT INTO incident ({', '.join(records.INCIDENT_COLUMNS)}) "
    f"VALUES ({', '.join('?' * len(records.INCIDENT_COLUMNS))})"
)


class Table:
    """An incident table in memory."""

    def __init__(self) -> None:
        self.connection = apsw.Connection(":memory:")
        self.connection.execute(_SCHEMA)

    def hold(self, incidents: Sequence[Incident]) -> None:
        rows = [records.incident_row(incident, dialect.uuid_bytes) for incident in incidents]
        self.connection.executemany(_INSERT, [tuple(map(_stored, row)) for row in rows])

    def ids(self, query: IncidentQuery) -> list[str]:
        clause = filters.page(query, dialect.SQLITE)
        found = self.connection.execute(f"SELECT lower(hex(id)) FROM incident {clause.text}", clause.parameters)
        return [re.sub(r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", r"\1-\2-\3-\4-\5", str(row[0])) for row in found]

    def count(self, query: IncidentQuery) -> int:
        clause = filters.selection(query, dialect.SQLITE)
        counted = self.connection.execute(f"SELECT count(*) FROM incident {clause.text}", clause.parameters)
        return int(str(counted.fetchall()[0][0]))


def _stored(value: object) -> str | int | float | bytes | None:
    """Plain values: the driver takes no enums."""
    if isinstance(value, str):
        return str(value)
    return int(value) if isinstance(value, int) else cast("float | bytes | None", value)


EVERYTHING = random_filters.population()
BY_ID = {str(incident.id): incident for incident in EVERYTHING}


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    found = Table()
    found.hold(EVERYTHING)
    yield found
    found.connection.close()


def matching(filter_: Filter) -> set[str]:
    return {str(incident.id) for incident in EVERYTHING if filter_match.matches(filter_, incident)}


def all_of(filter_: Filter | None = None) -> IncidentQuery:
    return IncidentQuery(TENANT, filter_, limit=len(EVERYTHING) + 1)


def pages(table: Table, query: IncidentQuery) -> Iterator[list[str]]:
    """Every page of a query, each continued behind the last row of the one before it."""
    while found := table.ids(query):
        yield found
        query = replace(query, after=language.place_of(BY_ID[found[-1]], query.order))


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_of_each_field_sql_finds_what_matches_in_memory_and_not_finds_the_rest(
    table: Table, field: Field, data: st.DataObject
) -> None:
    test = random_filters.filter_of(data.draw(random_filters.leaves_of(field)))
    opposite = language.parse(f"NOT {test.text}")
    found, others = table.ids(all_of(test)), table.ids(all_of(opposite))
    assert set(found) == matching(test)
    assert set(others) == matching(opposite)
    assert sorted(found + others) == sorted(BY_ID)


@settings(max_examples=120, deadline=None)
@given(filter_=random_filters.filters())
def test_sql_finds_and_counts_exactly_what_matches_in_memory(table: Table, filter_: Filter) -> None:
    query = all_of(filter_)
    assert set(table.ids(query)) == matching(filter_)
    assert table.count(query) == len(matching(filter_))


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.type in SORTABLE])
def test_pages_by_each_field_give_each_row_once_and_in_order(table: Table, name: str, *, descending: bool) -> None:
    in_order(table, (Order(name, descending),), 9)


@settings(max_examples=40, deadline=None)
@given(order=random_filters.orders(), size=st.integers(5, 50))
def test_pages_by_any_fields_give_each_row_once_and_in_order(table: Table, order: tuple[Order, ...], size: int) -> None:
    in_order(table, order, size)


def in_order(table: Table, order: tuple[Order, ...], size: int) -> None:
    query = IncidentQuery(TENANT, order=order, limit=size)
    by_place = list(pages(table, query))
    assert [id_ for page in by_place for id_ in page] == [i.id for i in random_filters.sorted_by(order, EVERYTHING)]
    assert by_place == [table.ids(replace(query, offset=size * number)) for number in range(len(by_place))]


@pytest.mark.parametrize("first", range(-1, 6))
@pytest.mark.parametrize("last", range(-1, 6))
def test_a_span_includes_its_first_and_excludes_its_last_instant(table: Table, first: int, last: int) -> None:
    start, end = (Instant(random_filters.TIMES[0] + offset) for offset in (first, last))
    query = replace(all_of(), created_from=start, created_before=end)
    assert set(table.ids(query)) == {str(i.id) for i in EVERYTHING if start <= i.created_at < end}


def test_another_tenant_sees_nothing(table: Table) -> None:
    assert table.ids(IncidentQuery(TenantId("other"), language.parse("event_count >= 0 OR NOT event_count >= 0"))) == []


@pytest.mark.parametrize("spelling", DIALECTS, ids=["sqlite", "postgres"])
@settings(max_examples=50, deadline=None)
@given(filter_=random_filters.filters(), order=random_filters.orders())
def test_a_statement_is_made_of_our_words_and_numbered_parameters_only(
    spelling: dialect.Dialect, filter_: Filter, order: tuple[Order, ...]
) -> None:
    clause = filters.page(IncidentQuery(TENANT, filter_, order), spelling)
    ours = clause.text.replace(" <> ''", "").replace("'{}'::jsonb", "").replace('COLLATE "C"', "")
    ours = ours.replace("|| CASE", "CASE").replace("'0000000000' ||", "").replace("ELSE ''", "")
    assert re.fullmatch(r"[A-Za-z0-9_.,()<>=:?$ -]*", ours)
    used = {int(number) for number in re.findall(r"[?$](\d+)", clause.text)}
    assert used == set(range(1, len(clause.parameters) + 1))


def test_the_deepest_and_longest_filter_runs(table: Table) -> None:
    deep = "NOT (a OR " * 32 + "a" + ")" * 32
    for text in (deep, " ".join(["a"] * 256), " OR ".join(["kind=a"] * 256), " ".join(["-assignees:a"] * 256)):
        assert set(table.ids(all_of(language.parse(text)))) == matching(language.parse(text))


def test_a_place_that_does_not_fit_the_order_is_refused() -> None:
    query = IncidentQuery(TENANT, order=(Order("title"),), after=("x",))
    with pytest.raises(ValueError, match="does not fit"):
        filters.page(query, dialect.SQLITE)
