"""Servers of the product as the composition root builds them, on simulated lines; they crash, freeze and come back."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any, cast

from llm_incident_manager import entrance, parts
from llm_incident_manager.adapters import rulepack
from llm_incident_manager.adapters.codec.events import EventCodec
from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.adapters.rates import ProcessRates
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.access import DEVELOPER
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.policy import Route
from llm_incident_manager.domain.redaction import Shapes
from llm_incident_manager.domain.roles import Role
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.sla import Target
from llm_incident_manager.domain.tenants import AS_CONFIGURED, TenantLimits, TenantState
from llm_incident_manager.domain.time import HOUR, MINUTE, SECOND, Instant
from llm_incident_manager.engines.breaker import Thresholds
from llm_incident_manager.engines.lockout import Patience
from llm_incident_manager.engines.notify import RetryPolicy
from llm_incident_manager.engines.triage import Judge
from llm_incident_manager.pipeline.batcher import Batcher, Limits
from llm_incident_manager.pipeline.breakers import Breakers
from llm_incident_manager.pipeline.buffer import Bounds
from llm_incident_manager.pipeline.buses import CarriedBus
from llm_incident_manager.pipeline.meter import Meter
from llm_incident_manager.pipeline.numbers import Numbers
from llm_incident_manager.pipeline.tools import Identities, Tools
from llm_incident_manager.ports.bus import Bus
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.roles import News, workers
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport import contract, hooks
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.drain import Drain
from llm_incident_manager.transport.guard import Guard
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.identity import Identity, OpenStreams
from llm_incident_manager.transport.limits import Limiter, Source
from llm_incident_manager.transport.redact import Redactor
from llm_incident_manager.usecases.access_book import AccessBook
from llm_incident_manager.usecases.watch import Feed
from simulation.books import Books
from simulation.bus import Whispers, Wire
from simulation.channel import Provider, ProviderLine
from simulation.database import Line
from simulation.repeating import RepeatingTimers
from simulation.world import World

LEASE_LEAP = 61 * SECOND
"""Ends every lease."""

SLA = {
    Severity.P0: Target(1 * SECOND, 3 * SECOND),
    Severity.P1: Target(2 * SECOND, 5 * SECOND),
    Severity.P2: Target(3 * SECOND, 10 * SECOND),
    Severity.P3: Target(5 * SECOND, 1 * HOUR),
    Severity.P4: Target(None, 3 * HOUR),
}
"""Broken while the trouble lasts."""

LEFT_OUT = frozenset({"indexer", "sweeper"})
"""Workers that are not started: what they do nobody here asks for, and a run would take twice as long."""

METRICS = Metrics("simulation")


class Served:
    """Implements ports.access.KnownTenants: every tenant is served, as configured."""

    def state_of(self, _: TenantId) -> TenantState:
        """It is."""
        return TenantState.ACTIVE

    def limits_of(self, _: TenantId) -> TenantLimits:
        """What the configuration says."""
        return AS_CONFIGURED


LANES = 2
"""Batches side by side, as on PostgreSQL: they differ in their fingerprints, and take turns in the database."""


@cache
def judge() -> Judge:
    """The shipped rules."""
    return Judge(rulepack.load())


@cache
def settings(does: tuple[Role, ...]) -> Settings:
    """The defaults, for a server with these roles."""
    return Settings.model_validate({"roles": list(does)})


class ServerClock:
    """Implements ports.clock.Clock: the true time, and how far this server's clock is off."""

    def __init__(self, world: World, skew: int) -> None:
        """`skew` in microseconds."""
        self._world = world
        self._skew = skew

    def now(self) -> Instant:
        """The time as this server sees it."""
        return Instant(self._world.now + self._skew)

    async def sleep(self, seconds: float) -> None:
        """Waits on the virtual loop."""
        await asyncio.sleep(seconds)


