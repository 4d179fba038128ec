"""What the settings say, made into parts: the pipeline's tools and the use cases. `app` puts them to work."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Protocol

import llm_incident_manager
from llm_incident_manager import attending, intake
from llm_incident_manager.adapters import compliance_packs, databases, rulepack
from llm_incident_manager.adapters.audit import copies, signing
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.adapters.codec.events import EventCodec
from llm_incident_manager.adapters.rates import ProcessRates
from llm_incident_manager.adapters.redis import opening as redis_opening
from llm_incident_manager.adapters.redis.connection import Connection
from llm_incident_manager.adapters.redis.streams import Streams
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.policy import Route
from llm_incident_manager.domain.time import DAY, SECOND, Instant
from llm_incident_manager.engines import checkpoint
from llm_incident_manager.engines.notify import RetryPolicy
from llm_incident_manager.engines.retention import Policy
from llm_incident_manager.engines.triage import Judge
from llm_incident_manager.outside import Outside
from llm_incident_manager.pipeline.buses import CarriedBus, DatabaseBus
from llm_incident_manager.pipeline.checkpointer import Checkpointer
from llm_incident_manager.pipeline.numbers import Numbers
from llm_incident_manager.pipeline.presence import Presence
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.pipeline.seen import Seen
from llm_incident_manager.pipeline.tools import Identities, Tools
from llm_incident_manager.ports.audit import Signer
from llm_incident_manager.ports.bus import Bus
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.hints import Hints
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.processes import Process
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.admission import Door
from llm_incident_manager.transport.drain import Drain
from llm_incident_manager.transport.handlers.access_desk import AccessDesk
from llm_incident_manager.transport.handlers.services import Services, StreamLimits
from llm_incident_manager.transport.handlers.watching import Watching
from llm_incident_manager.transport.page_tokens import PageTokens
from llm_incident_manager.transport.paging import Pages
from llm_incident_manager.transport.readiness import Probe
from llm_incident_manager.transport.translate.incidents import AsOf
from llm_incident_manager.usecases.analysing import Analysing
from llm_incident_manager.usecases.applying import Applying
from llm_incident_manager.usecases.auditing import Auditing
from llm_incident_manager.usecases.compliance import Compliance
from llm_incident_manager.usecases.dead_letters import DeadLetters
from llm_incident_manager.usecases.incidents import Incidents
from llm_incident_manager.usecases.linking import Linking
from llm_incident_manager.usecases.merging import Merging
from llm_incident_manager.usecases.snoozing import Snoozing
from llm_incident_manager.usecases.splitting import Splitting
from llm_incident_manager.usecases.unit import Units
from llm_incident_manager.usecases.watch import Feed


async def store(settings: Settings, now: Instant, run: str, metrics: Metrics, notes: dict[str, str]) -> Store:
    """The database; what it has lost is noted for readiness. Raises StoreRefused, StoreUnavailable."""

    def missing(what: str) -> None:
        notes["record"] = what
        metrics.record_missing()

    return await databases.open_store(settings, now, run, metrics.replica_read, missing)


def tools(
    settings: Settings,
    store: Store,
    *,
    clock: Clock,
    ids: Ids,
    metrics: Metrics,
    outside: Outside,
    wake: Callable[[Changes], None],
    life: Callable[[], int | None],
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
        route=Route("default", tuple(outside.channels), tell.default_route.min_severity),
        retry=RetryPolicy(tell.max_attempts, tell.base_delay_secs),
        channels=outside.channels,
        breakers=outside.breakers,
        consulting=outside.consulting,
        mutes=tuple(mute.rule() for mute in settings.ingest.mutes),
        kept=policy(settings),
        sla=settings.sla.targets(),
        lanes=databases.lanes(settings),
        own_rates=ProcessRates(clock),
        wake=wake,
        life=life,
    )


def bus(settings: Settings, store: Store, hints: Hints, redis: Connection | None, owner: str) -> Bus:
    """How work after the commit gets to its handlers; `owner` names this start of the process."""
    database = DatabaseBus(store, hints.tell)
    if settings.bus.backend == "database" or redis is None:
        return database
    streams = Streams(redis, consumer=settings.instance_id, owner=owner, shards=settings.bus.shards)
    return CarriedBus(store, streams, database)


def with_others(settings: Settings, alone: Tools, redis: Connection | None) -> Tools:
    """The tools of a process that may have others beside it: what it has seen, and tenants' rates, are theirs too."""
    if redis is None or not databases.may_be_shared(settings):
        return alone
    seen = Seen(redis_opening.shared_seen(settings.redis, redis))
    own = ProcessRates(alone.clock) if alone.own_rates is None else alone.own_rates
    return replace(alone, seen=seen, own_rates=own, rates=redis_opening.shared_rates(redis, own))


