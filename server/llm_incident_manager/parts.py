"""What the settings say, made into parts: the pipeline's tools and the use cases. `app` puts them to work."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from llm_incident_manager.adapters import databases, rulepack
from llm_incident_manager.adapters.codec.events import EventCodec
from llm_incident_manager.adapters.redis.connection import Connection
from llm_incident_manager.adapters.redis.streams import Streams
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.policy import Route
from llm_incident_manager.domain.time import DAY, SECOND
from llm_incident_manager.engines.notify import RetryPolicy
from llm_incident_manager.engines.retention import Policy
from llm_incident_manager.engines.triage import Judge
from llm_incident_manager.pipeline.batcher import Batcher, Limits
from llm_incident_manager.pipeline.buses import CarriedBus, DatabaseBus
from llm_incident_manager.pipeline.numbers import Numbers
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.pipeline.tools import Identities, Tools
from llm_incident_manager.ports.bus import Bus
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.channel import Channel
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.hints import Hints
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry import traces
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.drain import Drain
from llm_incident_manager.transport.handlers.services import Services, StreamLimits
from llm_incident_manager.transport.handlers.watching import Watching
from llm_incident_manager.transport.page_tokens import PageTokens
from llm_incident_manager.transport.paging import Pages
from llm_incident_manager.transport.translate.incidents import AsOf
from llm_incident_manager.usecases.applying import Applying
from llm_incident_manager.usecases.dead_letters import DeadLetters
from llm_incident_manager.usecases.incidents import Incidents
from llm_incident_manager.usecases.linking import Linking
from llm_incident_manager.usecases.merging import Merging
from llm_incident_manager.usecases.snoozing import Snoozing
from llm_incident_manager.usecases.splitting import Splitting
from llm_incident_manager.usecases.unit import Units
from llm_incident_manager.usecases.watch import Feed


def tools(
    settings: Settings,
    store: Store,
    *,
    clock: Clock,
    ids: Ids,
    metrics: Metrics,
    channels: Mapping[str, Channel],
    wake: Callable[[Changes], None],
) -> Tools:
    """What stages and effects reach for."""
    dedup, triage, tell = settings.deduplication, settings.triage, settings.notifications
    return Tools(
        store=store,
        clock=clock,
        ids=ids,
        codec=EventCodec(),
        numbers=Numbers(store, databases.lanes(settings)),
        identities=Identities(enabled=dedup.fingerprint_enabled, new_id=lambda: ids.new(clock.now())),
        judge=Judge(
            rulepack.load(
                triage.rules, source_defaults=triage.source_defaults, default_severity=triage.default_severity
            )
        ),
        metrics=metrics,
        window=dedup.window_secs * SECOND,
        historical_after=dedup.historical_after_secs * SECOND,
        route=Route("default", tuple(channels), tell.default_route.min_severity),
        retry=RetryPolicy(tell.max_attempts, tell.base_delay_secs),
        channels=channels,
        mutes=tuple(mute.rule() for mute in settings.ingest.mutes),
        kept=policy(settings),
        sla=settings.sla.targets(),
        lanes=databases.lanes(settings),
        wake=wake,
    )


def bus(settings: Settings, store: Store, hints: Hints, redis: Connection | None, owner: str) -> Bus:
    """How work after the commit gets to its handlers; `owner` names this start of the process."""
    database = DatabaseBus(store, hints.tell)
    if settings.bus.backend == "database" or redis is None:
        return database
    streams = Streams(redis, consumer=settings.instance_id, owner=owner, shards=settings.bus.shards)
    return CarriedBus(store, streams, database)


def policy(settings: Settings) -> Policy:
    """How long records are kept, as retention counts it."""
    kept = settings.retention
    return Policy(kept.events_days * DAY, kept.incidents_days * DAY, kept.audit_days * DAY, kept.max_bytes)


def owner(settings: Settings, run: str) -> str:
    """What this start of a process is called in leases: several may have the same `instance_id`. `run` is unique."""
    return f"{settings.instance_id}/{run[-12:]}"


def notes(settings: Settings) -> dict[str, str]:
    """What readiness tells beside the probes."""
    return {"anonymous_access": ", ".join(settings.exposed())} if settings.exposed() else {}


def services(settings: Settings, made: Tools, feed: Feed, end: Drain) -> Services:
    """The use cases that doors ask."""
    ingest = settings.ingest
    clock, ids = made.clock, made.ids
    runner, units, incidents = Runner(made), Units(made.store, clock, made.wake), Incidents(clock, ids)
    snoozing = Snoozing(clock, ids)
    limits = Limits(
        batch_events=ingest.batch_events,
        batch_fingerprints=ingest.batch_fingerprints,
        linger=ingest.linger_ms / 1000,
        buffer_events=ingest.buffer_events,
        lanes=databases.lanes(settings),
    )
    return Services(
        tools=made,
        runner=runner,
        batcher=Batcher(runner, limits, made.metrics),
        units=units,
        incidents=incidents,
        merging=Merging(clock, ids),
        splitting=Splitting(clock, ids, made.codec, made.judge.pack),
        linking=Linking(clock, ids),
        snoozing=snoozing,
        applying=Applying(made.store, units, incidents, snoozing),
        dead_letters=DeadLetters(made.store, units, clock, ids),
        feed=feed,
        watching=Watching(feed, lambda: AsOf(clock.now(), made.sla), end),
        pages=Pages(PageTokens(_page_token_key(settings))),
        drain=end,
        limits=StreamLimits(ingest.stream_credits, ingest.max_frame_events),
    )


def _page_token_key(settings: Settings) -> bytes:
    """The same for all processes of a deployment. It gives nobody a right: tokens only say where a list goes on."""
    return hashlib.sha256(b"page tokens of " + databases.location(settings).encode()).digest()


def start_tracing(settings: Settings, stack: AsyncExitStack) -> None:
    """Sends traces to the collector of the settings, if there is one."""
    endpoint = settings.traces.endpoint
    if endpoint:
        service = {"service.name": settings.traces.service_name, "service.instance.id": settings.instance_id}
        traces.send_to(endpoint, sample_ratio=settings.traces.sample_ratio, service=service)
        stack.push_async_callback(asyncio.to_thread, traces.stop)
