"""Tampers with an audit trail again and again, each time in a transaction that is undone, and looks what is found."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import apsw
import asyncpg

from llm_incident_manager.adapters.audit import copies
from llm_incident_manager.adapters.audit.signing import Ed25519Signer
from llm_incident_manager.adapters.sql import checkpoints
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_proof import Report, Trail
from llm_incident_manager.domain.ids import TenantId
from tests.support import tampers
from tests.support.tampers import Older, Statement, Tamper

_ROWS = f"SELECT {', '.join(AuditRow._fields)} FROM audit ORDER BY tenant, writer, sequence"
_CHECKPOINTS = f"SELECT {', '.join(checkpoints.COLUMNS)} FROM audit_checkpoint ORDER BY tenant, number"


class Victim(Protocol):
    """A database that can be tampered with."""

    async def begin(self) -> None: ...

    async def undo(self) -> None: ...

    async def run(self, statement: Statement) -> None: ...

    async def ask(self, sql: str) -> Sequence[tuple[Any, ...]]: ...


class SqliteVictim:
    """A file that no server has open."""

    def __init__(self, database: Path) -> None:
        self._connection = apsw.Connection(str(database))

    async def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    async def undo(self) -> None:
        self._connection.execute("ROLLBACK")

    async def run(self, statement: Statement) -> None:
        self._connection.execute(*statement)

    async def ask(self, sql: str) -> Sequence[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def close(self) -> None:
        self._connection.close()


class PostgresVictim:
    """A database that nobody else uses."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def begin(self) -> None:
        await self._connection.execute("BEGIN")

    async def undo(self) -> None:
        await self._connection.execute("ROLLBACK")

    async def run(self, statement: Statement) -> None:
        sql, values = statement
        await self._connection.execute(sql, *values)

    async def ask(self, sql: str) -> Sequence[tuple[Any, ...]]:
        return [tuple(row) for row in await self._connection.fetch(sql)]


@dataclass
class Tally:
    """How many of each kind were found and named right; those that were not, in words."""

    found: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Tamperer:
    """Somebody with all rights to the database, and none to the copies of its checkpoints."""

    victim: Victim
    signer: Ed25519Signer
    file: Path
    chance: random.Random
    older: Older

    @classmethod
    async def of(
        cls, victim: Victim, signer: Ed25519Signer, file: Path, chance: random.Random, before: Sequence[Any] = ()
    ) -> "Tamperer":
        """`before` is what `mark` gave at an earlier moment, to which the database is rolled back."""
        heads, numbers = before or ({}, {})
        return cls(victim, signer, file, chance, Older(heads, numbers))

    async def once(self, tally: Tally) -> None:
        """One tamper."""
        chains, numbers = await self._chains(), await self._numbers()
        kinds = (*tampers.ALWAYS, tampers.roll_back(self.older), tampers.forge_checkpoint(numbers))
        done = self.chance.choice(kinds)(chains, self.chance)
        await self.victim.begin()
        try:
            for statement in done.statements:
                await self.victim.run(statement)
            self._judge(done, (await self.reports())[done.tenant], tally)
        finally:
            await self.victim.undo()

    async def reports(self) -> dict[TenantId, Report]:
        """What verifying finds, tenant by tenant."""
        kept = copies.read(self.file)
        stored = [checkpoints.of_row(row) for row in await self.victim.ask(_CHECKPOINTS)]
        rows = [AuditRow(*row) for row in await self.victim.ask(_ROWS)]
        found = {}
        for tenant in sorted({each.tenant for each in kept} | {row.tenant for row in rows}):
            trail = Trail(tenant, self.signer.signed, [each for each in kept if each.tenant == tenant])
            trail.take(each for each in stored if each.tenant == tenant)
            trail.look(row for row in rows if row.tenant == tenant)
            found[tenant] = trail.finish()
        return found

    async def mark(self) -> tuple[dict[tuple[TenantId, str], int], dict[TenantId, int]]:
        """How far everything goes now."""
        heads = {key: chain[-1].sequence for key, chain in (await self._chains()).items()}
        return heads, await self._numbers()

    def _judge(self, done: Tamper, report: Report, tally: Tally) -> None:
        fault = report.fault
        if fault is None:
            tally.wrong.append(f"not found: {done}")
            return
        tally.found[done.kind] += 1
        if (fault.writer, True) == (done.writer, done.first <= fault.sequence <= done.last):
            tally.named[done.kind] += 1
        else:
            tally.wrong.append(f"named {fault} instead of {done.writer} {done.first} to {done.last}: {done.kind}")

    async def _chains(self) -> dict[tuple[TenantId, str], list[AuditRow]]:
        found: dict[tuple[TenantId, str], list[AuditRow]] = {}
        for values in await self.victim.ask(_ROWS):
            row = AuditRow(*values)
            found.setdefault((row.tenant, row.writer), []).append(row)
        return found

    async def _numbers(self) -> dict[TenantId, int]:
        sql = "SELECT tenant, max(number) FROM audit_checkpoint GROUP BY tenant"
        return {TenantId(tenant): number for tenant, number in await self.victim.ask(sql)}
