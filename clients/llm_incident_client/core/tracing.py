"""The trace that a call belongs to, as W3C trace context. Makes no spans: that is the application's own business.

Without opentelemetry-api (`pip install 'llm-incident-client[tracing]'`) there is no trace and nothing is sent.
"""

from collections.abc import Callable

from llm_incident_client.core.channel import Metadata

_FIELDS = ("traceparent", "tracestate")


def _nothing() -> Metadata:
    return ()


def _of_opentelemetry() -> Callable[[], Metadata]:
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    inject = TraceContextTextMapPropagator().inject

    def current() -> Metadata:
        if not get_current_span().get_span_context().is_valid:
            return ()
        carrier: dict[str, str] = {}
        inject(carrier)
        return tuple((name, carrier[name]) for name in _FIELDS if name in carrier)

    return current


def find() -> Callable[[], Metadata]:
    """What gives the metadata of the current trace; empty outside of one."""
    try:
        return _of_opentelemetry()
    except ImportError:
        return _nothing
