"""Every statement asks for a tenant, or is listed here with the reason why it is about all of them."""

import ast
import re
from collections.abc import Iterator, Mapping

import pytest

from llm_incident_manager.adapters.sql import queries
from tools import shell

MIGRATIONS = shell.ROOT / "migrations"
SERVER = shell.ROOT / "server" / "llm_incident_manager"

WORK = "work and timers of all tenants are claimed and finished by their own ids and fences; each row names its tenant"
KEEPING = "retention and sweeping go by age, for all tenants alike"
COPYING = "the copies that lists ask follow the feed of all tenants; each row carries its tenant along"
CHECKING = "`ledger check` and backup look at a whole database, for whoever operates it"
MEASURING = "figures of the installation: metrics, readiness, and methods that ask for TENANT_READ"
BEGUN = "the beginning of a statement: what follows begins with the tenant (adapters/sql/filters.py, `matching`)"
WRITING = "new rows, each with its tenant among its columns"
KNOWING = (
    "every process knows the keys and roles of all tenants by heart, and looks them up by their digests and tenants"
)
PROVING = "checkpoints are made for the chains of all tenants, one each"
ATTENDING = "a process looks after the agents of all tenants, and what is due of theirs; each row names its tenant"
FOLLOWING = "the feed of all tenants is read once for all watchers of a process, and each sees only its own"

FREE: Mapping[str, str] = {
    **dict.fromkeys(("block_outbox", "still_leased", "remove_outbox", "retry_outbox", "unblock_outbox"), WORK),
    **dict.fromkeys(("claim_work", "claim_rows", "reset_leases", "free_work", "free_timers", "finish_work"), WORK),
    **dict.fromkeys(("retry_work", "forget_processes", "claim_timers", "leased_timers", "remove_timers"), WORK),
    **dict.fromkeys(("finish_timers", "retry_timers", "reset_timer_leases", "next_timer"), WORK),
    **dict.fromkeys(("audit_tenants", "retired_chains"), PROVING),
    **dict.fromkeys(("expire_bodies", "expire_events", "next_events", "expire_finished_events"), KEEPING),
    **dict.fromkeys(("expire_changes", "expire_of_incidents", "expire_outbox", "expire_incidents"), KEEPING),
    **dict.fromkeys(("finished_incidents", "sweep_idempotency", "sweep_answers", "sweep_segments"), KEEPING),
    **dict.fromkeys(("sweep_released",), KEEPING),
    **dict.fromkeys(("unfollowed", "copy_incidents", "announce_all", "undocumented", "document_place"), COPYING),
    **dict.fromkeys(("held_many", "still_there", "by_disposition", "segments", "held_plain"), CHECKING),
    **dict.fromkeys(("dispositions", "incident_counts", "dispositions_total", "event_incidents_total"), CHECKING),
    **dict.fromkeys(("duplicates_total", "incident_counts_total", "open_fingerprints_total", "keys_total"), CHECKING),
    **dict.fromkeys(("idempotency_total", "producers_total", "segments_total"), CHECKING),
    **dict.fromkeys(("backlog", "dead_by_topic", "overdue_timers"), MEASURING),
    **dict.fromkeys(("attainment", "figures", "list_incidents", "select_incidents"), BEGUN),
    "insert_incidents": WRITING,
    **dict.fromkeys(("all_roles", "keys_since", "note_use", "note_uses"), KNOWING),
    **dict.fromkeys(("feed_position", "feed_of_all"), FOLLOWING),
    **dict.fromkeys(("agents_pending", "returned_agents", "silent_agents", "due_directives"), ATTENDING),
    **dict.fromkeys(("due_inferences", "queued_inferences", "epochs"), ATTENDING),
}

