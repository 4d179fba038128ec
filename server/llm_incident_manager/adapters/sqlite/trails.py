"""Reads the audit trails of a database file, whoever uses it meanwhile: asks a copy, on which nobody waits."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from llm_incident_manager.adapters.sql import checkpoints
from llm_incident_manager.adapters.sqlite import backup, schema
from llm_incident_manager.adapters.sqlite.statements import STATEMENTS, rows
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_proof import Report, Trail
from llm_incident_manager.domain.ids import TenantId

_HIGHEST = 2**63 - 1


def prove(database: Path, made: Callable[[TenantId], Trail], more: set[TenantId]) -> Mapping[TenantId, Report]:
    """What each tenant's trail shows, those of `more` included. Needs as much room beside the database as it takes.

    Raises StoreRefused for a database that is missing, damaged, not ours, or lacks migrations.
    """
    place = database.with_name(f"{database.name}.audit-verify-{os.getpid()}")
    with backup.checked_copy(database, place) as connection:
        schema.require(connection)
        found = {TenantId(tenant) for (tenant,) in rows(connection, "audit_tenants")} | more
        reports = {}
        for tenant in sorted(found):
            trail = made(tenant)
            known = connection.execute(STATEMENTS["checkpoints_after"], (tenant, 0, _HIGHEST))
            trail.take(map(checkpoints.of_row, known))
            trail.look(AuditRow(*row) for row in connection.execute(STATEMENTS["audit_trail"], (tenant,)))
            reports[tenant] = trail.finish()
        return reports
