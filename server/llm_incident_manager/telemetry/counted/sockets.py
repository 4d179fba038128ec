"""WebSocket connections: how many, what is said on them, and why they end."""

from llm_incident_manager.telemetry.instruments import Children, Instruments


class SocketMetrics:
    """The WebSocket door."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        self._connections = make.gauge("websocket_connections", "WebSocket connections open now.")
        text = "Messages on WebSocket connections, in from clients and out to them."
        self._messages = Children(make.counter("websocket_messages", text, "direction", "type"))
        text = "WebSocket connections that have ended, by cause."
        self._closed = Children(make.counter("websocket_closed", text, "cause"))

    def socket_opened(self) -> None:
        """Counts a connection in."""
        self._connections.inc()

    def socket_closed(self, cause: str) -> None:
        """Counts a connection out: gone (the client went), slow, silent, revoked, draining, or failed."""
        self._connections.dec()
        self._closed[(cause,)].inc()

    def socket_message(self, direction: str, kind: str) -> None:
        """Counts a message, `in` or `out`, of a type of the protocol; one that is none is "malformed"."""
        self._messages[(direction, kind)].inc()
