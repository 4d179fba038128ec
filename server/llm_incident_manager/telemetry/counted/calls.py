"""Calls and streams of the contract, and what of them is refused since something is full."""

from llm_incident_manager.telemetry.instruments import CALL, Children, Instruments


class CallMetrics:
    """The doors."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        self._calls = Children(make.counter("calls", "Calls answered.", "transport", "method", "code"))
        times = make.histogram("call_duration_seconds", "Time to answer a call.", CALL, "transport", "method")
        self._call_times = Children(times)
        self._streams = Children(make.gauge("streams_active", "Streams open now.", "method"))
        shed = make.counter("shed", "Calls refused since something was full.", "reason", "priority")
        self._shed = Children(shed)
        limited = make.counter("rate_limited", "Calls refused since their caller is beyond a limit.", "scope")
        self._limited = Children(limited)
        self._redacted = make.counter("redacted_fields", "Fields of requests in which something was hidden.")

    def call_answered(self, transport: str, method: str, code: str, seconds: float) -> None:
        """Records a call: `transport` grpc, http, graphql or inprocess, a method of the contract, the code's name."""
        self._calls[(transport, method, code)].inc()
        self._call_times[(transport, method)].observe(seconds)

    def stream_opened(self, method: str) -> None:
        """Counts a stream in."""
        self._streams[(method,)].inc()

    def stream_closed(self, method: str) -> None:
        """Counts a stream out."""
        self._streams[(method,)].dec()

    def shed(self, reason: str, priority: str) -> None:
        """Counts a call refused since something was full: words of engines.admission."""
        self._shed[(reason, priority)].inc()

    def limited(self, scope: str) -> None:
        """Counts a call refused since its caller is beyond a limit: key, source, tenant, method; or address, when calls
        from it are not taken."""
        self._limited[(scope,)].inc()

    def redacted(self, fields: int) -> None:
        """Counts fields of a request in which something was hidden."""
        self._redacted.inc(fields)
