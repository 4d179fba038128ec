"""What is kept for a day is forgotten after it, and not before."""

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.time import DAY, HOUR
from llm_incident_manager.pipeline.sweeper import Sweeper
from tests.support.builders import make_event
from tests.support.world import World


async def test_idempotency_keys_last_a_day(world: World) -> None:
    sweeper = Sweeper(world.store, world.clock)
    await world.submit(make_event(idempotency_key="k"))
    world.clock.forward(DAY - HOUR)
    await sweeper.once()
    (before,) = await world.submit(make_event(idempotency_key="k"))
    world.clock.forward(2 * HOUR)
    assert await sweeper.once() > 0
    (after,) = await world.submit(make_event(idempotency_key="k"))
    assert (before.disposition, after.disposition) == (Disposition.DUPLICATE, Disposition.ATTACHED)
