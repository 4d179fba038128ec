"""Records spans with OpenTelemetry and sends them to a collector by OTLP/HTTP. Imported only when tracing is on.

The queue is bounded (2,048 spans); when the collector is slow or dead, the oldest are dropped and one line says so.
"""

import logging
import threading
from collections.abc import Mapping, Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags

from llm_incident_manager.telemetry.traces import Attributes

logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)  # one line a lost batch, not one an attempt

SCOPE = "llm_incident_manager"
"""The instrumentation scope of all spans."""


class Otlp:
    """A backend of `traces` that sends to a collector."""

    def __init__(
        self,
        exporter: SpanExporter,
        *,
        sample_ratio: float,
        service: Mapping[str, str],
        queue: int = 2_048,
        delay_secs: float = 1.0,
    ) -> None:
        """`service` are resource attributes such as service.name; a span is sent after `delay_secs` at the latest."""
        self._exporter = exporter
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
            resource=Resource.create(dict(service)),
            span_limits=SpanLimits(max_attribute_length=1_024, max_links=32),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=queue,
                schedule_delay_millis=delay_secs * 1_000,
                max_export_batch_size=min(512, queue),
            )
        )
        self._tracer = self._provider.get_tracer(SCOPE)

    def start(self, name: str, attributes: Attributes, parent: str, links: Sequence[str]) -> "Recorded":
        """Starts a span; an empty parent starts a trace, whose sampling the ratio decides."""
        around = Context() if not parent else trace.set_span_in_context(NonRecordingSpan(_context(parent)), Context())
        linked = [Link(_context(link)) for link in links]
        return Recorded(self._tracer.start_span(name, context=around, attributes=attributes, links=linked))

    def shutdown(self, seconds: float) -> None:
        """Sends what is queued and stops, for so long at most; what is left then is lost."""
        stopping = threading.Thread(target=self._provider.shutdown, name="stop-traces", daemon=True)
        stopping.start()
        stopping.join(seconds)
        if stopping.is_alive():
            self._exporter.shutdown()  # ends its waiting for a collector that does not answer


class Recorded:
    """One span."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: Span) -> None:
        context = span.get_span_context()
        self._span = span
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def set(self, name: str, value: str | float | bool) -> None:
        """Adds a fact."""
        self._span.set_attribute(name, value)

    def fail(self, error: BaseException) -> None:
        """Marks the span as failed with the error's type; its text may hold secrets and stays in the log."""
        self._span.set_attribute("error.type", type(error).__qualname__)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """Hands the span to the queue."""
        self._span.end()


def exporter(endpoint: str, timeout_secs: float = 10.0) -> SpanExporter:
    """Sends to the full URL of a collector. Headers and certificates come from the standard OTEL_ variables."""
    return OTLPSpanExporter(endpoint=endpoint, timeout=timeout_secs)


def _context(traceparent: str) -> SpanContext:
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
