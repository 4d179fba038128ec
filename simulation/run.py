"""One run: a world from a seed, trouble for a while, then calm until everything is at rest, then the invariants."""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from llm_incident_manager.adapters.executor import InlineExecutor
from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.adapters.sqlite import outbox, timers
from llm_incident_manager.adapters.sqlite import store as sqlite
from llm_incident_manager.adapters.sqlite.store import SqliteStore
from llm_incident_manager.domain.roles import Role
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.ports.stores import Store
from simulation import invariants
from simulation.books import Books
from simulation.bus import Wire
from simulation.channel import Provider
from simulation.clients import Operator, Reporter
from simulation.diary import Diary
from simulation.loop import Stuck
from simulation.network import Network, Refused, Unanswered
from simulation.producers import Producer
from simulation.server import LEASE_LEAP, Server
from simulation.world import World

TROUBLE_SECONDS = 10.0
"""How long faults happen, in virtual seconds."""

REST_SECONDS = 1.1
"""A little longer than the pollers' longest rest: who has work by then has looked for it."""

MOST_RESTS = 120


ALL = tuple(Role)
SPLIT = {
    1: (ALL,),
    2: ((Role.API,), (Role.API, Role.ROUTE, Role.NOTIFY)),
    3: ((Role.API, Role.NOTIFY), (Role.ROUTE,), (Role.API, Role.ROUTE)),
}
"""Roles of the servers of a run where not everybody does everything, by how many servers there are."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. Two runs of a seed have the same digest."""

    seed: int
    digest: str
    violations: Sequence[str]
    trace: Sequence[str]
    events: int
    seconds: float


