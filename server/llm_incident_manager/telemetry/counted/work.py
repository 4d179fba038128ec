"""Work after the commit: the outbox, the bus that carries it, and the notifications it ends in."""

from llm_incident_manager.telemetry.instruments import Children, Instruments

_AGE = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


class WorkMetrics:
    """The outbox."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        self._sent = Children(make.counter("notifications_sent", "Notifications a channel took.", "channel"))
        failed = make.counter("notifications_failed", "Attempts a channel refused.", "channel", "kind")
        self._failed = Children(failed)
        self._backlog = Children(make.shared("outbox_backlog", "Rows waiting for their work.", "topic"))
        self._oldest = Children(make.shared("outbox_oldest_seconds", "Age of the oldest waiting row.", "topic"))
        self._carried = Children(make.shared("bus_carried", "Batches of work that Redis carries.", "topic"))
        received = make.shared("bus_received", "Those of them that are received and not finished.", "topic")
        self._received = Children(received)
        self._dead = Children(make.shared("outbox_dead", "Dead letters: rows whose work was given up.", "topic"))
        since = "From the commit of work until it was done."
        self._handled = Children(make.histogram("outbox_handled_seconds", since, _AGE, "topic"))

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
