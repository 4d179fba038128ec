"""Each documented way to ask for incidents goes along an index, and so does what ingest looks up: the plans say so."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import apsw
import asyncpg
import pytest

from bench import population
from llm_incident_manager.adapters.postgres.statements import SELECT_INCIDENTS, SQL
from llm_incident_manager.adapters.sql import dialect
from llm_incident_manager.adapters.sql.filters import Clause
from llm_incident_manager.adapters.sql.listing import Lists, Steps
from llm_incident_manager.adapters.sqlite.statements import STATEMENTS
from llm_incident_manager.domain import filters, search
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import IncidentQuery, Store
from tests.support.backends import Backend, Postgres, SqliteFile
from tests.support.steps import indexed, write

INCIDENTS = 1_500
BIG = ("incident", "incident_index", "incident_term", "incident_document", "event", "timeline", "idempotency")

# Filter, order, search, and the index that the ids of a page come from.
WAYS = [
    ("state = ESCALATED", "", "", "ix_incident_index_state"),
    ('kind = "prompts_ignored"', "", "", "ix_incident_index_kind"),
    ('service = "wiki-gateway"', "", "", "ix_incident_index_service"),
    ('application = "wiki"', "", "", "ix_incident_index_application"),
    ('model = "llama-f"', "", "", "ix_incident_index_model"),
    ('deployment = "eu-west-7"', "", "", "ix_incident_index_deployment"),
    ('service = "wiki-gateway" AND severity >= P1', "", "", "ix_incident_index_service"),
    ('service = "wiki-gateway" OR severity = P0', "", "", "ix_incident_index_service"),
    ('service = "wiki-gateway" OR severity = P0', "", "", "ix_incident_index_severity"),
    (f'labels.{population.RARE_LABEL[0]} = "{population.RARE_LABEL[1]}"', "", "", "incident_term"),
    (f'assignees:"{population.PEOPLE[0]}"', "", "", "incident_term"),
    ("", "create_time", "", "ix_incident_index_created_at"),
    ("", "update_time desc", "", "ix_incident_index_updated_at"),
    ("", "severity desc", "", "ix_incident_index_severity"),
    ("", "number desc", "", "ix_incident_index_number"),
    ("", "", "cryptonymous", "incident_document"),
]
_ALIASES = {"incident_term": "SEARCH t USING PRIMARY KEY", "incident_document": "SCAN w VIRTUAL TABLE INDEX"}
Explain = Callable[[str, Sequence[Any]], Any]


class Plans:
    """What a database would do, in its own words, and what it answers."""

    def __init__(self, lists: Lists, explain: Explain, answer: Explain) -> None:
        self.lists = lists
        self.explain = explain
        self.answer = answer

    def shown(self, index: str) -> str:
        """How a plan names an index: SQLite shows a table's alias."""
        return _ALIASES.get(index, index) if self.lists.dialect is dialect.SQLITE else index

    async def of(self, steps: Steps[Any]) -> list[str]:
        """The plan of each step."""
        plans: list[str] = []
        rows: Any = None
        while True:
            try:
                clause: Clause = steps.send(rows)
            except StopIteration:
                return plans
            plans.append(await self.explain(clause.text, clause.parameters))
            rows = await self.answer(clause.text, clause.parameters)


@pytest.fixture
async def plans(store: Store, backend: Backend) -> AsyncIterator[Plans]:
    incidents = list(population.incidents(INCIDENTS))
    await write(store, Changes(opened=incidents))
    await indexed(store)
    if isinstance(backend, Postgres):
        connection = await asyncpg.connect(backend.dsn)
        await connection.execute("ANALYZE")
        await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_custom_plan")

        async def explain(text: str, parameters: Sequence[Any]) -> str:
            return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {text}", *parameters))

        async def answer(text: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in await connection.fetch(text, *parameters)]

        yield Plans(Lists(dialect.POSTGRES, SELECT_INCIDENTS, SQL["stale_incidents"]), explain, answer)
        await connection.close()
        return
    assert isinstance(backend, SqliteFile)
    reader = apsw.Connection(str(backend.database), flags=apsw.SQLITE_OPEN_READONLY)

    async def explain_here(text: str, parameters: Sequence[Any]) -> str:
        return "\n".join(str(row[3]) for row in reader.execute(f"EXPLAIN QUERY PLAN {text}", parameters))

    async def answer_here(text: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return reader.execute(text, parameters).fetchall()

    select, stale = STATEMENTS["list_incidents"], STATEMENTS["stale_incidents"]
    yield Plans(Lists(dialect.SQLITE, select, stale), explain_here, answer_here)
    reader.close()


def scans(plan: str) -> list[str]:
    """The big tables that are read from end to end."""
    told = {f"Seq Scan on {table}" for table in BIG} | {f"SCAN {table}" for table in (*BIG, "t", "d", "i", "e", "b")}
    return [line.strip() for line in plan.splitlines() if any(f"{each} " in f"{line} " for each in told)]


@pytest.mark.needs("many_connections")
async def test_every_documented_list_goes_along_an_index(plans: Plans) -> None:
    for text, order, words, index in WAYS:
        query = IncidentQuery(
            population.TENANT,
            filters.parse(text) if text else None,
            filters.parse_order(order),
            search=search.parse(words) if words else None,
        )
        page = await plans.of(plans.lists.page(query))
        assert any(plans.shown(index) in plan for plan in page), (text, order, words, page)
        for plan in [*page, *await plans.of(plans.lists.count(query, 1_000))]:
            assert not scans(plan), (text, order, words, plan)


@pytest.mark.needs("many_connections")
async def test_a_search_with_a_filter_looks_rows_up_in_the_filters_own_index(plans: Plans) -> None:
    query = IncidentQuery(population.TENANT, filters.parse("severity >= P1"), search=search.parse("monitor"))
    page = await plans.of(plans.lists.page(query))
    own = "INDEX ix_incident_index_severity (tenant=? AND severity=? AND id=?)"
    assert any(own in plan for plan in page) or not plans.lists.dialect.along, page  # PostgreSQL chooses by itself


@pytest.mark.needs("many_connections")
async def test_what_is_looked_up_by_name_is_never_scanned_for(plans: Plans) -> None:
    id_ = next(population.incidents(1)).id
    names: list[tuple[str, tuple[Any, ...]]] = [
        ("incident_by_id", (population.TENANT, id_)),
        ("incident_by_number", (population.TENANT, "INC-20261121-00001")),
        ("event", (population.TENANT, id_)),
        ("timeline", (population.TENANT, id_, id_, 10, None)),
    ]
    for name, values in names:
        text = SQL[name] if plans.lists.dialect is dialect.POSTGRES else STATEMENTS[name]
        assert not scans(await plans.explain(text, values)), name
