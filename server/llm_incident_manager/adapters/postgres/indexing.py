"""Brings the copies that lists and searches ask along the change feed: one process at a time, the others pass by."""

from collections.abc import Sequence

import asyncpg
import orjson

from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.postgres.transaction import PostgresTransaction
from llm_incident_manager.domain import search

_INDEX, _DOCUMENT = "incident_index", "incident_document"
_WORDLESS = frozenset({"STATE", "SEVERITY", "RECURRED"})
"""Changes that leave all texts as they are."""


async def copy(unit: PostgresTransaction, limit: int) -> int:
    """Copies the incidents of at most `limit` changes; returns how many changes there were."""
    found = await _unfollowed(unit, _INDEX, limit)
    if found:
        await unit.execute(SQL["copy_incidents"], sorted({row["incident_id"] for row in found}))
        await unit.execute(SQL["follow"], _INDEX, *found[-1][:2])
    return len(found)


async def document(unit: PostgresTransaction, limit: int) -> int:
    """Takes the words of the incidents of at most `limit` changes; returns how many changes there were."""
    found = await _unfollowed(unit, _DOCUMENT, limit)
    if found:
        wanted = {row["incident_id"] for row in found if row["kind"] not in _WORDLESS}
        texts = await unit.fetch(SQL["undocumented"], sorted(wanted)) if wanted else []
        if texts:
            await unit.execute(SQL["put_words"], *zip(*map(_document, texts), strict=True))
        await unit.execute(SQL["follow"], _DOCUMENT, *found[-1][:2])
    return len(found)


async def _unfollowed(unit: PostgresTransaction, name: str, limit: int) -> Sequence[asyncpg.Record]:
    """What comes next for a copy; nothing while another process has it."""
    taken = await unit.fetch(SQL["take_position"], name)
    return await unit.fetch(SQL["unfollowed"], *taken[0], limit) if taken else []


def _document(row: asyncpg.Record) -> tuple[object, str, str]:
    id_, tenant, title, description, labels, notes = row
    words = search.document(title, description, orjson.loads(labels), orjson.loads(notes))
    return id_, tenant, " ".join(words)
