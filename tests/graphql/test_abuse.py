"""Fault 34: what asks for too much is refused before it costs anything; what is asked for belongs to few statements."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from llm_incident_manager.config import Settings
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.server import Server
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.graphql.context import Shown
from llm_incident_manager.transport.graphql.documents import Prepared
from llm_incident_manager.transport.graphql.engine import Engine, asked_of
from llm_incident_manager.transport.graphql.schema import schema
from tests.support import graphql_abuse

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOWN = Shown({}, "127.0.0.1:1")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    """In this process, on a database in memory, without doors."""
    async with AsyncExitStack() as stack:
        yield await Server.build(Settings.model_validate({"storage": {"type": "memory"}}), stack)


@pytest.fixture
def engine(server: Server) -> Engine:
    return Engine(server.settings.graphql, server.beside.behind, Metrics("test"), schema())


def prepare(engine: Engine, query: str, variables: dict[str, Any] | None = None) -> Prepared:
    return engine.prepare(asked_of({"query": query, "variables": variables or {}}), SHOWN.whole())


async def run(engine: Engine, query: str, **variables: object) -> Any:  # noqa: ANN401  # an answer
    answer = await engine.run(prepare(engine, query, variables), SHOWN)
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.mark.parametrize("name", graphql_abuse.QUERIES)
async def test_it_is_refused_within_50_ms(engine: Engine, name: str) -> None:
    query, rule = graphql_abuse.QUERIES[name]
    spent = []
    for _ in range(3):
        since = time.process_time()
        with pytest.raises(DomainError) as refused:
            prepare(engine, query)
        spent.append(time.process_time() - since)
        assert rule in {*(each.rule for each in refused.value.violations), str(refused.value.reason)}
    assert min(spent) < 0.05


@pytest.mark.parametrize(
    ("variables", "rule"),
    [
        ({"x": list(range(100_000))}, "graphql.max_values"),
        ({f"v{n}": n for n in range(10_000)}, "graphql.max_values"),
        ({"x": graphql_abuse.nested(100)}, "graphql.max_levels"),
    ],
)
async def test_variables_are_bounded(engine: Engine, variables: dict[str, Any], rule: str) -> None:
    since = time.process_time()
    with pytest.raises(DomainError) as refused:
        prepare(engine, "{ version }", variables)
    assert time.process_time() - since < 0.05
    assert [each.rule for each in refused.value.violations] == [rule]


async def test_what_tools_ask_about_the_schema_is_answered_and_can_be_switched_off(server: Server) -> None:
    open_, closed = (
        Engine(
            server.settings.graphql.model_copy(update={"introspection": told}),
            server.beside.behind,
            Metrics("test"),
            schema(),
        )
        for told in (True, False)
    )
    told = await run(open_, graphql_abuse.INTROSPECTION)
    assert {"Query", "Incident"} <= {each["name"] for each in told["__schema"]["types"]}
    for query in (graphql_abuse.INTROSPECTION, '{ __type(name: "Incident") { name } }'):
        with pytest.raises(DomainError) as refused:
            prepare(closed, query)
        assert refused.value.violations[0].rule == "graphql.introspection"
    with pytest.raises(DomainError) as refused:
        prepare(closed, "{ versio }")
    assert "mean" not in refused.value.message, "a suggestion would tell the schema"
    assert (await run(closed, "{ __typename version }"))["__typename"] == "Query"


PAGE = """query ($first: Int) { incidents(first: $first, orderBy: "id") { totalCount edges { node {
  id number title severity timeline(first: 5) { kind text actor time }
  related(first: 2) { relation incident { title } } attachments(first: 2) { url } previousIncident { id }
} } } }"""
BATCH = "mutation ($events: [EventInput!]!) { submitEvents(events: $events) { accepted } }"


async def test_the_number_of_statements_does_not_grow_with_the_page(server: Server, engine: Engine) -> None:
    events = [{"source": "x", "title": f"t{n}", "dedupKey": f"k{n}"} for n in range(60)]
    server.work()
    assert (await run(engine, BATCH, events=events))["submitEvents"]["accepted"] == 60
    await server.drain()  # nothing but what is asked runs statements from now on
    await run(engine, PAGE, first=1)
    count = _counting(server)
    counts = []
    for first in (2, 10, 50):
        before = count()
        page = (await run(engine, PAGE, first=first))["incidents"]
        counts.append(count() - before)
        assert page["totalCount"] == 60
        assert [len(edge["node"]["timeline"]) for edge in page["edges"]] == [1] * first
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 9, counts


def _counting(server: Server) -> Callable[[], int]:
    """How many statements the database has run."""
    ran = 0

    def note(*_: object) -> bool:
        nonlocal ran
        ran += 1
        return True

    store: Any = server.store
    store._writer.connection.exec_trace = note
    return lambda: ran
