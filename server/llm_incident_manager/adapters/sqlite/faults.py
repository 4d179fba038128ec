"""What an error of SQLite means: come back later, or stop for good. Never retries."""

import apsw

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.ports.stores import StoreBroken

_LATER = (
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.FullError,
    apsw.InterruptError,
    apsw.IOError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
)
_DAMAGED = (apsw.CorruptError, apsw.NotADBError)
# After a failed flush the kernel may have dropped the pages and report success next time (rfc: fsyncgate, 2018).
_FLUSH = frozenset({apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC})


class Faults:
    """Judges errors and remembers the one after which nothing may go on."""

    def __init__(self) -> None:
        """Nothing has gone wrong yet."""
        self._broken = ""

    def check(self) -> None:
        """Raises StoreBroken when the store is."""
        if self._broken:
            raise StoreBroken(self._broken)

    def judge(self, error: apsw.Error) -> Exception:
        """What to raise instead: StoreBroken, StoreUnavailable, or the error itself when it is a mistake of ours."""
        if isinstance(error, _DAMAGED) or getattr(error, "extendedresult", 0) in _FLUSH:
            self._broken = f"the database file cannot be trusted any more ({error}): check the disk, then start again"
            return StoreBroken(self._broken)
        if isinstance(error, _LATER):
            return StoreUnavailable(f"{type(error).__name__}: {error}")
        return error
