"""Events on their way to the acknowledgement, and the incidents they open."""

from llm_incident_manager.telemetry.instruments import CALL, Children, Instruments

_STAGE = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_BATCH = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)


class EventMetrics:
    """Ingest."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        self._processed = make.counter("alerts_processed", "Events accepted, whatever became of them.")
        self._opened = make.counter("incidents_created", "Incidents opened, by events or by people.")
        self._escalated = make.counter("escalations_triggered", "Incidents moved to ESCALATED.")
        repeats = "Events that were accepted before or joined an open incident."
        self._duplicates = make.counter("deduplication_hits", repeats)
        self._events = Children(make.counter("events", "Events by what became of them.", "disposition"))
        stages = make.histogram("stage_duration_seconds", "Time in a stage, per batch.", _STAGE, "stage")
        self._stages = Children(stages)
        self._batches = make.histogram("batch_events", "Events in a micro-batch.", _BATCH)
        self._buffer = make.gauge("ingest_buffer_events", "Events waiting for their batch.")
        acks = "From receiving an event to its acknowledgement."
        self._acks = make.histogram("ack_duration_seconds", acks, CALL)

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

    def acknowledged(self, seconds: float) -> None:
        """Records the time from receiving an event to its acknowledgement."""
        self._acks.observe(seconds)
