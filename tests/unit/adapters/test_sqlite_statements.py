"""Every statement fits the schema, finds its rows by an index, and is short enough to be prepared once."""

import re
from pathlib import Path

import apsw
import pytest

from llm_incident_manager.adapters.sql import dialect, figures, filters, migrations, records
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.adapters.sqlite import schema, statements
from llm_incident_manager.adapters.sqlite.statements import STATEMENTS, Bulk, bulk
from llm_incident_manager.domain.filters import parse
from llm_incident_manager.domain.sla import TARGETS
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.stores import IncidentQuery
from tests.support.builders import NOW, TENANT

BULKS = [name for name, text in STATEMENTS.items() if "(VALUES (?" in text]
SERVER = Path(statements.__file__).parent
SHARED = SERVER.parent / "sql"

# What reads a whole table or index, and why it may.
SCANS = {
    "figures": "looks at all that match, which is what it is asked for",
    "attainment": "as figures",
    "related": "looks at the links of one incident, which its inner part has found by their keys",
    **dict.fromkeys(("timelines", "related_of_each", "attachments_of_each"), "scans the list of ids that it is given"),
    "announce_all": "runs once, when a backup is restored",
    "list_incidents": "is only the beginning of a statement",
    "alive": "reads nothing",
    "reset_leases": "runs once, at the start",
    "dead_by_topic": "counts dead letters by their index, where nothing else lies",
    "reset_timer_leases": "runs once, at the start",
    "reset_named_leases": "runs once, at the start",
    "processes": "reads one row for each process, and here there is one",
    "silent_processes": "reads one row for each process, and here there is one",
    "free_work": "is for a process that has died, and here there is no other to say so",
    "free_timers": "as free_work",
    "free_leases": "as free_work",
    "feed_position": "takes the last row",
    "next_events": "counts the rows that its inner part has found by their key",
    "expire_changes": "looks at the first rows only",
    "tables_of_incidents": "reads the schema",
    "audit_heads": "looks at one row of each chain",
    "audit_heads_of": "looks at one row of each chain",
    "audit_tenants": "of a copy, to prove all of it",
    "retired_chains": "few: those that retention has ended",
    "next_access_revision": "one row",
    "access_revision": "one row",
    "returned_agents": "reads an index of few: agents that an incident tells are lost",
    "queued_inferences": "reads the first of an index of what waits",
    "agents_pending": "reads the first of an index of what waits",
    "deliveries_of_directives": "looks at the ids of a page, and finds the deliveries of each by its key",
    "key_with_role": "looks at the roles of one key, which its outer part has found by its tenant",
    "all_roles": "few; read when one has changed",
    "all_tenants": "few; read when one has changed",
    "all_denied_certificates": "few; read when one has changed",
    "size": "asks for three numbers",
    "tables": "reads the schema",
    "columns": "reads the schema",
    "held_many": "is asked by the ledger check of a copy, on which nobody waits",
    "migrations": "reads one row for each file",
    "integrity": "looks at the whole of a copy",
    "block_outbox": "runs once, when a backup is restored",
}


@pytest.fixture
def connection() -> apsw.Connection:
    opened = connections.open_writer(connections.MEMORY)
    schema.apply(opened, NOW, migrations.load("sqlite"))
    return opened


def plan(connection: apsw.Connection, text: str) -> list[str]:
    """What SQLite does for a statement, step by step."""
    text = text.replace("{group}", "''").replace("{matching}", "WHERE tenant = ?1")
    text = re.sub(r"\{(step|most|acknowledge_by|resolve_by|now)\}", "1", text)
    numbers = [int(number) for number in re.findall(r"\?(\d+)", text)]
    count = max(numbers) if numbers else text.count("?")
    values = [None] * count if count else dict.fromkeys(re.findall(r":(\w+)", text))
    return [str(step) for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]


def scanned(steps: list[str]) -> list[str]:
    return [step for step in steps if step.startswith("SCAN") and "VALUES" not in step and "CONSTANT" not in step]


