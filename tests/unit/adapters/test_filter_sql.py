"""The SQL of filters, orders and pages against SQLite: it answers as the evaluation in memory does."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_incident_manager.adapters.sql import dialect, filters, records
from llm_incident_manager.domain import filter_match
from llm_incident_manager.domain import filters as language
from llm_incident_manager.domain.filters import Filter, Order
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.stores import IncidentQuery
from tests.support import random_filters
from tests.support.random_filters import TENANT
from tools import shell

DIALECTS = (dialect.SQLITE, dialect.POSTGRES)
_SCHEMA = (shell.ROOT / "migrations/sqlite/0001_pre_first.sql").read_text("utf-8")
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
        self.connection.execute("DELETE FROM incident")
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


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    found = Table()
    yield found
    found.connection.close()


def pages(table: Table, query: IncidentQuery, incidents: Sequence[Incident]) -> Iterator[list[str]]:
    """Every page of a query, each continued behind the last row of the one before it."""
    by_id = {str(incident.id): incident for incident in incidents}
    while found := table.ids(query):
        yield found
        query = replace(query, after=language.place_of(by_id[found[-1]], query.order))


@settings(max_examples=250, deadline=None)
@given(incidents=random_filters.incidents(), filter_=random_filters.filters())
def test_sql_finds_exactly_what_matches_in_memory(table: Table, incidents: list[Incident], filter_: Filter) -> None:
    table.hold(incidents)
    query = IncidentQuery(TENANT, filter_)
    expected = {str(incident.id) for incident in incidents if filter_match.matches(filter_, incident)}
    assert set(table.ids(query)) == expected
    assert table.count(query) == len(expected)


@settings(max_examples=100, deadline=None)
@given(incidents=random_filters.incidents(), filter_=random_filters.filters())
def test_a_filter_and_its_negation_divide_all_incidents(
    table: Table, incidents: list[Incident], filter_: Filter
) -> None:
    table.hold(incidents)
    negated = language.parse(f"NOT ({filter_.text})")
    found, others = table.ids(IncidentQuery(TENANT, filter_)), table.ids(IncidentQuery(TENANT, negated))
    assert sorted(found + others) == sorted(str(incident.id) for incident in incidents)


@settings(max_examples=150, deadline=None)
@given(incidents=random_filters.incidents(6), order=random_filters.orders(), size=st.integers(1, 4))
def test_pages_by_place_give_each_row_once_and_in_order(
    table: Table, incidents: list[Incident], order: tuple[Order, ...], size: int
) -> None:
    table.hold(incidents)
    found = [id_ for page in pages(table, IncidentQuery(TENANT, order=order, limit=size), incidents) for id_ in page]
    assert found == [incident.id for incident in random_filters.sorted_by(order, incidents)]


@settings(max_examples=50, deadline=None)
@given(incidents=random_filters.incidents(6), order=random_filters.orders(), size=st.integers(1, 4))
def test_pages_by_offset_are_the_pages_by_place(
    table: Table, incidents: list[Incident], order: tuple[Order, ...], size: int
) -> None:
    table.hold(incidents)
    query = IncidentQuery(TENANT, order=order, limit=size)
    by_place = list(pages(table, query, incidents))
    assert [table.ids(replace(query, offset=size * n)) for n in range(len(by_place))] == by_place


@settings(max_examples=50, deadline=None)
@given(incidents=random_filters.incidents(), offsets=st.tuples(st.integers(-1, 6), st.integers(-1, 6)))
def test_a_span_includes_its_first_and_excludes_its_last_instant(
    table: Table, incidents: list[Incident], offsets: tuple[int, int]
) -> None:
    table.hold(incidents)
    first, last = (Instant(1_700_000_000_000_000 + offset) for offset in offsets)
    query = IncidentQuery(TENANT, created_from=first, created_before=last)
    expected = {str(incident.id) for incident in incidents if first <= incident.created_at < last}
    assert set(table.ids(query)) == expected


def test_another_tenant_sees_nothing(table: Table) -> None:
    table.connection.execute("UPDATE incident SET tenant = tenant")
    assert table.ids(IncidentQuery(TenantId("other"), language.parse("event_count >= 0 OR NOT event_count >= 0"))) == []


@pytest.mark.parametrize("spelling", DIALECTS, ids=["sqlite", "postgres"])
@settings(max_examples=100, deadline=None)
@given(filter_=random_filters.filters(), order=random_filters.orders())
def test_a_statement_is_made_of_our_words_and_numbered_parameters_only(
    spelling: dialect.Dialect, filter_: Filter, order: tuple[Order, ...]
) -> None:
    clause = filters.page(IncidentQuery(TENANT, filter_, order), spelling)
    ours = clause.text.replace(" <> ''", "").replace("'{}'::jsonb", "").replace('COLLATE "C"', "")
    assert re.fullmatch(r"[A-Za-z0-9_.,()<>=:?$ -]*", ours)
    used = {int(number) for number in re.findall(r"[?$](\d+)", clause.text)}
    assert used == set(range(1, len(clause.parameters) + 1))


def test_the_deepest_and_longest_filter_runs(table: Table) -> None:
    table.hold([])
    deep = "NOT (a OR " * 32 + "a" + ")" * 32
    for text in (deep, " ".join(["a"] * 256), " OR ".join(["kind=a"] * 256), " ".join(["-assignees:a"] * 256)):
        assert table.ids(IncidentQuery(TENANT, language.parse(text))) == []


def test_a_place_that_does_not_fit_the_order_is_refused() -> None:
    query = IncidentQuery(TENANT, order=(Order("title"),), after=("x",))
    with pytest.raises(ValueError, match="does not fit"):
        filters.page(query, dialect.SQLITE)