class Run:
    """Everything of one run."""

    def __init__(self, store: SqliteStore, world: World) -> None:
        """Draws who takes part."""
        self.world = world
        self.draw = world.chance.stream("run")
        self.store = store
        self.books = Books(world)
        self.wire = Wire(world, carried=self.draw.random() < 0.5)
        self.network = Network(world)
        self.diary = Diary(world)
        self.providers = {name: Provider(name, world) for name in ("pager", "chat")[: self.draw.randint(1, 2)]}
        self.names = "abc"[: self.draw.randint(1, 3)]
        off = self.draw.choice((0, 0, 200_000))
        self.skews = {name: self.draw.randint(-off, off) for name in self.names}
        split = self.draw.random() < 0.5
        self.roles = {name: SPLIT[len(self.names)][at] if split else ALL for at, name in enumerate(self.names)}
        self._starts = 0
        about = world, self.network, self.diary, self.draw.randint(1, 8)
        self.producers = [Producer(f"producer-{n}", *about) for n in range(self.draw.randint(1, 2))]
        reporters = [Reporter(f"reporter-{n}", *about) for n in range(self.draw.randint(1, 3))]
        operators = [Operator(f"operator-{n}", *about) for n in range(self.draw.randint(1, 2))]
        self.clients: list[Producer | Reporter | Operator] = [*self.producers, *reporters, *operators]

    async def whole(self) -> None:
        """From the first start to the last check."""
        for name in self.names:
            self._start(name)
        clients = [self.world.loop.lane(each.name).spawn(each.run(), each.name) for each in self.clients]
        trouble = [asyncio.create_task(self._trouble(name), name="trouble") for name in self.names]
        weather = asyncio.create_task(self._weather(), name="weather")
        await asyncio.sleep(TROUBLE_SECONDS)
        self.world.chance.calm = True
        self.world.trace("calm")
        await asyncio.gather(*trouble, weather)
        _, late = await asyncio.wait(clients, timeout=300)
        for task in late:
            self.world.found("clients get answers", f"{task.get_name()} still waits")
        for task in clients:
            if task.done() and (error := task.exception()) is not None:
                self.world.found("no defects", f"{task.get_name()} failed with {error!r}")
        await self._rest()
        await self._ask_again()
        invariants.check(self)
        for server in list(self.network.servers):
            await server.kill()

    def _start(self, name: str) -> None:
        """Starts a server. Where there is only one it ends the leases of the one before, as a start on SQLite does."""
        self._starts += 1
        server = Server(
            f"{name}.{self._starts}", self.world, cast(Store, self.store), self.books, self.wire, self.skews[name]
        )
        self.world.trace(f"{server.name} starts")
        if len(self.names) == 1 and self._starts > 1:
            outbox.reset(self.store._writer.connection)
            timers.reset(self.store._writer.connection)
        server.start(self.providers, self.roles[name])
        self.network.servers.append(server)

    def _server(self, name: str) -> Server:
        return next(server for server in self.network.servers if server.name.startswith(name))

    async def _trouble(self, name: str) -> None:
        """What happens to one server."""
        pace = self.draw.choice((1.5, 3.0, 8.0, 60.0))
        while await self._peace(pace):
            if self.draw.random() < 0.5:
                await self._crash(name)
            else:
                leap = LEASE_LEAP if self.draw.random() < 0.5 else 0
                await self._server(name).pause(self.draw.uniform(0.2, 6), leap)

    async def _peace(self, mean: float) -> bool:
        """Lets some time pass; whether there is time for more trouble then."""
        seconds = self.draw.expovariate(1 / mean)
        if self.world.loop.time() + seconds > TROUBLE_SECONDS:
            return False
        await asyncio.sleep(seconds)
        return True

    async def _crash(self, name: str) -> None:
        server = self._server(name)
        self.network.servers.remove(server)
        await server.kill()
        await asyncio.sleep(self.draw.uniform(0, 3))
        self._start(name)

    async def _weather(self) -> None:
        """Somebody sets the clocks."""
        pace = self.draw.choice((5.0, 30.0, 300.0))
        while await self._peace(pace):
            self.world.leap(int(self.draw.choice((-30, -1, 1, 70, 1_000, 3_700)) * SECOND))

    async def _rest(self) -> None:
        """Until no work is left: whenever nothing but time is missing, the clocks leap to when it is due."""
        for _ in range(MOST_RESTS):
            await asyncio.sleep(REST_SECONDS)
            due = invariants.waiting(self.store)
            if not due:
                return
            until = due[0] if self.draw.random() < 0.3 else due[-1]
            if until > self.world.now:
                self.world.leap(until - self.world.now + SECOND)
        self.world.found("work is done", f"after {MOST_RESTS} rests there is still work")

    async def _ask_again(self) -> None:
        """Some requests of the past, once more: each gets its first answer."""
        known = sorted(self.diary.asked)
        for request_id in self.draw.sample(known, min(8, len(known))):
            name, request = self.diary.asked[request_id]
            try:
                self.diary.answer(request_id, name, request, await self.network.unary(name, request))
            except (Unanswered, Refused) as error:
                self.world.found("first answer", f"{name} {request_id} was answered, and now {error!r}")


def run(seed: int) -> Outcome:
    """Runs a seed."""
    world = World(seed)
    gc.disable()  # when it collects is nobody's choice, and what it ends would show in the trace
    try:
        return world.loop.run(_run(seed, world))
    except Stuck as stuck:
        world.found("goes on", str(stuck))
        return _outcome(seed, world, 0)
    finally:
        gc.enable()


async def _run(seed: int, world: World) -> Outcome:
    name = Uuid7(world.chance.stream("database").getrandbits).new(world.now)
    store = await sqlite.open_store(sqlite.Options(None, InlineExecutor), name, world.now)
    whole = Run(store, world)
    await whole.whole()
    for defect in world.loop.defects:
        world.found("no defects", defect)
    await store.close()
    return _outcome(seed, world, len(whole.diary.told))


def _outcome(seed: int, world: World, events: int) -> Outcome:
    return Outcome(seed, world.digest, tuple(world.violations), world.lines, events, world.loop.time())
