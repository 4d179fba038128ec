"""Fault 53 in short: what a tenant has, taken along and erased."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from tests.support.access.doors import Doors
from tests.support.access.realm import BY_NAME, OPERATOR, ask

AUDIT = frozenset({"audit", "audit_checkpoint", "audit_retired"})
"""What stays."""

ERASED = 4


async def exported(doors: Doors, tenant: str) -> tuple[list[dict[str, Any]], Mapping[str, int]]:
    """The rows, and how many of each table the last line tells."""
    method = BY_NAME["ExportTenant"]
    answer = await doors.stream(method, [method.request(tenant_id=tenant).SerializeToString()], OPERATOR, first=10.0)
    assert answer.code == 0, answer
    chunks = [method.response.FromString(part).chunk for part in answer.parts]  # type: ignore[attr-defined]
    *rows, last = [json.loads(line) for chunk in chunks for line in chunk.splitlines()]
    return rows, last["rows"]


async def erased(doors: Doors, tenant: str) -> float:
    """Waits until it is; the seconds that took."""
    began = time.monotonic()
    async with asyncio.timeout(90):
        while (await ask(doors, OPERATOR, "GetTenant", tenant_id=tenant)).tenant.state != ERASED:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    return time.monotonic() - began
