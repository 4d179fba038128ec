"""Checks the ledger of a SQLite database, whether or not a server has it open: asks a copy, on which nobody waits."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import apsw

from llm_incident_manager.adapters.sql import ledger
from llm_incident_manager.adapters.sql.ledger import Finding, Kept, Report, Run, Runs
from llm_incident_manager.adapters.sqlite import backup, ids, schema
from llm_incident_manager.adapters.sqlite.statements import STATEMENTS, Row
from llm_incident_manager.domain.disposition import Disposition

_AT_ONCE = 500
"""Runs that are read before their events are counted: of one connection two statements at once are slower."""


def check(database: Path, kept: Kept) -> Report:
    """What the checks have found. Needs as much room beside the database as it takes.

    Raises StoreRefused for a database that is missing, damaged, not ours, or lacks migrations.
    """
    place = database.with_name(f"{database.name}.ledger-check-{os.getpid()}")
    with backup.checked_copy(database, place) as connection:
        schema.require(connection)
        return report(connection, kept)


def report(connection: apsw.Connection, kept: Kept) -> Report:
    """What the checks find in an open database that nobody writes to meanwhile."""
    asked = ledger.statements(kept, "unhex('{}', '-')", STATEMENTS["held_many"])
    totals: list[Row] = connection.execute(asked["by_disposition"]).fetchall()
    findings = [_find(connection, asked, name) for name in ledger.CHECKS if name != "segments"]
    findings.append(_runs(connection, asked["segments"], kept))
    return Report("sqlite", {Disposition(number).name: count for number, count in totals}, findings)


def _find(connection: apsw.Connection, asked: ledger.Questions, name: str) -> Finding:
    finding = Finding(name, _number(connection, asked[f"{name}_total"]))
    for row in connection.execute(asked[name]):
        finding.add_row(row)
    return finding


def _runs(connection: apsw.Connection, question: str, kept: Kept) -> Finding:
    judged = Runs(kept)
    found = _read(connection, question)
    while some := list(islice(found, _AT_ONCE)):
        for run in some:
            judged.take(run)
            between = (run.tenant, ids.stored(run.first), ids.stored(run.last))
            ((events,),) = connection.execute(STATEMENTS["count_between"], between)
            judged.compare(run, events)
    return judged.finding


def _read(connection: apsw.Connection, question: str) -> Iterator[Run]:
    for producer, sequence, events, first, tenant, at in connection.execute(question):
        yield Run(producer, sequence, events, ids.number(first), tenant, at)


def _number(connection: apsw.Connection, question: str) -> int:
    ((number,),) = connection.execute(question)
    return int(number)
