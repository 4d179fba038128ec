"""Timers, the promises they watch over, and the clocks they go by."""

from llm_incident_manager.telemetry.instruments import Children, Instruments

_LATE = (0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3600.0, 86400.0)


class TimingMetrics:
    """Timers and clocks."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        self._timers = Children(make.counter("timers_fired", "Timers that were done.", "kind"))
        self._timers_failed = Children(make.counter("timers_failed", "Attempts at a timer that failed.", "kind"))
        lapsed = make.counter("timers_lapsed", "Timers that meant nothing when they were due.", "kind", "reason")
        self._timers_lapsed = Children(lapsed)
        late = make.histogram("timer_late_seconds", "From when a timer was due until it was done.", _LATE, "kind")
        self._late = Children(late)
        self._timers_due = make.shared("timers_due", "Timers that are due and not done.")
        self._longest_due = make.shared("timers_due_oldest_seconds", "How long the first of them has been due.")
        unseen = make.counter("sla_acknowledgment_breached", "Incidents not acknowledged in time.", "severity")
        unsolved = make.counter("sla_resolution_breached", "Incidents not resolved in time.", "severity")
        self._breached = {"acknowledge": Children(unseen), "resolve": Children(unsolved)}
        ahead = "How far ahead the clock is that ours is compared with."
        self._offset = make.gauge("clock_offset_seconds", ahead)
        self._steps = make.counter("clock_steps", "Times that a clock was found to have been set.")

    def timer_fired(self, kind: str, late_seconds: float) -> None:
        """Counts a timer that was done, so long after it was due."""
        self._timers[(kind,)].inc()
        self._late[(kind,)].observe(late_seconds)

    def timer_lapsed(self, kind: str, reason: str) -> None:
        """Counts a timer that meant nothing when it was due, or that is due later by now."""
        self._timers_lapsed[(kind, reason)].inc()

    def timer_failed(self, kind: str) -> None:
        """Counts a failed attempt at a timer."""
        self._timers_failed[(kind,)].inc()

    def timers_wait(self, due: int, oldest_seconds: float) -> None:
        """Sets how many timers are due, and for how long the first of them has been."""
        self._timers_due.set(due)
        self._longest_due.set(oldest_seconds)

    def sla_breached(self, promise: str, severity: str) -> None:
        """Counts a broken promise, "acknowledge" or "resolve", of an incident of that severity."""
        self._breached[promise][(severity,)].inc()

    def clock_differs(self, seconds: float) -> None:
        """Sets by how much the database's clock, or the system's, is ahead of ours."""
        self._offset.set(seconds)

    def clock_stepped(self) -> None:
        """Counts a clock that was set."""
        self._steps.inc()
