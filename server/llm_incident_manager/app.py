"""The composition root: builds adapters, pipeline and doors, runs them, and closes them last-in-first-out."""

import asyncio
import gc
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

import llm_incident_manager
from llm_incident_manager import parts
from llm_incident_manager.adapters import channels as channel_adapters
from llm_incident_manager.adapters import databases
from llm_incident_manager.adapters.clock import SteadyClock, SystemClock
from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.adapters.rulepack import RulePackError
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.errors import DomainError, StoreUnavailable
from llm_incident_manager.pipeline import assembly
from llm_incident_manager.pipeline.indexer import Indexer
from llm_incident_manager.pipeline.outbox import Pump
from llm_incident_manager.pipeline.sweeper import Sweeper
from llm_incident_manager.pipeline.timekeeper import Timekeeper
from llm_incident_manager.pipeline.timers import Timers
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Store, StoreRefused
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport import contract, hooks, methods
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.drain import Drain
from llm_incident_manager.transport.errors import PortTaken
from llm_incident_manager.transport.readiness import Probe, Probes
from llm_incident_manager.transport.rest.server import RestServer, RestSettings
from llm_incident_manager.transport.rpc.server import RpcServer, RpcSettings
from llm_incident_manager.transport.scrape import Scrape
from llm_incident_manager.usecases.watch import Feed

SWITCH_INTERVAL = 0.0005
"""Seconds after which a busy thread lets another have the interpreter: the database thread waits for the loop thread
at each statement, and with Python's default of 5 ms a batch would take ten times as long."""

GC_THRESHOLDS = (50_000, 50, 100)
"""A batch makes thousands of values that live until its commit and hold no cycles: with the default thresholds the
collector would look through all of them several times a batch."""


def run(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code. A second signal ends at once."""
    import uvloop

    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings))


def migrate(settings: Settings, *, dry_run: bool = False) -> Sequence[str]:
    """Brings the database's schema up to date; returns the names of the migrations run, or that would run.

    Raises StoreRefused, StoreUnavailable.
    """
    return asyncio.run(databases.migrate(settings, SystemClock().now(), dry_run=dry_run))


async def _serve(settings: Settings) -> int:
    logs.configure(settings.log.level, settings.log.format)
    log = logs.get("app")
    stop = _stop_on_signals()
    try:
        async with AsyncExitStack() as stack:
            for key in settings.not_in_effect():
                log.warning("config.not_in_effect", key=key)
            for address in settings.exposed():
                log.warning(
                    "config.anonymous_access", address=address, meaning="anybody who reaches it may do anything"
                )
            server = await Server.build(settings, stack)
            await server.start()
            log.info(
                "app.started", **server.addresses, store=server.store.kind, version=llm_incident_manager.__version__
            )
            await server.look_at_replica()
            failed = await server.watch(stop)
            await server.drain()
    except (StoreRefused, StoreUnavailable, PortTaken, RulePackError) as refused:
        sys.stderr.write(f"cannot start: {refused}\n")
        return 1
    log.info("app.stopped", clean=not failed)
    return 1 if failed else 0


def _stop_on_signals() -> asyncio.Event:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def handle(number: signal.Signals) -> None:
        if stop.is_set():
            sys.exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handle, number)
    return stop


class Worker(Protocol):
    """Something that works on its own until it is cancelled."""

    async def run(self) -> None:
        """Does so."""
        ...


@dataclass(slots=True)
class Server:
    """Everything that runs. Doors are there once it serves; embedded in another program it has none."""

    settings: Settings
    store: Store
    workers: dict[str, Worker]
    end: Drain
    dispatcher: Dispatcher
    probes: Probes
    scrape: Scrape
    doors: list[RpcServer | RestServer]
    addresses: dict[str, str]
    tasks: list[asyncio.Task[None]]

    @classmethod
    async def build(cls, settings: Settings, stack: AsyncExitStack) -> "Server":
        """Builds everything and starts nothing but the database. Raises StoreRefused."""
        parts.start_tracing(settings, stack)
        clock, ids, metrics = SteadyClock(), Uuid7(), Metrics(llm_incident_manager.__version__)
        store = await databases.open_store(settings, clock.now(), ids.new(clock.now()), metrics.replica_read)
        stack.push_async_callback(store.close)
        timekeeper = Timekeeper(clock, store.time, metrics)
        await timekeeper.once()
        channels = channel_adapters.build(settings, SystemClock(), logs.get("notify"))
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        feed, pumps, end = Feed(store), dict[str, Pump](), Drain()

        def wake(changes: Changes) -> None:
            if changes.feed:
                feed.wake()
                indexer.wake()
            for topic in {row.topic for row in changes.outbox}:
                pumps[topic].wake()

        tools = parts.tools(settings, store, clock=clock, ids=ids, metrics=metrics, channels=channels, wake=wake)
        services = parts.services(settings, tools, feed, end)
        indexer = Indexer(store, clock, lambda: services.batcher.pressed)
        for handler in (*assembly.AFTER_COMMIT, *assembly.EFFECTS):
            pumps[handler.TOPIC] = Pump(handler, tools, settings.instance_id, lambda: services.batcher.pressed)
        dispatcher = Dispatcher(hooks.chain(metrics, contract.checkers()), contract.handlers(services))
        optional: dict[str, Probe] = {"clock": timekeeper.check}
        if settings.storage.replica_url:
            optional["replica"] = store.check_replica
        probes = Probes({"database": store.check}, end, parts.notes(settings), optional)
        scrape = Scrape(metrics, store, clock)
        sweeper = Sweeper(store, clock, tools.kept, metrics)
        workers: dict[str, Worker] = {"batcher": services.batcher, "feed": feed, "indexer": indexer, "sweeper": sweeper}
        workers["timekeeper"] = timekeeper
        workers["timers"] = Timers(tools, settings.instance_id, databases.lanes(settings))
        workers |= {f"pump-{topic}": pump for topic, pump in pumps.items()}
        return cls(settings, store, workers, end, dispatcher, probes, scrape, [], {}, [])

    async def start(self) -> None:
        """Binds both ports, then starts the work behind them. Raises PortTaken."""
        every = methods.all_methods()
        rpc = RpcServer(RpcSettings.of(self.settings.grpc), self.dispatcher, every)
        rest = RestServer(RestSettings.of(self.settings.api), self.dispatcher, every, self.probes, self.scrape)
        rpc_port, rest_port = await rpc.start(), await rest.start()
        self.doors += [rpc, rest]
        self.addresses = {
            "grpc": f"{self.settings.grpc.host}:{rpc_port}",
            "http": f"http://{self.settings.api.host}:{rest_port}",
        }
        self.work()

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