@pytest.mark.parametrize("name", [name for name in STATEMENTS if name not in SCANS])
def test_no_statement_scans_a_table(connection: apsw.Connection, name: str) -> None:
    text = bulk(name).text(2) if name in BULKS else STATEMENTS[name]
    assert scanned(plan(connection, text)) == []


@pytest.mark.parametrize("name", SCANS)
def test_what_may_scan_fits_the_schema(connection: apsw.Connection, name: str) -> None:
    assert plan(connection, STATEMENTS[name]) is not None


def test_the_first_page_of_a_list_is_read_from_its_index(connection: apsw.Connection) -> None:
    clause = filters.page(IncidentQuery(TENANT, filter=parse("severity >= P1")), dialect.SQLITE)
    text = f"EXPLAIN QUERY PLAN {STATEMENTS['list_incidents']} {clause.text}"
    steps = [str(step) for *_, step in connection.execute(text, clause.parameters)]
    assert steps == ["SEARCH incident USING INDEX ix_incident_tenant (tenant=?)"]


@pytest.mark.parametrize("name", ["figures", "attainment"])
def test_figures_look_only_at_the_ids_of_their_span(connection: apsw.Connection, name: str) -> None:
    query = IncidentQuery(TENANT, created_from=NOW, created_before=Instant(NOW + 1))
    if name == "figures":
        clause = figures.trend_statement(STATEMENTS[name], query, "team", (NOW, Instant(NOW + 1)), dialect.SQLITE)
    else:
        clause = figures.attainment_statement(STATEMENTS[name], query, "team", TARGETS, NOW, dialect.SQLITE)
    steps = [str(step) for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {clause.text}", clause.parameters)]
    about = [step for step in steps if " incident " in step]
    assert about == ["SEARCH incident USING INDEX ix_incident_tenant (tenant=? AND id>? AND id<?)"]


def test_a_claim_of_work_looks_only_at_what_is_due(connection: apsw.Connection) -> None:
    assert any("ix_outbox_due (topic=? AND <expr><?)" in step for step in plan(connection, STATEMENTS["claim_work"]))


@pytest.mark.parametrize("name", BULKS)
def test_a_bulk_statement_is_kept_prepared_at_every_size(connection: apsw.Connection, name: str) -> None:
    made = bulk(name)
    assert made.most >= 64
    before = connection.cache_stats()["misses"]
    sizes = [1 << n for n in range(made.most.bit_length())]
    for size in sizes * 2:
        connection.execute("EXPLAIN " + made.text(size), [None] * made.text(size).count("?"))
    assert connection.cache_stats()["misses"] - before == len(sizes)
    assert connection.cache_stats()["too_big"] == 0


def test_the_cache_of_statements_is_as_large_as_it_can_be(connection: apsw.Connection) -> None:
    assert connection.cache_stats()["size"] == statements.CACHED
    largest = apsw.Connection(connections.MEMORY, statementcachesize=1_000_000)
    assert largest.cache_stats()["size"] == statements.CACHED


@pytest.mark.parametrize("size", [0, 1, 2, 3, 511, 512, 513, 2000])
def test_a_bulk_statement_takes_any_number_of_rows(connection: apsw.Connection, size: int) -> None:
    doubled = Bulk("SELECT column1, column2 * 2 FROM (VALUES (?, ?)) WHERE column1 IS NOT NULL")
    rows = [(f"row {n}", n) for n in range(size)]
    assert doubled.run(connection, rows) == [(text, 2 * n) for text, n in rows]


def test_every_statement_is_used() -> None:
    code = "".join(path.read_text("utf-8") for path in (*SERVER.glob("*.py"), *SHARED.glob("*.py")))
    assert [name for name in STATEMENTS if f'"{name}"' not in code] == []


def test_the_columns_of_an_incident_are_those_of_the_table(connection: apsw.Connection) -> None:
    columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(incident)")}
    assert columns == set(records.INCIDENT_COLUMNS)
