"""What somebody who can write the database might do to an audit trail: each a few statements, and what has to be named.

Statements number their parameters as $1, $2 and so on, which both databases understand.
"""

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from llm_incident_manager.domain.audit_chain import AuditRow, hash_of
from llm_incident_manager.domain.audit_proof import CHECKPOINTS
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import DAY, Instant

Statement = tuple[str, tuple[Any, ...]]
Chains = Mapping[tuple[TenantId, str], Sequence[AuditRow]]

COLUMNS = AuditRow._fields
_ONE = "tenant = $2 AND writer = $3 AND sequence = $4"


class Tamper(NamedTuple):
    """What is done, and which record is the first that is not as it was: of `tenant`, in the chain of `writer`, at a
    place between `first` and `last`."""

    kind: str
    statements: Sequence[Statement]
    tenant: TenantId
    writer: str
    first: int
    last: int


class Older(NamedTuple):
    """How far an older copy of the database goes: the last sequence of each chain, and the last checkpoints."""

    heads: Mapping[tuple[TenantId, str], int]
    checkpoints: Mapping[TenantId, int]


def change(chains: Chains, chance: random.Random) -> Tamper:
    """Another value in one field."""
    row, field = _row(chains, chance), chance.choice([name for name in COLUMNS if name not in ("tenant", "sequence")])
    before = getattr(row, field)
    match field:
        case "hash" | "prev_hash":
            value: Any = bytes(byte ^ 1 for byte in before)
        case "details" | "before" | "after":
            value = json.dumps({**json.loads(before), chance.choice(("state", "new")): "forged"})
        case "at" | "version":
            value = before + chance.choice((-1, 1))
        case _:
            value = f"{before}x"
    sql = f"UPDATE audit SET {field} = $1 WHERE {_ONE}"
    return _at("change", [(sql, (value, *row[:3]))], row)


def delete(chains: Chains, chance: random.Random) -> Tamper:
    """A record is gone."""
    row = _row(chains, chance)
    return _at("delete", [("DELETE FROM audit WHERE tenant = $1 AND writer = $2 AND sequence = $3", row[:3])], row)


def insert(chains: Chains, chance: random.Random) -> Tamper:
    """A forged record in the middle; those behind it move on, and all hashes are made anew."""
    chain = _chain(chains, chance)
    row = chance.choice(chain)
    forged = row._replace(actor="mallory", action="incident.updated")
    behind = [each._replace(sequence=each.sequence + 1) for each in chain[row.sequence - 1 :]]
    statements = [_cut(row), *map(_add, _chained(chain[: row.sequence - 1], [forged, *behind]))]
    return _before(row, "insert", statements)


def insert_chain(chains: Chains, chance: random.Random) -> Tamper:
    """A chain that never was, of the time of the others, with good hashes."""
    row = _row(chains, chance)
    forged = row._replace(writer=f"{row.writer}9", sequence=1, at=Instant(row.at - DAY), actor="mallory")
    (added,) = _chained([], [forged])
    return _at("insert a chain", [_add(added)], added)


def rewrite(chains: Chains, chance: random.Random) -> Tamper:
    """A changed record, and all hashes behind it made anew."""
    chain = _chain(chains, chance)
    row = chance.choice(chain)
    forged = [row._replace(actor="mallory"), *chain[row.sequence :]]
    statements = [_cut(row), *map(_add, _chained(chain[: row.sequence - 1], forged))]
    return _before(row, "rewrite", statements)


def reorder(chains: Chains, chance: random.Random) -> Tamper:
    """Two records of a chain change places."""
    chain = _chain(chains, chance)
    one, other = sorted(chance.sample(list(chain), 2), key=lambda row: row.sequence)
    move = "UPDATE audit SET sequence = $1 WHERE tenant = $2 AND writer = $3 AND sequence = $4"
    places = [(-1, one.sequence), (one.sequence, other.sequence), (other.sequence, -1)]
    return _at("reorder", [(move, (to, *one[:2], at)) for to, at in places], one)


def truncate(chains: Chains, chance: random.Random) -> Tamper:
    """The end of a chain, or all of it, is gone."""
    row = _row(chains, chance)
    return _at("truncate", [_cut(row)], row)


