"""Fault 55: a rolling upgrade under load, begun, taken back and done; its migration is killed on the way."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from chaos import stalls
from chaos.acks import AckLog, ack_log
from chaos.audit import audit
from chaos.load import Load, Shape
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from tests.support import releases
from tests.support.books import books_in
from tests.support.postgres import Cluster
from tests.support.server import running_server

SHAPE = Shape(frame=20, pause=0.1, unary=2, rest=1)
_MIGRATE = """
import asyncio, sys
from llm_incident_manager.adapters.postgres import schema
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.domain.phases import Phase
asyncio.run(schema.migrate(Options(sys.argv[1]), 7, phase=Phase.PRE))
"""


class Side(NamedTuple):
    """What the callers of a server were told."""

    log: AckLog

    async def goes_on(self, more: int) -> None:
        """Returns once it has acknowledged so many more. Raises TimeoutError."""
        await self.log.reaches(self.log.counted + more, seconds=60)


@fault(55, "rolling upgrade N, N+1, N, N+1 under load", part="PostgreSQL",
       limit="lost 0, doubled 0, every server acknowledges at every step")  # fmt: skip
async def upgrade(run: Run) -> Outcome:
    """N is the latest release, N+1 is this tree. N goes on when the migration dies in the middle, on the schema that
    N+1 has added to, and when N+1 goes again; then N goes."""
    version, more = releases.versions()[-1], run.size(50, 2_000)
    release = releases.unpack(version, run.folder / "release")
    async with run.postgres() as (cluster, database):
        env = {"DATABASE_URL": cluster.dsn(database)}
        async with AsyncExitStack() as afterwards:
            async with _side(run, "old", {**env, "PYTHONPATH": str(release.server)}) as old:
                await old.goes_on(more)
                kills = await _migration_killed(run, cluster, database, old)
                async with _side(run, "new", env) as new:
                    await asyncio.gather(new.goes_on(more), old.goes_on(more))
                await old.goes_on(more)
                newer = await afterwards.enter_async_context(_side(run, "newer", env))
                await asyncio.gather(newer.goes_on(more), old.goes_on(more))
            await newer.goes_on(more)
        acks = [AckLog(run.folder / f"{name}.acks").read() for name in ("old", "new", "newer")]
        found = await audit([ack for each in acks for ack in each], books_in(cluster, database), env)
    figures = [
        Figure("migrations killed in the middle", kills, least=run.size(1, 5)),
        Figure(f"acknowledged by {version}", len(acks[0]), least=4 * more),
        Figure("by this tree", len(acks[1]) + len(acks[2]), least=3 * more),
    ]
    return Outcome(figures, found.acked, found.lost, found.doubled, wrong=found.wrong)


@asynccontextmanager
async def _side(run: Run, name: str, env: Mapping[str, str]) -> AsyncIterator[Side]:
    """A server with callers of its own. Afterwards they are seen through, and it ends in good order."""
    async with ack_log(run.folder / f"{name}.acks") as log, running_server(env=env) as server:
        load = Load(name, run.chance, log, SHAPE)
        async with load.running(server.grpc, server.http):
            yield Side(log)
        code = await server.terminate()
    if code or load.errors:
        raise AssertionError(f"{name}: exit code {code}, {load.errors[:1]}: {server.log[-500:]}")


async def _migration_killed(run: Run, cluster: Cluster, database: str, old: Side) -> int:
    """Kills the migration to N+1 at some of its changes, while N has the database."""
    command = [sys.executable, "-c", _MIGRATE, cluster.dsn(database)]
    places = sorted(run.chance.sample(range(stalls.FIRST, 50), run.size(1, 20)))
    for number, at in enumerate(places):
        if not await stalls.killed(cluster, database, command, at):
            return number
        await old.goes_on(20)
    return len(places)
