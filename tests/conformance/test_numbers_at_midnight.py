"""Incident numbers when the day changes, or others are quicker, between the reservation and the transaction."""

import pytest

from llm_incident_manager.domain import ids, time
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.pipeline.numbers import Numbers
from llm_incident_manager.ports.stores import KeyTaken, Store

TENANT = TenantId("t")
MIDNIGHT = Instant(20_000 * time.DAY)


async def test_a_number_of_yesterday_serves_after_midnight(store: Store) -> None:
    numbers = Numbers(store)
    await numbers.reserve(TENANT, Instant(MIDNIGHT - 1), 1)
    assert numbers.take(TENANT, MIDNIGHT) == ids.incident_number(time.utc_day(Instant(MIDNIGHT - 1)), 1)


async def test_when_others_took_what_was_reserved_the_batch_is_decided_again(store: Store) -> None:
    numbers = Numbers(store)
    await numbers.reserve(TENANT, MIDNIGHT, 1)
    for _ in range(ids.NUMBER_BLOCK):
        numbers.take(TENANT, MIDNIGHT)
    with pytest.raises(KeyTaken):
        numbers.take(TENANT, MIDNIGHT)
