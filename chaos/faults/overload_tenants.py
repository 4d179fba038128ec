"""Fault 27: one tenant that sends ten times its quota. The pipeline is driven itself: what a call costs beside it would
hide what one tenant's events do to the others'."""

import asyncio
import time
from contextlib import suppress
from typing import NamedTuple

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import percentile
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.adapters.rates import ProcessRates
from llm_incident_manager.domain.errors import Overloaded
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.engines.admission import Quota
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.batcher import Batcher, Limits
from llm_incident_manager.pipeline.quotas import TenantQuotas
from llm_incident_manager.pipeline.runner import Runner
from tests.support.builders import make_event
from tests.support.world import World, a_world

QUOTA = 50
TIMES = 10
QUIET = [TenantId(f"quiet-{number}") for number in range(4)]
FLOOD = TenantId("flood")
ROUNDS = 2
"""Of both, in turns; the quieter one counts, since the machine may have other work for a moment."""
SLACK_MS = 5.0
"""What two shared cores add to a p99 of a few milliseconds by themselves."""


@fault(27, "one tenant sends ten times its quota", limit="p99 of the others <= 1.2 times, none of theirs refused")
async def flood(run: Run) -> Outcome:
    """The same quiet tenants beside a tenant that keeps its quota, and beside one that does not."""
    seconds = run.size(3, 15)
    async with a_world() as world:
        quotas = TenantQuotas(Quota(QUOTA), ProcessRates(SystemClock()))
        batcher = Batcher(Runner(world.tools), Limits(), world.tools.metrics, quotas)
        task = asyncio.create_task(batcher.run())
        await _tenants(world, batcher, 1, 1.0)
        rounds = [
            (await _tenants(world, batcher, 1, seconds), await _tenants(world, batcher, TIMES, seconds))
            for _ in range(ROUNDS)
        ]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    calm, flooded = zip(*rounds, strict=True)
    before, now = (1_000 * min(percentile(each.took, 0.99) for each in phase) for phase in (calm, flooded))
    refused, of_flood = sum(each.refused for each in flooded), sum(each.of_flood for each in flooded)
    figures = [
        Figure("p99 of others before", before, "ms"),
        Figure("p99 of others", now, "ms", most=max(1.2 * before, before + SLACK_MS)),
        Figure("theirs refused", refused, most=0),
        Figure("of the flood refused", of_flood / (ROUNDS * seconds), "ev/s", least=5 * QUOTA),
    ]
    return Outcome(figures, sum(len(each.took) for each in (*calm, *flooded)))


class Phase(NamedTuple):
    """How long each event of the quiet tenants took, and how many of theirs and of the flood were refused."""

    took: list[float]
    refused: int
    of_flood: int


async def _tenants(world: World, batcher: Batcher, times: int, seconds: float) -> Phase:
    """Quiet tenants beside one that sends so many times its quota."""
    took, refused = list[float](), {False: 0, True: 0}

    async def one(tenant: TenantId) -> None:
        event = make_event(title="again", kind="", severity="P3")
        started = time.monotonic()
        try:
            await batcher.submit(Submission(tenant, "dev", (event,), world.clock.now()))
        except Overloaded:
            refused[tenant == FLOOD] += 1
        else:
            took.extend([time.monotonic() - started] if tenant != FLOOD else [])

    async with asyncio.TaskGroup() as group:
        began, flooding, calls = time.monotonic(), 0, 0
        while (now := time.monotonic() - began) < seconds:
            for _ in range(int(now * QUOTA * times) - flooding):
                group.create_task(one(FLOOD))
                flooding += 1
            for _ in range(int(now * 100) - calls):
                group.create_task(one(QUIET[calls % len(QUIET)]))
                calls += 1
            await asyncio.sleep(0.002)
    return Phase(took, refused[False], refused[True])
