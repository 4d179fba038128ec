"""Proving one tenant's trail holds up no other tenant."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.audit import ChainHead
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.usecases.auditing import Auditing
from llm_incident_manager.usecases.caller import Caller
from tests.support.world import HeldClock

LARGE, SMALL = Caller(TenantId("large"), "ann"), Caller(TenantId("small"), "bob")


class LongTrail:
    """A database in which the trail of one tenant takes as long as the test wants. Of Store what is asked here."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.looks = 0

    async def audit_checkpoints(self, tenant: TenantId, _: int, __: int) -> Sequence[Checkpoint]:
        if tenant == LARGE.tenant:
            self.looks += 1
            await self.may_end.wait()
        return []

    async def audit_heads(self, _: TenantId) -> Sequence[ChainHead]:
        return []


async def test_each_tenant_is_proven_for_itself_and_one_at_a_time() -> None:
    trail = LongTrail()
    auditing = Auditing(cast(Store, cast(Any, trail)), HeldClock(), None)
    large = [asyncio.create_task(auditing.verify(LARGE)) for _ in range(2)]
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        assert (await auditing.verify(SMALL)).intact
    assert trail.looks == 1
    trail.may_end.set()
    assert [report.intact for report in await asyncio.gather(*large)] == [True, True]
    assert trail.looks == 2