def policy(settings: Settings) -> Policy:
    """How long records are kept, as retention counts it."""
    kept = settings.retention
    return Policy(kept.events_days * DAY, kept.incidents_days * DAY, kept.audit_days * DAY, kept.max_bytes)


def owner(settings: Settings, run: str) -> str:
    """What this start of a process is called in leases: several may have the same `instance_id`. `run` is unique."""
    return f"{settings.instance_id}/{run[-12:]}"


async def presence(
    settings: Settings, store: Store, owner: str, metrics: Metrics, stack: AsyncExitStack
) -> Presence | None:
    """This process among others, where there may be others: from now on they know of it, until it ends.

    It looks at the system's clock, which goes on while the machine sleeps. Raises StoreUnavailable.
    """
    if not databases.may_be_shared(settings):
        return None
    clock = SystemClock()
    process = Process(owner, settings.roles, llm_incident_manager.__version__, clock.now())
    made = Presence(store, clock, process, settings.processes.lease_secs, metrics)
    stack.push_async_callback(made.leave)
    await made.once()
    return made


def signer(settings: Settings, notes: dict[str, str]) -> Signer | None:
    """The key that signs the audit; where there is none, readiness and the log say so. Raises StoreRefused."""
    found = signing.signer(settings)
    if found is None and settings.storage.type != "memory":
        notes["audit"] = "checkpoints are off, so nobody could tell if its end was cut off: set audit.signing_key_file"
        logs.get("audit").warning("checkpoints.off", meaning=notes["audit"])
    return found


def checkpointer(settings: Settings, made: Tools, signer: Signer | None) -> Checkpointer | None:
    """What signs the audit trail, where there is a key."""
    if signer is None:
        return None
    audit = settings.audit
    policy = checkpoint.Policy(audit.checkpoint_records, int(audit.checkpoint_secs * SECOND))
    return Checkpointer(made.store, made.clock, signer, copies.copies(settings), policy, kept=made.kept.audit)


def notes(settings: Settings) -> dict[str, str]:
    """What readiness tells beside the probes."""
    return {"anonymous_access": ", ".join(settings.exposed())} if settings.exposed() else {}


class Checked(Protocol):
    """A part that can say how it is."""

    async def check(self) -> None:
        """Raises when it is not well."""


def optional_probes(
    settings: Settings, store: Store, presence: Presence | None, others: Mapping[str, Checked | None]
) -> Mapping[str, Probe]:
    """What readiness tells and does not count; `others` by the name that it tells them under."""
    found: dict[str, Probe] = {name: part.check for name, part in others.items() if part is not None}
    if settings.storage.replica_url:
        found["replica"] = store.check_replica
    if presence is not None:
        found["roles"] = presence.attended
    return found


def services(
    settings: Settings,
    made: Tools,
    feed: Feed,
    bus: Bus,
    end: Drain,
    *,
    access: AccessDesk,
    signer: Signer | None = None,
    server: str = "single",
) -> Services:
    """The use cases that doors ask; `server` names this start of the process."""
    ingest = settings.ingest
    clock, ids = made.clock, made.ids
    runner, units, incidents = Runner(made), Units(made.store, clock, made.wake), Incidents(clock, ids)
    snoozing = Snoozing(clock, ids)
    basis = compliance_packs.basis(settings, made.sla, signing=signer is not None)
    batcher = intake.batcher(settings, made, runner, access.book)
    return Services(
        tools=made,
        runner=runner,
        batcher=batcher,
        units=units,
        incidents=incidents,
        merging=Merging(clock, ids),
        splitting=Splitting(clock, ids, made.codec, made.judge.pack),
        linking=Linking(clock, ids),
        snoozing=snoozing,
        applying=Applying(made.store, units, incidents, snoozing),
        analysing=Analysing(clock, ids, made.consulting.consultants),
        dead_letters=DeadLetters(made.store, units, clock, ids),
        auditing=Auditing(made.store, clock, signer),
        compliance=Compliance(made.store, clock, signer, basis),
        bus=bus,
        feed=feed,
        watching=Watching(feed, lambda: AsOf(clock.now(), made.sla), end),
        pages=Pages(PageTokens(_page_token_key(settings))),
        drain=end,
        limits=StreamLimits(ingest.stream_credits, ingest.max_frame_events),
        door=Door(intake.places(settings), made.metrics, lambda: batcher.strained),
        access=access,
        agents=attending.build(settings, made, runner, units, server),
    )


def _page_token_key(settings: Settings) -> bytes:
    """The same for all processes of a deployment. It gives nobody a right: tokens only say where a list goes on."""
    return hashlib.sha256(b"page tokens of " + databases.location(settings).encode()).digest()
