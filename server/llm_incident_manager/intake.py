"""What takes events in, put together: the batches, what may wait for them, and how many calls may be at work."""

import math

from llm_incident_manager.adapters import databases
from llm_incident_manager.config import Settings
from llm_incident_manager.engines.admission import Quota
from llm_incident_manager.pipeline.batcher import Batcher, Limits
from llm_incident_manager.pipeline.buffer import Bounds
from llm_incident_manager.pipeline.quotas import TenantQuotas
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.access import KnownTenants
from llm_incident_manager.transport.admission import Places
from llm_incident_manager.transport.handlers.watching import MESSAGES_BYTES
from llm_incident_manager.transport.rest.jsoncodec.printed import KEPT_BYTES
from llm_incident_manager.usecases.watch import RECENT_BYTES


def batcher(settings: Settings, made: Tools, runner: Runner, tenants: KnownTenants) -> Batcher:
    """The batches, and what each tenant may bring to them."""
    ingest = settings.ingest
    limits = Limits(
        batch_events=ingest.batch_events,
        batch_fingerprints=ingest.batch_fingerprints,
        linger=ingest.linger_ms / 1000,
        lanes=databases.lanes(settings),
        bounds=bounds(settings),
    )
    usual = Quota(ingest.tenant_events_per_sec)
    quotas = TenantQuotas(
        usual, made.own_rates, made.rates, of_tenant=lambda tenant: tenants.limits_of(tenant).events_per_second
    )
    return Batcher(runner, limits, made.metrics, quotas)


def bounds(settings: Settings) -> Bounds:
    """What may wait for its commit."""
    ingest = settings.ingest
    return Bounds(
        events=ingest.buffer_events,
        size=ingest.buffer_bytes,
        reserve=ingest.reserve_ratio,
        callers=settings.grpc.max_concurrent_rpcs,
    )


def places(settings: Settings) -> Places:
    """How many calls may be at work. Of the database's connections a reserve is left for what is urgent; lists, and
    units of work that take events, share what the batches leave."""
    reserve, connections = settings.ingest.reserve_ratio, databases.connections(settings)
    shared = connections - math.ceil(connections * reserve) - databases.lanes(settings)
    each = max(1, shared // 2)
    calls, watch = settings.grpc.max_concurrent_rpcs, settings.watch
    sending = watch.buffer_bytes - RECENT_BYTES - 2 * MESSAGES_BYTES - KEPT_BYTES
    return Places(calls, watch.max_subscribers, sending, reserve, each, each, settings.edge_agents.max_sessions)
