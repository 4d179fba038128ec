"""The sections that are in effect: where data lies, where the server listens, how it takes, judges and tells events."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from llm_incident_manager.config.values import (
    MIB,
    Bytes,
    ConnectionString,
    Count,
    FilePath,
    Level,
    Port,
    Ratio,
    Seconds,
    Section,
    SeverityWord,
    WebhookUrl,
)
from llm_incident_manager.domain.rules import MuteRule
from llm_incident_manager.domain.severity import Severity


class Storage(Section):
    """Where the record is kept."""

    type: Literal["sqlite", "memory", "postgresql"] = "sqlite"
    """The database: `sqlite` (embedded, durable), `memory` (gone at exit) or `postgresql`."""
    path: FilePath = Path("data")
    """Directory of the embedded database; one server at a time."""
    connection_string: ConnectionString | None = None
    """`postgresql://user:password@host/database`, for `postgresql` only."""
    pool_size: Annotated[int, Field(ge=1, le=1_000)] = 20
    """Most connections to PostgreSQL; one more tells other processes of news, and hears theirs."""
    replica_url: ConnectionString | None = None
    """`postgresql://…` of a streaming replica: it answers lists and other reads once it has all that was written."""
    pooled: bool = False
    """PostgreSQL is reached through a pooler in transaction mode, such as PgBouncer; so is the replica."""
    acquire_timeout_secs: Annotated[float, Field(gt=0, le=5)] = 2.0
    """Time a call waits for a free connection to PostgreSQL, at most 5."""
    statement_timeout_secs: Annotated[float, Field(gt=0, le=60)] = 8.0
    """Time PostgreSQL may take for one statement, at most 60."""
    lock_timeout_secs: Annotated[float, Field(gt=0, le=60)] = 4.0
    """Time a statement waits for a row that another transaction has; then the work is decided anew."""
    migrate_on_start: bool = True
    """Bring the schema up to date at the start; when false, an older one stops it until `migrate` was run."""
    allow_unsafe_durability: bool = False
    """Start although PostgreSQL may lose acknowledged events (fsync, full_page_writes or synchronous_commit off)."""


class Api(Section):
    """HTTP: REST, health and metrics."""

    host: str = "127.0.0.1"
    """Address to listen on; any but a loopback address needs `identity.required`."""
    port: Port = 3000
    """Port to listen on; 0 takes a free one."""
    max_body_bytes: Bytes = 4 * MIB
    """Largest request body, after decompression."""
    request_timeout_secs: Seconds = 8.0
    """Time a client has to send its request."""


class Grpc(Section):
    """gRPC."""

    host: str = "127.0.0.1"
    """Address to listen on; any but a loopback address needs `identity.required`."""
    port: Port = 50051
    """Port to listen on; 0 takes a free one."""
    max_message_bytes: Bytes = 4 * MIB
    """Largest message, after decompression."""
    reflection: bool = True
    """Tell tools such as grpcurl which services there are."""
    max_concurrent_rpcs: Count = 2_000
    """Most calls at work at once; more are refused with RESOURCE_EXHAUSTED."""
    drain_grace_secs: Seconds = 10.0
    """Time that calls in flight have to finish at shutdown."""


class Watch(Section):
    """Subscribers: who is told of changes as they happen."""

    max_subscribers: Count = 1_000
    """Most of them at once, in each process."""
    buffer_bytes: Annotated[int, Field(ge=64 * MIB, le=16_384 * MIB)] = 256 * MIB
    """Most memory for what is on its way to all of them. Changes that they share take 42 MiB, each of them 128 KiB."""
    slow_after_secs: Annotated[float, Field(gt=0, le=30)] = 20.0
    """A subscriber, or a producer, that takes nothing of its stream for so long is cut off, at most 30."""


class Mute(Section):
    """Events to hold back: recorded as SUPPRESSED, open nothing. Keys left out match everything."""

    name: str
    """What the mute is called in answers."""
    source: str = ""
    """Only events of this source."""
    kind: str = ""
    """Only events of this kind."""
    provider: str = ""
    """Only events about this LLM provider."""
    service: str = ""
    """Only events about this service."""
    environment: str = ""
    """Only events of this environment."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    """Only events with all these labels."""

    def rule(self) -> MuteRule:
        """The mute as triage knows it."""
        return MuteRule(**self.model_dump())


class Ingest(Section):
    """How events are taken in."""

    batch_events: Annotated[int, Field(ge=1, le=10_000)] = 4_000
    """Most events in one transaction."""
    batch_fingerprints: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    """Most different fingerprints in one transaction, each of which may be a new incident."""
    linger_ms: Annotated[float, Field(ge=0, le=1_000)] = 2.0
    """How long the first event of a batch waits for others, in milliseconds."""
    buffer_events: Count = 20_000
    """Most events that wait for their batch; more are refused with RESOURCE_EXHAUSTED or 429."""
    buffer_bytes: Bytes = 128 * MIB
    """Most bytes of events that wait for their batch."""
    reserve_ratio: Annotated[float, Field(ge=0, le=0.4)] = 0.2
    """Share of buffer, calls and connections that only P0 and P1 events and people's work may take."""
    tenant_events_per_sec: Annotated[float, Field(ge=0)] = 0.0
    """Events a second that each tenant may send to a process, with Redis to all processes on one PostgreSQL together;
    P0 and P1 a second's worth beyond, 0 for any number."""
    stream_credits: Count = 4_000
    """Most events a stream may have in flight."""
    max_frame_events: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    """Most events in one message of a stream or one batch call."""
    mutes: tuple[Mute, ...] = ()
    """Events to hold back."""


