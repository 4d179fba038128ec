"""Whether an archive is what it says: each row counted, each checksum, each audit chain. Reads one table at a time."""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from llm_incident_manager.adapters.sql import checkpoints, copytext, migrations
from llm_incident_manager.adapters.sql.archive import Manifest, Reader
from llm_incident_manager.domain import audit_chain
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.audit_proof import Report, Trail
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.stores import StoreRefused

BOOKS = {
    "fingerprints with more than one open incident": """
        SELECT count(*) FROM (
            SELECT 1 FROM incident WHERE state NOT IN ('RESOLVED', 'CLOSED') AND keys IS NULL
            GROUP BY tenant, fp_version, fingerprint HAVING count(*) > 1
        ) AS doubled
    """,
    "fingerprints held by an incident that is over or missing": """
        SELECT count(*) FROM incident_key AS k LEFT JOIN incident AS i ON i.id = k.incident_id
        WHERE i.id IS NULL OR i.state IN ('RESOLVED', 'CLOSED')
    """,
}
"""Questions to a restored database whose answer must be 0, in words that both databases understand. An incident with
`keys` holds those: it may have been opened with a fingerprint that a split has given to another one since."""


class Verified(NamedTuple):
    """An archive that is whole."""

    manifest: Manifest
    chains: int


def verify(file: Path) -> Verified:
    """Reads all of an archive. Raises StoreRefused with what is wrong and what to do, OSError."""
    with Reader(file) as reader:
        dialect = "postgres" if reader.manifest.facts.store == "postgresql" else "sqlite"
        migrations.pending(migrations.load(dialect), reader.manifest.facts.migrations)
        for table in reader.manifest.tables:
            if table != "audit":
                for _ in reader.chunks(table):
                    pass
        return Verified(reader.manifest, _chains(reader, file))


def trails(file: Path, begin: Callable[[TenantId], Trail], more: AbstractSet[TenantId]) -> Mapping[TenantId, Report]:
    """What each tenant's audit trail in an archive shows, those of `more` included. Raises StoreRefused, OSError."""
    with Reader(file) as reader:
        known = _checkpoints(reader)
        reports = {}
        for tenant, rows in groupby(_audit(reader), key=lambda row: row.tenant):
            trail = begin(tenant)
            trail.take(known.pop(tenant, ()))
            trail.look(rows)
            reports[tenant] = trail.finish()
        for tenant in sorted((known.keys() | more) - reports.keys()):
            trail = begin(tenant)
            trail.take(known.get(tenant, ()))
            reports[tenant] = trail.finish()
        return reports


def _checkpoints(reader: Reader) -> dict[TenantId, list[Checkpoint]]:
    found: dict[TenantId, list[Checkpoint]] = {}
    table = reader.manifest.tables.get("audit_checkpoint")
    if table is not None:
        parser, names = copytext.Parser(table.columns), [column.name for column in table.columns]
        for line in reader.lines("audit_checkpoint"):
            told = dict(zip(names, parser.row(line), strict=True))
            checkpoint = checkpoints.of_row([told[name] for name in checkpoints.COLUMNS])
            found.setdefault(checkpoint.tenant, []).append(checkpoint)
    return found


def _chains(reader: Reader, file: Path) -> int:
    """How many audit chains there are; each follows from its start."""
    if "audit" not in reader.manifest.tables:
        return 0
    number = 0
    for (tenant, writer), rows in groupby(_audit(reader), key=lambda row: (row.tenant, row.writer)):
        broken = audit_chain.first_broken(rows)
        if broken is not None:
            raise StoreRefused(
                f"the audit in {file} was tampered with or lost records: chain {writer} of tenant {tenant} does not "
                f"follow at record {broken.sequence}; take another backup, and look into the database it came from"
            )
        number += 1
    return number


def _audit(reader: Reader) -> Iterator[AuditRow]:
    """A backup of before has fewer columns, all of its records of the version that needs no more."""
    columns = reader.manifest.tables["audit"].columns
    names = [column.name for column in columns]
    parser = copytext.Parser(columns)
    for line in reader.lines("audit"):
        row = parser.row(line)
        yield AuditRow(**dict(zip(names, row, strict=True)))
