"""TLS: how long certificates hold, and who did not get through the handshake."""

from llm_incident_manager.telemetry.instruments import Children, Instruments


class SecurityMetrics:
    """Who gets in."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        text = "Seconds until a certificate that TLS needs ends."
        self._expiry = Children(make.gauge("tls_certificate_expiry_seconds", text, "certificate"))
        text = "TLS handshakes that failed, by door and cause."
        self._handshakes = Children(make.counter("tls_handshakes_failed", text, "transport", "cause"))
        self._reloads = Children(make.counter("tls_reloads", "Times that changed TLS files were read.", "outcome"))

    def certificate_expires(self, certificate: str, seconds: float) -> None:
        """Sets how long a certificate holds: that of the "server", or the longest of the "client_ca"."""
        self._expiry[(certificate,)].set(seconds)

    def handshake_failed(self, transport: str, cause: str) -> None:
        """Counts a handshake that failed: `transport` grpc or http, a word of transport.handshakes."""
        self._handshakes[(transport, cause)].inc()

    def tls_reloaded(self, outcome: str) -> None:
        """Counts changed files: "used", or "refused" while the ones before stay in use."""
        self._reloads[(outcome,)].inc()