class Deduplication(Section):
    """Which events are one problem."""

    window_secs: Annotated[int, Field(ge=1, le=7 * 86_400)] = 900
    """A repeat after a longer gap marks the open incident as recurred and tells somebody again."""
    fingerprint_enabled: bool = True
    """Group events by their fingerprint; when false, only those with the same `dedup_key`."""
    historical_after_secs: Annotated[int, Field(ge=0, le=365 * 86_400)] = 3_600
    """Events older than this are stored and grouped but never notify."""


class Triage(Section):
    """The rule floor."""

    rules: FilePath | None = None
    """A rule pack of your own instead of the one that comes with the server."""
    source_defaults: Mapping[str, SeverityWord] = Field(default_factory=dict)
    """Severity of a source's events that name none, or one nobody knows; goes before the rule pack's."""
    default_severity: SeverityWord = Severity.P3
    """The same for all other sources."""


class Channel(Section):
    """A way to reach somebody."""

    type: Literal["webhook", "log", "email", "slack", "pagerduty"]
    """`webhook` or `log`, the default being one `log`; `email`, `slack` and `pagerduty` only with `enabled: false`."""
    name: str = ""
    """The name in records and metrics; the type unless given. Unique."""
    enabled: bool = True
    """Whether it is used."""
    webhook_url: WebhookUrl | None = None
    """Where a `webhook` posts to, http or https."""
    secret: SecretStr | None = None
    """Signs a `webhook`'s posts (header X-Incident-Signature)."""
    integration_key: SecretStr | None = None
    """For `pagerduty`; not used yet."""
    timeout_secs: Annotated[float, Field(gt=0, le=30)] = 10.0
    """Time one attempt may take, at most 30."""

    @property
    def label(self) -> str:
        """The name, or the type of a channel that has none."""
        return self.name or self.type


class DefaultRoute(Section):
    """Who is told when no other route says so: all enabled channels."""

    min_severity: SeverityWord = Severity.P3
    """Incidents less severe than this are not notified."""


class Notifications(Section):
    """Who is told, and how often it is tried."""

    default_route: DefaultRoute = DefaultRoute()
    channels: tuple[Channel, ...] = (Channel(type="log"),)
    max_attempts: Annotated[int, Field(ge=1, le=50)] = 5
    """Attempts before a notification is given up and kept as dead."""
    base_delay_secs: Annotated[float, Field(gt=0, le=3_600)] = 5.0
    """Wait before the second attempt; doubles with each further one, up to an hour."""


class Log(Section):
    """Log lines, on standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Level] = "info"
    """The least important lines that are written."""
    format: Literal["auto", "json", "pretty"] = "auto"
    """`auto` is `pretty` on a terminal and `json` elsewhere."""


class Traces(Section):
    """OpenTelemetry traces; off without an endpoint."""

    endpoint: str | None = None
    """Full URL of an OTLP/HTTP collector, for instance http://localhost:4318/v1/traces."""
    sample_ratio: Ratio = 1.0
    """Share of the traces starting here that is recorded; others follow their caller's decision."""
    service_name: str = "llm-incident-manager"
    """The name under which traces appear."""