_TABLE = re.compile(r'CREATE (?:VIRTUAL )?TABLE (?:public\.)?"?(\w+)"? ?(?:USING \w+)?\((.*?)\n?\)', re.DOTALL)
_TOUCHED = re.compile(r"(?:FROM|JOIN|INTO|UPDATE|USING)\s+(\w+)")
_PREDICATE = re.compile(r"\btenant\s*=|USING \(tenant|\([\w, ]*\btenant\b[\w, ]*\) (?:IN|=)|IS NULL OR f\.tenant")
_INSERT = re.compile(r"\s*INSERT INTO (\w+)[^(]*\(([^)]*)\)")


def tables(dialect: str) -> set[str]:
    """The tables that have tenants."""
    schema = (MIGRATIONS / dialect / "schema.sql").read_text("utf-8")
    return {found[1] for found in _TABLE.finditer(schema) if re.search(r"\btenant\b", found[2])}


def asks_for_a_tenant(statement: str, of_tenants: set[str]) -> bool:
    touched = set(_TOUCHED.findall(statement)) & of_tenants
    if not touched or _PREDICATE.search(statement):
        return True
    insert = _INSERT.match(statement)
    return insert is not None and touched == {insert[1]} and re.search(r"\btenant\b", insert[2]) is not None


def statements() -> Iterator[tuple[str, str, str]]:
    """Back end, name and text."""
    for dialect in ("sqlite", "postgres"):
        for package in (f"llm_incident_manager.adapters.{dialect}.queries", "llm_incident_manager.adapters.sql.shared"):
            for name, text in queries.load(package).items():
                yield dialect, name, text


def free() -> set[str]:
    of_tenants = {dialect: tables(dialect) for dialect in ("sqlite", "postgres")}
    return {name for dialect, name, text in statements() if not asks_for_a_tenant(text, of_tenants[dialect])}


def test_every_statement_asks_for_a_tenant_or_has_a_reason_not_to() -> None:
    assert free() - FREE.keys() == set()


def test_every_reason_is_still_needed() -> None:
    assert FREE.keys() - free() == set()


def test_the_tables_of_both_schemas_are_seen() -> None:
    for dialect in ("sqlite", "postgres"):
        assert {"incident", "event", "audit", "outbox", "request_answer", "incident_key"} <= tables(dialect)


@pytest.mark.parametrize(
    ("statement", "asks"),
    [
        ("SELECT title FROM incident WHERE id = ?", False),
        ("SELECT title FROM incident WHERE tenant = ? AND id = ?", True),
        ("DELETE FROM incident WHERE (id, tenant) IN (SELECT 1, 2)", True),
        ("UPDATE incident SET title = ? WHERE id = ?", False),
        ("INSERT INTO incident (id, tenant) VALUES (?, ?)", True),
        ("INSERT INTO incident (id, title) VALUES (?, ?)", False),
        ("SELECT 1 FROM lease WHERE name = ?", True),
    ],
)
def test_a_statement_without_a_tenant_is_seen(statement: str, asks: bool) -> None:
    assert asks_for_a_tenant(statement, {"incident"}) is asks


def calls(source: str) -> Iterator[str]:
    """What a source calls, as it stands there."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_only_sight_makes_queries_and_reads_incidents_for_callers() -> None:
    """What a caller's condition covers is decided in one place; the pipeline reads on nobody's behalf."""
    own = {"IncidentQuery", "self._on.store.incident", "on.store.incident", "self._store.incident", "store.incident"}
    own |= {"on.store.related", "self._on.store.related", "self._store.related", "store.related"}
    found = {
        path.relative_to(SERVER).as_posix(): sorted(used)
        for folder in ("transport", "usecases")
        for path in (SERVER / folder).rglob("*.py")
        if (used := own & set(calls(path.read_text("utf-8"))))
    }
    dead_letters = {"transport/handlers/dead_letters.py": ["self._on.store.incident"]}  # nobody narrowed may ask
    assert found == {"usecases/sight.py": ["IncidentQuery", "store.incident", "store.related"], **dead_letters}
