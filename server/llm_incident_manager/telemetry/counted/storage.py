"""The database: its size, its failures, what retention deletes, what its replica answers."""

from llm_incident_manager.telemetry.instruments import Children, Instruments


class StorageMetrics:
    """The record."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        self._store_errors = make.counter("store_errors", "Times the database did not answer.")
        gone = "Times the database came back without what was acknowledged."
        self._missing = make.counter("record_missing", gone)
        self._expired = Children(make.counter("retention_deleted", "Records that retention has deleted.", "what"))
        self._size = make.shared("database_bytes", "Bytes of the database that are in use.")
        reads = make.counter("replica_reads", "Reads meant for the replica by what became of them.", "outcome")
        self._replica_reads = Children(reads)

    def store_failed(self) -> None:
        """Counts a time the database did not answer."""
        self._store_errors.inc()

    def record_missing(self) -> None:
        """Counts a time that the database came back without what was acknowledged."""
        self._missing.inc()

    def expired(self, what: str, records: int) -> None:
        """Counts records that retention has deleted, by their sort."""
        self._expired[(str(what),)].inc(records)

    def database_holds(self, size: int) -> None:
        """Sets how many bytes of the database are in use."""
        self._size.set(size)

    def replica_read(self, outcome: str) -> None:
        """Counts a read meant for the replica: "served", or answered by the primary as it was "behind" or "away"."""
        self._replica_reads[(outcome,)].inc()