def swap_tenants(chains: Chains, chance: random.Random) -> Tamper:
    """Records of the same place of two tenants belong to the other one."""
    row = _row(chains, chance)
    others = [chain[row.sequence - 1] for (tenant, writer), chain in chains.items() if tenant != row.tenant
              and writer == row.writer and len(chain) >= row.sequence]  # fmt: skip
    other = others[0] if others else None
    assert other is not None, "both tenants have chains of the same length"
    move = "UPDATE audit SET tenant = $1 WHERE tenant = $2 AND writer = $3 AND sequence = $4"
    steps = [("nobody", *row[:3]), (row.tenant, *other[:3]), (other.tenant, "nobody", *row[1:3])]
    return _at("swap tenants", [(move, step) for step in steps], row)


def roll_back(older: Older) -> Callable[[Chains, random.Random], Tamper]:
    """The whole database is as it was before."""

    def tamper(chains: Chains, chance: random.Random) -> Tamper:
        statements: list[Statement] = []
        lost: list[AuditRow] = []
        for key, chain in chains.items():
            head = older.heads.get(key, 0)
            statements.append(("DELETE FROM audit WHERE tenant = $1 AND writer = $2 AND sequence > $3", (*key, head)))
            lost += chain[head : head + 1]
        for tenant, number in older.checkpoints.items():
            statements.append(("DELETE FROM audit_checkpoint WHERE tenant = $1 AND number > $2", (tenant, number)))
        ours = [row for row in lost if row.tenant == lost[0].tenant]
        cut = [row for row in ours if row.sequence > 1]  # is met before what is missing as a whole
        return _at("roll back", statements, min(cut or ours))

    return tamper


def forge_checkpoint(numbers: Mapping[TenantId, int]) -> Callable[[Chains, random.Random], Tamper]:
    """A checkpoint is changed or gone."""

    def tamper(chains: Chains, chance: random.Random) -> Tamper:
        tenant = chance.choice(sorted(numbers))
        number = chance.randint(1, numbers[tenant])
        one = "tenant = $1 AND number = $2"
        sql = chance.choice(
            (
                f"UPDATE audit_checkpoint SET records = records + 1 WHERE {one}",
                f"UPDATE audit_checkpoint SET at = at + 1 WHERE {one}",
                f"UPDATE audit_checkpoint SET ends = '[]' WHERE {one}",
                f"UPDATE audit_checkpoint SET signature = hash WHERE {one}",
                f"DELETE FROM audit_checkpoint WHERE {one}",
            )
        )
        # Of one that is gone the next one tells, or the copy of itself.
        last = number + 1 if sql.startswith("DELETE") else number
        return Tamper("forge a checkpoint", [(sql, (tenant, number))], tenant, CHECKPOINTS, number, last)

    return tamper


ALWAYS = (change, change, delete, insert, insert_chain, rewrite, reorder, truncate, swap_tenants)
"""Those that need nothing but the records; fields are changed in more ways than the rest."""


def _row(chains: Chains, chance: random.Random) -> AuditRow:
    return chance.choice(_chain(chains, chance))


def _chain(chains: Chains, chance: random.Random) -> Sequence[AuditRow]:
    return chains[chance.choice(sorted(chains))]


def _at(kind: str, statements: Sequence[Statement], row: AuditRow) -> Tamper:
    return Tamper(kind, statements, row.tenant, row.writer, row.sequence, row.sequence)


def _before(row: AuditRow, kind: str, statements: Sequence[Statement]) -> Tamper:
    """Where all hashes agree, checkpoints tell between which two of them the first record is that differs."""
    return Tamper(kind, statements, row.tenant, row.writer, 1, row.sequence)


def _cut(row: AuditRow) -> Statement:
    return "DELETE FROM audit WHERE tenant = $1 AND writer = $2 AND sequence >= $3", row[:3]


def _add(row: AuditRow) -> Statement:
    places = ", ".join(f"${n}" for n in range(1, len(COLUMNS) + 1))
    return f"INSERT INTO audit ({', '.join(COLUMNS)}) VALUES ({places})", tuple(row)


def _chained(before: Sequence[AuditRow], forged: Iterable[AuditRow]) -> Sequence[AuditRow]:
    """The rows with hashes as somebody would make them who knows how."""
    previous, made = before[-1].hash if before else bytes(32), []
    for row in forged:
        chained = row._replace(prev_hash=previous)
        chained = chained._replace(hash=hash_of(chained, previous))
        made.append(chained)
        previous = chained.hash
    return made
