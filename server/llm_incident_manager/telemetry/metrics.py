"""Counts and times what happens, in words of the domain, and prints it for Prometheus. Reads no clock, keeps no names.

Label values must come from small closed sets (dispositions, stages, methods of the contract, configured channels):
each new one costs memory for good. Children are cached, so a record costs one or two microseconds.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from llm_incident_manager.telemetry import gathering

PREFIX = "incident_manager_"

_FAST = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_CALL = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LAG = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
_BATCH = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)

_LATE = (0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3600.0, 86400.0)

M = TypeVar("M", Counter, Gauge, Histogram)


class Page(NamedTuple):
    """What a scraper gets."""

    body: bytes
    content_type: str


class _Children(dict[tuple[str, ...], M]):
    """The children of one metric by their label values, made on first use."""

    def __init__(self, metric: M) -> None:
        super().__init__()
        self._parent: M = metric

    def __missing__(self, labels: tuple[str, ...]) -> M:
        child: M = self._parent.labels(*labels)
        self[labels] = child
        return child


class Metrics:
    """All metrics of one server, in a registry of their own. Methods may be called from any thread."""

    def __init__(self, version: str) -> None:
        """`version` is shown by incident_manager_build_info."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the page and say nothing that process_start_time_seconds does not
        self._registry = CollectorRegistry()
        self._database = CollectorRegistry()  # what is asked of the database is the same whichever process asks
        self._register_pipeline()
        self._register_calls()
        self._register_delivery()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
            self._registry.register(collector)
        self._gauge("build_info", "Always 1; the label tells the version.", "version").labels(version).set(1)

    def _register_pipeline(self) -> None:
        self._processed = self._counter("alerts_processed", "Events accepted, whatever became of them.")
        self._opened = self._counter("incidents_created", "Incidents opened, by events or by people.")
        self._escalated = self._counter("escalations_triggered", "Incidents moved to ESCALATED.")
        self._duplicates = self._counter(
            "deduplication_hits", "Events that were accepted before or joined an open incident."
        )
        self._events = _Children(self._counter("events", "Events by what became of them.", "disposition"))
        self._stages = _Children(
            self._histogram("stage_duration_seconds", "Time in a stage, per batch.", _FAST, "stage")
        )
        self._batches = self._histogram("batch_events", "Events in a micro-batch.", _BATCH)
        self._buffer = self._gauge("ingest_buffer_events", "Events waiting for their batch.")
        shed = self._counter("shed", "Calls refused since something was full.", "reason", "priority")
        self._shed = _Children(shed)
        self._acks = self._histogram("ack_duration_seconds", "From receiving an event to its acknowledgement.", _CALL)

    def _register_calls(self) -> None:
        self._calls = _Children(self._counter("calls", "Calls answered.", "transport", "method", "code"))
        times = self._histogram("call_duration_seconds", "Time to answer a call.", _CALL, "transport", "method")
        self._call_times = _Children(times)
        self._streams = _Children(self._gauge("streams_active", "Streams open now.", "method"))

    def _register_delivery(self) -> None:
        self._sent = _Children(self._counter("notifications_sent", "Notifications a channel took.", "channel"))
        failed = self._counter("notifications_failed", "Attempts a channel refused.", "channel", "kind")
        self._failed = _Children(failed)
        self._backlog = _Children(self._shared("outbox_backlog", "Rows waiting for their work.", "topic"))
        self._oldest = _Children(self._shared("outbox_oldest_seconds", "Age of the oldest waiting row.", "topic"))
        self._carried = _Children(self._shared("bus_carried", "Batches of work that Redis carries.", "topic"))
        received = self._shared("bus_received", "Those of them that are received and not finished.", "topic")
        self._received = _Children(received)
        self._dead = _Children(self._shared("outbox_dead", "Dead letters: rows whose work was given up.", "topic"))
        handled = self._histogram("outbox_handled_seconds", "From the commit of work until it was done.", _LAG, "topic")
        self._handled = _Children(handled)
        reads = self._counter("replica_reads", "Reads meant for the replica by what became of them.", "outcome")
        self._replica_reads = _Children(reads)
        self._timers = _Children(self._counter("timers_fired", "Timers that were done.", "kind"))
        self._timers_failed = _Children(self._counter("timers_failed", "Attempts at a timer that failed.", "kind"))
        lapsed = self._counter("timers_lapsed", "Timers that meant nothing when they were due.", "kind", "reason")
        self._timers_lapsed = _Children(lapsed)
        late = self._histogram("timer_late_seconds", "From when a timer was due until it was done.", _LATE, "kind")
        self._late = _Children(late)
        self._timers_due = self._shared("timers_due", "Timers that are due and not done.")
        self._longest_due = self._shared("timers_due_oldest_seconds", "How long the first of them has been due.")
        unseen = self._counter("sla_acknowledgment_breached", "Incidents not acknowledged in time.", "severity")
        unsolved = self._counter("sla_resolution_breached", "Incidents not resolved in time.", "severity")
        self._breached = {"acknowledge": _Children(unseen), "resolve": _Children(unsolved)}
        self._offset = self._gauge("clock_offset_seconds", "How far ahead the clock is that ours is compared with.")
        self._steps = self._counter("clock_steps", "Times that a clock was found to have been set.")
        self._store_errors = self._counter("store_errors", "Times the database did not answer.")
        self._missing = self._counter("record_missing", "Times the database came back without what was acknowledged.")
        self._expired = _Children(self._counter("retention_deleted", "Records that retention has deleted.", "what"))
        up = self._gauge("dependency_up", "1 while an optional dependency is used, else 0.", "dependency")
        self._dependencies = _Children(up)
        self._loop_lag = self._histogram("event_loop_lag_seconds", "How late the event loop was to a wake-up.", _CALL)
        self._longest_lag = self._gauge("event_loop_lag_longest_seconds", "The longest such lag of the last minute.")
        self._tasks = self._gauge("event_loop_tasks", "Tasks on the event loop.")
        self._size = self._shared("database_bytes", "Bytes of the database that are in use.")
        self._processes = _Children(self._shared("processes", "Living processes that have a role.", "role"))

    def events_accepted(self, count: int) -> None:
        """Counts events accepted. Told apart from what became of them, so that the two sums can be held together."""
        self._processed.inc(count)

    def events_decided(self, disposition: str, count: int = 1) -> None:
        """Counts events by their disposition (lower case), and repeats where they are."""
        name = disposition.lower()
        self._events[(name,)].inc(count)
        if name in ("duplicate", "attached"):
            self._duplicates.inc(count)

    def incidents_opened(self, count: int = 1) -> None:
        """Counts incidents opened."""
        self._opened.inc(count)

    def incident_escalated(self) -> None:
        """Counts an incident moved to ESCALATED."""
        self._escalated.inc()

    def stage_ran(self, stage: str, seconds: float) -> None:
        """Records how long a stage or effect took for its batch."""
        self._stages[(stage,)].observe(seconds)

    def batch_formed(self, events: int) -> None:
        """Records the size of a micro-batch."""
        self._batches.observe(events)

    def buffer_holds(self, events: int) -> None:
        """Sets how many events wait for their batch."""
        self._buffer.set(events)

    def shed(self, reason: str, priority: str) -> None:
        """Counts a call refused since something was full: words of engines.admission."""
        self._shed[(reason, priority)].inc()

    def acknowledged(self, seconds: float) -> None:
        """Records the time from receiving an event to its acknowledgement."""
        self._acks.observe(seconds)

    def call_answered(self, transport: str, method: str, code: str, seconds: float) -> None:
        """Records a call: `transport` grpc or http, a method of the contract, the code's name."""
        self._calls[(transport, method, code)].inc()
        self._call_times[(transport, method)].observe(seconds)

    def stream_opened(self, method: str) -> None:
        """Counts a stream in."""
        self._streams[(method,)].inc()

    def stream_closed(self, method: str) -> None:
        """Counts a stream out."""
        self._streams[(method,)].dec()

    def notification_sent(self, channel: str) -> None:
        """Counts a notification that a channel took."""
        self._sent[(channel,)].inc()

    def notification_failed(self, channel: str, kind: str) -> None:
        """Counts a failed attempt; `kind` is "retryable" or "permanent"."""
        self._failed[(channel, kind)].inc()

    def outbox_waits(self, topic: str, rows: int, oldest_seconds: float) -> None:
        """Sets how much of a topic waits and for how long."""
        self._backlog[(topic,)].set(rows)
        self._oldest[(topic,)].set(oldest_seconds)

    def bus_carries(self, topic: str, parcels: int, received: int) -> None:
        """Sets how many batches of a topic are on their way, and how many of them have been received."""
        self._carried[(topic,)].set(parcels)
        self._received[(topic,)].set(received)

    def outbox_dead(self, topic: str, rows: int) -> None:
        """Sets how many dead letters a topic has."""
        self._dead[(topic,)].set(rows)

    def outbox_handled(self, topic: str, seconds: float) -> None:
        """Records how long after its commit a row's work was done."""
        self._handled[(topic,)].observe(seconds)

    def timer_fired(self, kind: str, late_seconds: float) -> None:
        """Counts a timer that was done, so long after it was due."""
        self._timers[(kind,)].inc()
        self._late[(kind,)].observe(late_seconds)

    def timer_lapsed(self, kind: str, reason: str) -> None:
        """Counts a timer that meant nothing when it was due, or that is due later by now."""
        self._timers_lapsed[(kind, reason)].inc()

    def sla_breached(self, promise: str, severity: str) -> None:
        """Counts a broken promise, "acknowledge" or "resolve", of an incident of that severity."""
        self._breached[promise][(severity,)].inc()

    def timer_failed(self, kind: str) -> None:
        """Counts a failed attempt at a timer."""
        self._timers_failed[(kind,)].inc()

    def timers_wait(self, due: int, oldest_seconds: float) -> None:
        """Sets how many timers are due, and for how long the first of them has been."""
        self._timers_due.set(due)
        self._longest_due.set(oldest_seconds)

    def clock_differs(self, seconds: float) -> None:
        """Sets by how much the database's clock, or the system's, is ahead of ours."""
        self._offset.set(seconds)

    def clock_stepped(self) -> None:
        """Counts a clock that was set."""
        self._steps.inc()

    def store_failed(self) -> None:
        """Counts a time the database did not answer."""
        self._store_errors.inc()

    def record_missing(self) -> None:
        """Counts a time that the database came back without what was acknowledged."""
        self._missing.inc()

    def expired(self, what: str, records: int) -> None:
        """Counts records that retention has deleted, by their sort."""
        self._expired[(str(what),)].inc(records)

    def loop_lagged(self, seconds: float, longest: float, tasks: int) -> None:
        """Records how late the event loop was, the longest lag of the last minute, and how many tasks there are."""
        self._loop_lag.observe(seconds)
        self._longest_lag.set(longest)
        self._tasks.set(tasks)

    def database_holds(self, size: int) -> None:
        """Sets how many bytes of the database are in use."""
        self._size.set(size)

    def dependency(self, name: str, *, up: bool) -> None:
        """Sets whether a dependency the server can do without is in use."""
        self._dependencies[(name,)].set(up)

    def replica_read(self, outcome: str) -> None:
        """Counts a read meant for the replica: "served", or answered by the primary as it was "behind" or "away"."""
        self._replica_reads[(outcome,)].inc()

    def role_attended(self, role: str, processes: int) -> None:
        """Sets how many living processes have a role."""
        self._processes[(role,)].set(processes)

    def told(self) -> bytes:
        """What this process has counted, for `page` of another worker."""
        return gathering.told(self._registry)

    def page(self, accept: str = "", workers: Mapping[int, bytes | None] | None = None) -> Page:
        """All metrics in the format that the Accept header asks for: text, or OpenMetrics.

        `workers` is what all workers of this server have told, this one included; None of one that did not answer.
        """
        encode: Callable[[Any], bytes]  # takes whatever can `collect`
        encode, content_type = choose_encoder(accept)
        if workers is None:
            return Page(encode(gathering.Chained(self._registry, self._database)), content_type)
        together = gathering.Together(workers, self._database, f"{PREFIX}worker_up")
        return Page(encode(together), content_type)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(PREFIX + name, text, labels, registry=self._registry)

    def _shared(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(PREFIX + name, text, labels, registry=self._database)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(PREFIX + name, text, labels, buckets=buckets, registry=self._registry)
