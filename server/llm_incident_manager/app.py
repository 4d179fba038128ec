"""What the commands `serve` and `migrate` do: runs a server until it is told to stop, and closes all behind it."""

import asyncio
import gc
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

import llm_incident_manager
from llm_incident_manager import entrance
from llm_incident_manager.adapters import databases
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.adapters.pepper import PepperRefused
from llm_incident_manager.adapters.rulepack import RulePackError
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.domain.phases import Phase
from llm_incident_manager.domain.roles import Role
from llm_incident_manager.pipeline import assembly
from llm_incident_manager.ports.credentials import BadCredentials
from llm_incident_manager.ports.outbound import OutboundRefused
from llm_incident_manager.ports.stores import StoreRefused
from llm_incident_manager.server import Server
from llm_incident_manager.telemetry import logs, redaction
from llm_incident_manager.transport.listening import Place, PortTaken
from llm_incident_manager.transport.rpc.core_log import CoreLog

SWITCH_INTERVAL = 0.0005
"""Seconds after which a busy thread lets another have the interpreter: the database thread waits for the loop thread
at each statement, and with Python's default of 5 ms a batch would take ten times as long."""

REFUSALS = (
    *(BadCredentials, OutboundRefused, PepperRefused),
    *(PortTaken, RulePackError, StoreRefused, StoreUnavailable),
)
"""Why a server does not start, in a sentence for its operator."""

GC_THRESHOLDS = (50_000, 50, 100)
"""A batch makes thousands of values that live until its commit and hold no cycles: with the default thresholds the
collector would look through all of them several times a batch."""


def run(settings: Settings, place: Place | None = None) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code. A second signal ends at once.

    `place` tells one of several workers which it is; it ends, too, when its standard input does.
    """
    import uvloop

    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings if place is None else settings.of_worker(place.number), place))


def migrate(settings: Settings, *, phase: Phase, dry_run: bool = False) -> Sequence[str]:
    """Brings the database's schema up to date; returns the names of the migrations run, or that would run.

    Raises StoreRefused, StoreUnavailable.
    """
    return asyncio.run(databases.migrate(settings, SystemClock().now(), phase=phase, dry_run=dry_run))


def first_key(settings: Settings) -> str:
    """Makes the database if it is not there, and an API key in it for whoever looks after the installation; the text
    of the key. Raises StoreRefused, StoreUnavailable, PepperRefused."""
    return asyncio.run(_first_key(settings))


async def _first_key(settings: Settings) -> str:
    clock, ids = SystemClock(), Uuid7()
    store = await databases.open_store(settings, clock.now(), ids.new(clock.now()))
    try:
        return await entrance.first_key(settings, store, clock, ids)
    finally:
        await store.close()


async def _serve(settings: Settings, place: Place | None) -> int:
    core = CoreLog() if settings.tls.on else None
    if core is not None:
        core.open()
    logs.configure(settings.log.level, settings.log.format)
    redaction.use(settings.redaction.shapes())
    log = logs.get("app")
    stop = _stop_on_signals()
    if place is not None:
        _stop_when_orphaned(stop)
    try:
        async with AsyncExitStack() as stack:
            _say_what_counts(settings, log)
            server = await Server.build(settings, stack, place)
            if core is not None and server.tls is not None:
                core.handshake = server.tls.handshakes.said
                stack.callback(core.close)
            await server.start()
            log.info(
                "app.started",
                **server.addresses,
                store=server.store.kind,
                roles=",".join(settings.roles),
                instance=settings.instance_id,
                version=llm_incident_manager.__version__,
            )
            await server.look_at_replica()
            failed = await server.watch(stop)
            await server.drain()
    except REFUSALS as refused:
        sys.stderr.write(f"cannot start: {refused}\n")
        return 1
    log.info("app.stopped", clean=not failed)
    return 1 if failed else 0


def _say_what_counts(settings: Settings, log: logs.Logger) -> None:
    """What was asked for and has no effect, and what everybody should know."""
    for key in settings.not_in_effect():
        log.warning("config.not_in_effect", key=key)
    for address in settings.exposed():
        log.warning("config.anonymous_access", address=address, meaning="anybody who reaches it may do anything")
    if settings.tls.terminated_by_proxy and not settings.tls.on:
        meaning = "credentials are taken in clear text: only a proxy that speaks TLS with clients may reach this server"
        log.warning("config.tls_terminated_by_proxy", meaning=meaning)
    idle = [role for role in settings.roles if not assembly.STEPS[role]]
    if idle and len(settings.roles) < len(Role):
        log.info("roles.idle", roles=",".join(idle), meaning="this release has no work for them yet")


def _stop_on_signals() -> asyncio.Event:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def handle(number: signal.Signals) -> None:
        if stop.is_set():
            sys.exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handle, number)
    return stop


def _stop_when_orphaned(stop: asyncio.Event) -> None:
    """Nobody writes to a worker's standard input: it ends when the process that looks after the workers is gone."""
    loop, descriptor = asyncio.get_running_loop(), sys.stdin.fileno()

    def ended() -> None:
        loop.remove_reader(descriptor)
        stop.set()

    loop.add_reader(descriptor, ended)
