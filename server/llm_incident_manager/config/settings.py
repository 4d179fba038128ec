"""All settings as one value, and what they must not contradict. Frozen: a change is a new start."""

from collections.abc import Iterator
from itertools import count
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from llm_incident_manager.config import (
    auditing,
    bus_section,
    edge_agents_section,
    graphql_section,
    identity_sections,
    integrations_section,
    issuers,
    keeping,
    limits_section,
    outbound_section,
    planned,
    promises,
    redaction_section,
    redis_section,
    redis_urls,
    sections,
    several,
    tls_section,
    urls,
    websocket_section,
)
from llm_incident_manager.config.problems import Problem, shown
from llm_incident_manager.config.values import Roles, Section
from llm_incident_manager.domain.destinations import is_loopback
from llm_incident_manager.domain.roles import ALL

NOT_YET = ("ml", "enrichment", "correlation", "escalation")
"""Sections without effect in this release."""

LEAST_CONNECTIONS = 2
"""Connections to the database that each of several workers has."""

USABLE_CHANNELS = ("webhook", "log")


class Settings(Section):
    """The whole configuration."""

    instance_id: str = "standalone-001"
    """The name of this server in logs, traces and leases."""
    roles: Roles = ALL
    """What this process does: `api`, `classify`, `route`, `notify`, `act`; some of them only on `postgresql`."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that share the ports and the work, only on `postgresql`; each has its part of `storage.pool_size`."""
    storage: sections.Storage = sections.Storage()
    api: sections.Api = sections.Api()
    grpc: sections.Grpc = sections.Grpc()
    watch: sections.Watch = sections.Watch()
    websocket: websocket_section.WebSocket = websocket_section.WebSocket()
    graphql: graphql_section.Graphql = graphql_section.Graphql()
    identity: identity_sections.Identity = identity_sections.Identity()
    tls: tls_section.Tls = tls_section.Tls()
    ingest: sections.Ingest = sections.Ingest()
    deduplication: sections.Deduplication = sections.Deduplication()
    triage: sections.Triage = sections.Triage()
    notifications: sections.Notifications = sections.Notifications()
    outbound: outbound_section.Outbound = outbound_section.Outbound()
    integrations: integrations_section.Integrations = integrations_section.Integrations()
    breaker: integrations_section.Breaker = integrations_section.Breaker()
    sla: promises.Sla = promises.Sla()
    retention: keeping.Retention = keeping.Retention()
    audit: auditing.Audit = auditing.Audit()
    processes: several.Processes = several.Processes()
    limits: limits_section.Limits = limits_section.Limits()
    redaction: redaction_section.Redaction = redaction_section.Redaction()
    log: sections.Log = sections.Log()
    traces: sections.Traces = sections.Traces()
    redis: redis_section.Redis = redis_section.Redis()
    bus: bus_section.Bus = bus_section.Bus()
    edge_agents: edge_agents_section.EdgeAgents = edge_agents_section.EdgeAgents()
    ml: planned.Ml = planned.Ml()
    enrichment: planned.Enrichment = planned.Enrichment()
    correlation: planned.Correlation = planned.Correlation()
    escalation: planned.Escalation = planned.Escalation()

    def not_in_effect(self) -> tuple[str, ...]:
        """Keys that were set but change nothing in this release; none of a section that is switched off."""
        return tuple(key for name in NOT_YET for key in _explicit(name, getattr(self, name)))

    def exposed(self) -> tuple[str, ...]:
        """Listening addresses that others can reach without saying who they are, for instance `grpc 0.0.0.0:50051`."""
        if self.asks_who_calls:
            return ()
        listeners = (("api", self.api), ("grpc", self.grpc))
        return tuple(f"{name} {it.host}:{it.port}" for name, it in listeners if not is_loopback(it.host))

    @property
    def asks_who_calls(self) -> bool:
        """Whether nobody is served without a credential."""
        return self.identity.required or (self.tls.on and self.tls.client_certificates == "required")

    @property
    def grpc_mtls_port(self) -> int | None:
        """The gRPC port that requires client certificates beside the one that asks for none; None without such two."""
        return self.tls.mtls_port if self.tls.on and self.tls.client_certificates == "optional" else None

    def of_worker(self, number: int) -> "Settings":
        """What one of the workers goes by: a name and connections of its own."""
        storage = self.storage.model_copy(update={"pool_size": self.storage.pool_size // self.workers})
        return self.model_copy(update={"instance_id": f"{self.instance_id}-w{number}", "storage": storage})

    def masked(self) -> dict[str, object]:
        """The settings as plain values for people and JSON, without the secrets."""
        return self.model_dump(mode="json")


def conflicts(settings: Settings) -> Iterator[Problem]:
    """What single values cannot show: settings that do not go together. Origins are left empty."""
    yield from _storage(settings.storage)
    yield from _roles(settings)
    yield from _workers(settings)
    yield from _listeners(settings)
    yield from tls_section.conflicts(settings.tls, settings.limits.tiers)
    yield from _identity(settings)
    yield from _ingest(settings.ingest)
    yield from _channels(settings.notifications, settings.outbound)
    if (url := settings.redis.url) is not None and (remedy := redis_urls.wrong(url.get_secret_value())):
        yield Problem("redis.url", "(hidden)", "", remedy)
    if settings.bus.backend == "redis" and settings.redis.url is None:
        remedy = "it needs redis.url or REDIS_URL: redis://host:6379; or set bus.backend to database"
        yield Problem("bus.backend", shown(settings.bus.backend), "", remedy)
    yield from limits_section.conflicts(settings.limits)
    yield from promises.conflicts(settings.sla)
    yield from integrations_section.conflicts(settings.integrations, settings.outbound)
    yield from websocket_section.conflicts(settings.websocket)
    yield from identity_sections.conflicts(settings.identity)
    endpoint = settings.traces.endpoint
    if endpoint is not None and not _is_http(endpoint):
        yield Problem("traces.endpoint", shown(endpoint), "", "give a URL such as http://localhost:4318/v1/traces")


def _explicit(name: str, section: Section) -> Iterator[str]:
    given = section.model_fields_set
    if "enabled" not in given or getattr(section, "enabled", True):
        yield from (f"{name}.{key}" for key in type(section).model_fields if key in given)


def _storage(storage: sections.Storage) -> Iterator[Problem]:
    given = storage.connection_string
    if storage.type != "postgresql":
        if given is not None:
            remedy = "a connection string is for postgresql: set storage.type to postgresql, or leave the string out"
            yield Problem("storage.type", shown(storage.type), "", remedy)
        if storage.replica_url is not None:
            yield Problem("storage.replica_url", "(hidden)", "", f"{storage.type} has no replicas: leave it out")
    elif given is None:
        remedy = "postgresql needs storage.connection_string or DATABASE_URL: postgresql://user:password@host/database"
        yield Problem("storage.type", shown(storage.type), "", remedy)
    else:
        yield from _postgres(storage)


def _roles(settings: Settings) -> Iterator[Problem]:
    missing = ", ".join(role for role in ALL if role not in settings.roles)
    if missing and settings.storage.type != "postgresql":
        remedy = (
            f"{settings.storage.type} is for one process, so nobody would do the work of {missing}: leave roles out, "
            "or use postgresql"
        )
        yield Problem("roles", shown(",".join(settings.roles)), "", remedy)


def _workers(settings: Settings) -> Iterator[Problem]:
    count, storage = settings.workers, settings.storage
    if count > 1 and storage.type != "postgresql":
        remedy = f"{storage.type} is for one process: use postgresql, or leave workers out"
        yield Problem("workers", shown(count), "", remedy)
    elif storage.pool_size < LEAST_CONNECTIONS * count > LEAST_CONNECTIONS:
        remedy = f"{count} workers share them: give at least {LEAST_CONNECTIONS * count}"
        yield Problem("storage.pool_size", shown(storage.pool_size), "", remedy)


def _postgres(storage: sections.Storage) -> Iterator[Problem]:
    for key, given in (("connection_string", storage.connection_string), ("replica_url", storage.replica_url)):
        if given is not None and (remedy := urls.wrong(given.get_secret_value())):
            yield Problem(f"storage.{key}", "(hidden)", "", remedy)
    longest = storage.statement_timeout_secs
    if storage.lock_timeout_secs > longest:
        remedy = f"a statement ends after storage.statement_timeout_secs, which is {longest:g}: give at most that"
        yield Problem("storage.lock_timeout_secs", shown(storage.lock_timeout_secs), "", remedy)


def _listeners(settings: Settings) -> Iterator[Problem]:
    api, grpc = settings.api, settings.grpc
    if not settings.identity.allow_anonymous and not settings.asks_who_calls:
        remedy = (
            "anybody who reaches this address could read and change incidents: let `llm-incident-manager init` write a "
            "configuration with identity.required, certificates and a key; or use 127.0.0.1; or set "
            "ALLOW_ANONYMOUS=true if a proxy or firewall decides who gets here"
        )
        for name, host in (("api.host", api.host), ("grpc.host", grpc.host)):
            if not is_loopback(host):
                yield Problem(name, shown(host), "", remedy)
    if api.port == grpc.port != 0 and api.host == grpc.host:
        yield Problem("grpc.port", shown(grpc.port), "", "api.port is the same: give them different ports")
    yield from _clear_text(settings)
    port = settings.grpc_mtls_port
    if port and (port == grpc.port or (port == api.port and api.host == grpc.host)):
        yield Problem(
            "tls.mtls_port", shown(port), "", "another port of this server is the same: give it one of its own"
        )


def _clear_text(settings: Settings) -> Iterator[Problem]:
    """Credentials that anybody between a client and this server could read."""
    tls = settings.tls
    if tls.on or tls.terminated_by_proxy or not settings.identity.required:
        return
    remedy = (
        "credentials would cross the network in clear text: give tls.certificate_file and tls.key_file, use 127.0.0.1, "
        "or set tls.terminated_by_proxy if a proxy speaks TLS with clients"
    )
    for name, host in (("api.host", settings.api.host), ("grpc.host", settings.grpc.host)):
        if not is_loopback(host):
            yield Problem(name, shown(host), "", remedy)


def _identity(settings: Settings) -> Iterator[Problem]:
    identity = settings.identity
    if identity.required and identity.allow_anonymous:
        remedy = "identity.required refuses whoever shows no credential: leave one of the two out"
        yield Problem("identity.allow_anonymous", shown(identity.allow_anonymous), "", remedy)
    yield from issuers.conflicts(identity.issuers, settings.outbound)


def _ingest(ingest: sections.Ingest) -> Iterator[Problem]:
    for smaller, larger in (
        ("batch_events", "buffer_events"),
        ("stream_credits", "buffer_events"),
        ("max_frame_events", "stream_credits"),
    ):
        least = getattr(ingest, smaller)
        if getattr(ingest, larger) < least:
            remedy = f"give at least ingest.{smaller}, which is {least}"
            yield Problem(f"ingest.{larger}", shown(getattr(ingest, larger)), "", remedy)


def _channels(notifications: sections.Notifications, outbound: outbound_section.Outbound) -> Iterator[Problem]:
    taken: set[str] = set()
    for number, channel in zip(count(), notifications.channels, strict=False):
        key = f"notifications.channels[{number}]"
        if not channel.enabled:
            continue
        if channel.type not in USABLE_CHANNELS:
            remedy = "not available in this release: use webhook or log, or set enabled: false"
            yield Problem(f"{key}.type", shown(channel.type), "", remedy)
        if channel.type == "webhook" and (remedy := _unusable(channel.webhook_url, outbound)):
            value = "" if channel.webhook_url is None else "(hidden)"
            yield Problem(f"{key}.webhook_url", value, "", remedy)
        if channel.label in taken:
            yield Problem(
                f"{key}.name", shown(channel.label), "", "another enabled channel has this name: give each its own"
            )
        taken.add(channel.label)


def _unusable(url: SecretStr | None, outbound: outbound_section.Outbound) -> str:
    text = "" if url is None else url.get_secret_value()
    if not _is_http(text):
        return "a webhook needs a URL that starts with https:// or http://"
    if "@" in urlsplit(text).netloc:
        return "leave user and password out of the URL: a receiver checks the signature instead, see `secret`"
    return outbound.remedy(urlsplit(text).hostname or "")


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
