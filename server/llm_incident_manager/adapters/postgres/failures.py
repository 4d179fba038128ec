"""What PostgreSQL's errors mean for a caller: decide again, come back later, or a defect of ours. Handles nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.ports.stores import KeyTaken

_CLAIMED = frozenset({"audit_checkpoint", "incident_key", "idempotency", "request_answer", "producer"})
_CONTENDED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)

# Connections, resources, operators and disks: classes 08, 53, 57 and 58, sign-in, and a server that is now a standby.
_ABSENT = (
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
    OSError,
)

_CLOSED = "the handler is closed"
"""What uvloop says to a write between the end of a connection and the moment in which the driver is told of it."""

BROKEN = (
    TimeoutError,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    RuntimeError,
)
"""What may come of a connection that has broken, where nothing is left to do but to give it up."""


@contextmanager
def translated() -> Iterator[None]:
    """Raises KeyTaken and StoreUnavailable for what they stand for. Wrap single calls, never a caller's own code."""
    try:
        yield
    except asyncpg.UniqueViolationError as e:
        if e.table_name not in _CLAIMED:  # an id that was used before: ours
            raise
        raise KeyTaken(e.table_name) from e
    except asyncpg.CheckViolationError as e:
        if e.constraint_name:  # a value that no table takes: ours
            raise
        raise KeyTaken("a partition") from e  # it was made while the row was on its way to the default one
    except _CONTENDED as e:
        raise KeyTaken(f"a row ({_named(e)})") from e
    except TimeoutError as e:
        raise StoreUnavailable("no answer in time") from e
    except _ABSENT as e:
        raise StoreUnavailable(_named(e)) from e
    except (asyncpg.InterfaceError, RuntimeError) as e:
        if _is_ours(e):
            raise
        raise StoreUnavailable(_named(e)) from e


def _is_ours(error: Exception) -> bool:
    """Whether it is no broken connection: an argument of the wrong type, or anything else of Python's."""
    if isinstance(error, RuntimeError):
        return _CLOSED not in str(error)
    return isinstance(error, ValueError)


def _named(error: Exception) -> str:
    # Only the error's own name: its text may quote values or where the server is.
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__
