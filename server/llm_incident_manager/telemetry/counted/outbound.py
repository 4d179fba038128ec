"""The way out: what became of requests to others."""

from llm_incident_manager.telemetry.instruments import Children, Instruments


class OutboundMetrics:
    """Requests to others."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        text = "Requests to others by what became of them."
        self._requests = Children(make.counter("outbound_requests", text, "purpose", "outcome"))

    def outbound_ended(self, purpose: str, outcome: str) -> None:
        """Counts a request for a purpose, "webhook" or "issuer": "answered", "failed" or "not_allowed"."""
        self._requests[(purpose, outcome)].inc()