class Server:
    """One start of a server until its end. `name` is unique, as the owner of leases."""

    def __init__(self, name: str, world: World, store: Store, books: Books, wire: Wire, skew: int) -> None:
        """Builds all parts and starts nothing."""
        self.name = name
        self.dead = False
        self.disturbed: list[float] = []
        self.lane = world.loop.lane(name)
        self.line = Line(store, world, books, self)
        self._world = world
        self._wire = wire
        self._skew = skew

    def start(self, providers: Mapping[str, Provider], does: Collection[Role]) -> None:
        """Starts the workers of its roles."""
        store, clock = cast(Store, self.line), ServerClock(self._world, self._skew)
        hints = Whispers(self._wire)
        bus = self._wire.bus(store, hints, self)
        news = News(bus, hints, Meter(clock))
        tools = self._tools(providers, store, clock, news)
        self.serves = Role.API in does
        chosen = settings(tuple(does))
        self.services = _services(chosen, tools, bus)
        guard = Guard(Served(), clock, Patience(1, SECOND, SECOND), METRICS)
        identity = Identity((), OpenStreams((), guard.admits), guard, DEVELOPER)
        own = ProcessRates(clock)
        checkers, source = contract.checkers(), Source(own)
        chain = hooks.chain(METRICS, checkers, self.services.door, source, identity, Limiter(own))
        self.dispatcher = Dispatcher(chain, contract.handlers(self.services), Redactor(Shapes()))
        found = dict(workers(chosen, self.services, news, self.name, presence=None))
        if "timers" in found:
            found["timers"] = RepeatingTimers(tools, self)
        if isinstance(bus.inner, CarriedBus):
            found["bus"] = bus.inner
        for name, worker in found.items():
            if name not in LEFT_OUT:
                self.lane.spawn(worker.run(), name).add_done_callback(self._ended)

    def again(self, work: Callable[[], Coroutine[Any, Any, None]], what: str) -> None:
        """Now and then does once more, and later, what a claim has brought."""
        if self._world.chance.happens("work.twice"):
            self.disturb("work.twice")
            self.lane.spawn(self._again(work, what, self._world.chance.between(0, 5)), "again")

    async def _again(self, work: Callable[[], Coroutine[Any, Any, None]], what: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.disturb(f"{what} gets old rows again")
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # as the product: nothing was written, and a later claim does it
            self._world.trace(f"{what} fails: {error!r}")

    def disturb(self, what: str) -> None:
        """Notes what may make it repeat itself."""
        self.disturbed.append(self._world.loop.time())
        self._world.trace(f"{self.name}: {what}")

    async def kill(self) -> None:
        """Ends it as `kill -9` does: nothing it still does reaches anybody."""
        self.disturb("killed")
        self.dead = True
        self.lane.thaw()
        for session in list(self.line.sessions):
            await session.abandon()
        for _ in range(20):
            left = self.lane.tasks
            if not left:
                return
            for task in left:
                task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(1e-6)
        self._world.found("ends when cancelled", f"{[task.get_name() for task in self.lane.tasks]} of {self.name}")

    async def _freeze(self, seconds: float) -> None:
        """Stops it as SIGSTOP does. The database soon undoes what it had open."""
        self.disturb(f"frozen for {seconds:.1f} s")
        self.lane.freeze()
        await asyncio.sleep(self._world.chance.between(0, min(seconds, 6)))
        for session in list(self.line.sessions) if self.lane.frozen else ():
            await session.abandon()

    def freeze_now(self) -> None:
        """Freezes for some seconds, in which its leases run out: what takes a minute elsewhere is a leap of clocks."""
        self._world.loop.world.spawn(self.pause(self._world.chance.between(0.2, 5), leap=LEASE_LEAP), "freeze")

    async def pause(self, seconds: float, leap: int) -> None:
        """Freezes it so long; in the middle of that all clocks leap."""
        frozen = asyncio.create_task(self._freeze(seconds), name="freeze")
        await asyncio.sleep(seconds / 2)
        if leap:
            self._world.leap(leap)
        await asyncio.sleep(seconds / 2)
        self._thaw()
        await frozen

    def _thaw(self) -> None:
        """Lets it go on, where it was."""
        if self.lane.frozen and not self.dead:
            self.disturb("goes on")
            self.lane.thaw()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not self.dead:
            error = None if task.cancelled() else task.exception()
            self._world.found("workers live", f"{task.get_name()} of {self.name} ended with {error!r}")

    def _tools(self, providers: Mapping[str, Provider], store: Store, clock: ServerClock, news: News) -> Tools:
        ids = Uuid7(_bits(self._world.chance.stream(self.name)))
        return Tools(
            store=store,
            clock=clock,
            ids=ids,
            codec=EventCodec(),
            numbers=Numbers(store, LANES),
            identities=Identities(enabled=True, new_id=lambda: ids.new(clock.now())),
            judge=judge(),
            metrics=METRICS,
            window=15 * MINUTE,
            historical_after=HOUR,
            route=Route("default", tuple(providers), Severity.P3),
            retry=RetryPolicy(),
            channels={name: ProviderLine(provider, self) for name, provider in providers.items()},
            breakers=Breakers(clock, Thresholds(), METRICS),
            sla=SLA,
            wake=news.tell,
        )


def _services(chosen: Settings, tools: Tools, bus: Bus) -> Services:
    desk = entrance.desk(AccessBook(tools.store), tools.clock, tools.ids, None)
    services = parts.services(chosen, tools, Feed(tools.store), bus, Drain(), access=desk)
    limits = Limits(batch_events=40, batch_fingerprints=4, lanes=LANES, bounds=Bounds(events=60))
    return replace(services, batcher=Batcher(services.runner, limits, tools.metrics))


def _bits(random: Random) -> Callable[[int], int]:
    return random.getrandbits
