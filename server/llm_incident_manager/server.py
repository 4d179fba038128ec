"""One server: builds its parts from the settings, opens its doors, and ends without losing anything."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import llm_incident_manager
from llm_incident_manager import entrance, outside, parts, roles, securing
from llm_incident_manager.adapters import databases
from llm_incident_manager.adapters.clock import SteadyClock
from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.adapters.redis import opening as redis_opening
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.roles import Role
from llm_incident_manager.pipeline.meter import Meter
from llm_incident_manager.pipeline.tenure import Worker
from llm_incident_manager.pipeline.timekeeper import Timekeeper
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.loop import LoopWatch
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport import contract, hooks, methods
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.drain import Drain
from llm_incident_manager.transport.front import Front
from llm_incident_manager.transport.graphql import door as graphql_door
from llm_incident_manager.transport.graphql.context import Behind
from llm_incident_manager.transport.handlers.many import Many
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.identity import Identity, OpenStreams
from llm_incident_manager.transport.limits import Limiter, Source
from llm_incident_manager.transport.listening import Place
from llm_incident_manager.transport.readiness import Probes
from llm_incident_manager.transport.redact import Redactor
from llm_incident_manager.transport.rest.app import Application
from llm_incident_manager.transport.rest.pages import Told
from llm_incident_manager.transport.rest.server import RestServer, RestSettings
from llm_incident_manager.transport.rpc.server import RpcServer, RpcSettings
from llm_incident_manager.transport.scrape import Scrape
from llm_incident_manager.transport.siblings import Siblings
from llm_incident_manager.transport.tls import ServerTls
from llm_incident_manager.transport.ws import door as ws_door
from llm_incident_manager.usecases.watch import Feed


@dataclass(frozen=True, slots=True)
class Beside:
    """Applications beside the contract's own bindings, by path: of sockets and of requests. `behind` is what answers
    GraphQL, which a program may ask without a door."""

    sockets: Mapping[str, Application]
    requests: Mapping[str, Application]
    behind: Behind


@dataclass(slots=True)
class Server:
    """Everything that runs. Doors are there once it serves; embedded in another program it has none."""

    settings: Settings
    store: Store
    workers: dict[str, Worker]
    end: Drain
    dispatcher: Dispatcher
    told: Told
    siblings: Siblings | None
    tls: ServerTls | None
    beside: Beside
    doors: list[RpcServer | RestServer]
    addresses: dict[str, str]
    tasks: list[asyncio.Task[None]]

    @classmethod
    async def build(cls, settings: Settings, stack: AsyncExitStack, place: Place | None = None) -> "Server":
        """Builds everything and starts nothing but the database. Raises StoreRefused, StoreUnavailable,
        PepperRefused, BadCredentials.

        `place` tells one of several workers which it is.
        """
        clock, ids, metrics = SteadyClock(), Uuid7(), Metrics(llm_incident_manager.__version__)
        run, tls = ids.new(clock.now()), securing.server_tls(settings, metrics)
        notes = parts.notes(settings)
        store = await parts.store(settings, clock.now(), run, metrics, notes)
        stack.push_async_callback(store.close)
        signer = parts.signer(settings, notes)
        timekeeper = Timekeeper(clock, store.time, metrics)
        await timekeeper.once()
        out = outside.build(settings, clock, metrics, stack)
        redis = redis_opening.connection(settings.redis, metrics, stack)
        owner, hints = parts.owner(settings, run), databases.hints(settings)
        presence = await parts.presence(settings, store, owner, metrics, stack)
        news = roles.News(parts.bus(settings, store, hints, redis, owner), hints, Meter(clock))
        feed, end = Feed(store), Drain()
        life = (lambda: 0) if presence is None else presence.life
        tools = parts.tools(
            settings, store, clock=clock, ids=ids, metrics=metrics, outside=out, wake=news.tell, life=life
        )
        tools = parts.with_others(settings, tools, redis)
        entry = await entrance.build(settings, store, clock, ids, metrics=metrics, outbound=out.outbound, stack=stack)
        services = parts.services(settings, tools, feed, news.bus, end, access=entry.desk, signer=signer, server=owner)
        stack.push_async_callback(services.agents.desk.close)
        checkpointer = parts.checkpointer(settings, tools, signer)
        workers = {**roles.workers(settings, services, news, owner, presence, checkpointer), "timekeeper": timekeeper}
        workers |= {"loop": LoopWatch(metrics), **({"redis": redis} if redis is not None else {})}
        workers |= {**entry.workers, **({"tls": tls} if tls is not None else {})}
        limits = entrance.limits(settings, clock, redis, metrics, entry.tenants)
        dispatcher = _dispatcher(settings, services, entry.identity, limits, tls)
        others: dict[str, parts.Checked | None] = {"clock": timekeeper, "redis": redis, "audit": checkpointer}
        others |= {"issuers": entry.tokens, "callers": entry.callers, "destinations": out.breakers}
        optional = {**parts.optional_probes(settings, store, presence, others), **securing.probes(tls)}
        siblings = None if place is None else Siblings(place, metrics)
        scrape = Scrape(metrics, store, news.bus, clock, presence, siblings)
        probes = Probes({"database": store.check}, end, notes, optional)
        told = Told(probes, scrape, Front(limits[0], entry.identity))
        beside = _beside(settings, dispatcher, services, probes, entry.streams)
        return cls(settings, store, workers, end, dispatcher, told, siblings, tls, beside, [], {}, [])

    async def start(self) -> None:
        """Binds both ports, then starts the work behind them. Raises PortTaken.

        Without the role `api` the doors answer health and metrics only.
        """
        offered = methods.all_methods() if Role.API in self.settings.roles else ()
        settings, shared = self.settings, self.siblings is not None
        mtls_port = settings.grpc_mtls_port
        rpc_settings = RpcSettings.of(
            settings.grpc, settings.watch, settings.edge_agents, shared_port=shared, mtls_port=mtls_port
        )
        rest_settings = RestSettings.of(settings.api, settings.watch, settings.websocket, shared_port=shared)
        rpc = RpcServer(rpc_settings, self.dispatcher, offered, self.tls)
        sockets, others = (self.beside.sockets, self.beside.requests) if offered else ({}, {})
        rest = RestServer(
            rest_settings, self.dispatcher, offered, self.told, secured=self.tls, sockets=sockets, others=others
        )
        rpc_port, rest_port = await rpc.start(), await rest.start()
        self.doors += [rpc, rest]
        self.addresses = {
            "grpc": f"{self.settings.grpc.host}:{rpc_port}",
            "http": f"{'http' if self.tls is None else 'https'}://{self.settings.api.host}:{rest_port}",
        }
        if rpc.mtls_port is not None:
            self.addresses["grpc_mtls"] = f"{self.settings.grpc.host}:{rpc.mtls_port}"
        self.work()
        if self.siblings is not None:
            await self.siblings.start()  # from now on the others know that this one serves

    def work(self) -> None:
        """Starts what works behind the doors."""
        for name, worker in self.workers.items():
            self.tasks.append(asyncio.create_task(worker.run(), name=name))

    async def look_at_replica(self) -> None:
        """Logs why a configured replica is not used, if so: the start does not depend on it."""
        try:
            await self.store.check_replica()
        except DomainError as error:
            logs.get("app").warning("replica.not_used", why=error.message)

    async def watch(self, stop: asyncio.Event) -> bool:
        """Waits for the stop signal; True when a part of the server died instead, which is logged."""
        waiting = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({waiting, *self.tasks}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        dead = [task for task in self.tasks if task.done()]
        for task in dead:
            error = task.exception()
            logs.get("app").error("app.part_died", part=task.get_name(), error=repr(error), exc_info=error)
        return bool(dead)

    async def drain(self) -> None:
        """Readiness off, streams told, calls under way finished, then everything stopped."""
        grace = self.settings.grpc.drain_grace_secs
        self.end.begin(grace)
        await asyncio.gather(*(door.drain(grace) for door in self.doors))
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def _beside(
    settings: Settings, dispatcher: Dispatcher, services: Services, probes: Probes, streams: OpenStreams
) -> Beside:
    """WebSocket and GraphQL."""
    behind = Behind(dispatcher, Many(services), probes)
    graphql = graphql_door.applications(settings, behind, services)
    sockets = ws_door.sockets(settings.websocket, settings.watch.slow_after_secs, dispatcher, services, streams)
    return Beside({**sockets, **graphql.sockets}, graphql.requests, behind)


def _dispatcher(
    settings: Settings, services: Services, identity: Identity, limits: tuple[Source, Limiter], tls: ServerTls | None
) -> Dispatcher:
    """What every call passes, and what answers it."""
    metrics = services.metrics
    source, limiter = limits
    chain = hooks.chain(metrics, contract.checkers(), services.door, source, identity, limiter, tls=tls)
    redactor = Redactor(settings.redaction.shapes(), metrics.redacted)
    handlers, glances = contract.handlers(services), contract.glances(services)
    return Dispatcher(chain, handlers, redactor, settings.watch.slow_after_secs, glances)
