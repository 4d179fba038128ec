"""Why a connection ends, and what the client is told then. Decides; says nothing itself."""

from dataclasses import dataclass

from llm_incident_manager.domain.errors import DomainError, ErrorReason, SlowSubscriber, Unauthenticated
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.errors import StatusError

GOING_AWAY, POLICY, DEFECT, LATER = 1001, 1008, 1011, 1013
"""Close codes of RFC 6455 and its registry."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """`cause` is a word for the log and a metric; `code` and `error` are for the client, None when it has gone."""

    cause: str
    code: int = 1000
    error: StatusError | None = None


GONE = Farewell("gone")

_OF_REASON = {
    ErrorReason.CANCELLED: ("gone", 1000),
    ErrorReason.SLOW_SUBSCRIBER: ("slow", LATER),
    ErrorReason.UNAUTHENTICATED: ("revoked", POLICY),
    ErrorReason.TENANT_SUSPENDED: ("revoked", POLICY),
}


def ends_connection(refused: StatusError) -> bool:
    """Whether a call's end is that of its connection, too."""
    return errors.reason_of(refused) in _OF_REASON


def of(refused: StatusError) -> Farewell:
    """The farewell after a call, or a message, has ended so."""
    reason = errors.reason_of(refused)
    cause, code = _OF_REASON[ErrorReason(reason)] if reason in _OF_REASON else ("failed", DEFECT)
    return GONE if cause == "gone" else Farewell(cause, code, refused)


def slow(seconds: float) -> Farewell:
    """The client took nothing for so long."""
    return of(errors.status_error(SlowSubscriber(seconds)))


def revoked() -> Farewell:
    """The client's credential does not count any more."""
    return of(errors.status_error(Unauthenticated(again=True)))


def silent(seconds: float) -> Farewell:
    """Nothing was heard of the client for so long."""
    text = f"nothing was heard for {seconds:g} s: send a heartbeat, or let your library answer pings"
    metadata = {"limit_seconds": f"{seconds:g}"}
    return Farewell("silent", POLICY, errors.status_error(DomainError(ErrorReason.SLOW_REQUEST, text, metadata)))


def draining() -> Farewell:
    """The server is about to go."""
    text = "the server is shutting down: connect again, and subscribe with the resume tokens"
    refused = DomainError(ErrorReason.DRAINING, text, retry_after=1.0)
    return Farewell("draining", GOING_AWAY, errors.status_error(refused))


def defect(session_id: str) -> Farewell:
    """A defect of ours; the log tells more."""
    return Farewell("failed", DEFECT, errors.internal(session_id))
