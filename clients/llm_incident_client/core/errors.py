"""Errors of the service as exceptions: the rich google.rpc.Status of a failed call, unpacked. Decides no retry."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import grpc
from google.protobuf import message
from google.rpc import error_details_pb2, status_pb2

DOMAIN = "incidentmanager"
CIRCUIT_OPEN = "CIRCUIT_OPEN"
CLIENT_RATE_LIMIT = "CLIENT_RATE_LIMIT"
_DETAILS_KEY = "grpc-status-details-bin"
_PUSHBACK_KEY = "grpc-retry-pushback-ms"


class FieldViolation(NamedTuple):
    """One bad field of a request, and what to do about it."""

    field: str
    description: str


class IncidentManagerError(Exception):
    """A call failed. `reason` is the contract's word (empty when the service itself never answered)."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        reason: str = "",
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Iterable[FieldViolation] = (),
        retry_after: float | None = None,
        final: bool = False,
    ) -> None:
        """`retry_after` is in seconds, and None when the service did not ask to come back.

        `final` says that the service asked not to be called again with this.
        """
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after = retry_after
        self.final = final

    def __str__(self) -> str:
        """Name of the reason or code, then the sentence."""
        return f"{self.reason or self.code.name}: {self.message}"


class InvalidRequest(IncidentManagerError):
    """The request breaks a rule; `violations` names every bad field."""


class NotFound(IncidentManagerError):
    """There is no such resource in the caller's tenant."""


class IllegalTransition(IncidentManagerError):
    """The verb is not allowed in the incident's state; `metadata["allowed"]` names those that are."""


class StaleEtag(IncidentManagerError):
    """Somebody changed the incident in between: read it again and repeat."""


class FingerprintTaken(IncidentManagerError):
    """An open incident has the same fingerprint; `metadata["holder"]` is its id."""


class Merged(IncidentManagerError):
    """The incident was merged into another one; `metadata["merged_into"]` is its id."""


class CountChanged(IncidentManagerError):
    """Another number of incidents matches than expected; `metadata["matched"]` is how many."""


class TooManyMatches(IncidentManagerError):
    """More incidents match than one call changes; `metadata` has `matched` and `limit`."""


class RequestIdReused(IncidentManagerError):
    """The request_id belongs to another request."""


class ProducerFenced(IncidentManagerError):
    """A newer stream of the same producer has taken over."""


class Overloaded(IncidentManagerError):
    """The service takes no more for the moment; `retry_after` says when it will."""


class Unavailable(IncidentManagerError):
    """The service, or its database, cannot be reached."""


class DeadlineExceeded(IncidentManagerError):
    """No answer in time; a write may still have happened, and repeating it with the same request_id is safe."""


class NotAvailable(IncidentManagerError):
    """The method is not part of this release."""


class AccessDenied(IncidentManagerError):
    """The caller is unknown, or lacks the permission."""


class StreamClosed(IncidentManagerError):
    """The event stream was closed before the event had its result."""

    def __init__(self) -> None:
        """Needs no particulars."""
        super().__init__(grpc.StatusCode.CANCELLED, "the event stream is closed: open a new one")


class ClientClosed(IncidentManagerError):
    """The blocking client was shut down before or during the call."""

    def __init__(self) -> None:
        """Needs no particulars."""
        super().__init__(grpc.StatusCode.CANCELLED, "the client is shut down: make a new one")


class CircuitOpen(IncidentManagerError):
    """Nothing was sent: the target did not answer lately. `retry_after` says when it is tried again."""

    def __init__(self, retry_after: float) -> None:
        """`retry_after` is in seconds, 0 while a trial is under way."""
        message = f"the server did not answer lately and is left alone: try again in {retry_after:.1f} s"
        super().__init__(grpc.StatusCode.UNAVAILABLE, message, CIRCUIT_OPEN, retry_after=retry_after)


class RateLimited(IncidentManagerError):
    """Nothing was sent: the client's own rate limit has no turn in time. `retry_after` says when it might."""

    def __init__(self, retry_after: float) -> None:
        """`retry_after` is in seconds."""
        message = f"this client may not call more often: try again in {retry_after:.3f} s, or raise its rate limit"
        super().__init__(grpc.StatusCode.RESOURCE_EXHAUSTED, message, CLIENT_RATE_LIMIT, retry_after=retry_after)


_BY_REASON: Mapping[str, type[IncidentManagerError]] = {
    "ILLEGAL_TRANSITION": IllegalTransition,
    "STALE_ETAG": StaleEtag,
    "FINGERPRINT_TAKEN": FingerprintTaken,
    "REQUEST_ID_REUSED": RequestIdReused,
    "MERGED": Merged,
    "COUNT_CHANGED": CountChanged,
    "TOO_MANY_MATCHES": TooManyMatches,
    "PRODUCER_FENCED": ProducerFenced,
    "OVERLOADED": Overloaded,
}
_BY_CODE: Mapping[grpc.StatusCode, type[IncidentManagerError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNIMPLEMENTED: NotAvailable,
    grpc.StatusCode.UNAUTHENTICATED: AccessDenied,
    grpc.StatusCode.PERMISSION_DENIED: AccessDenied,
}


class _Details(NamedTuple):
    reason: str = ""
    metadata: Mapping[str, str] = {}
    violations: tuple[FieldViolation, ...] = ()
    retry_after: float | None = None


def from_rpc(error: grpc.aio.AioRpcError) -> IncidentManagerError:
    """The exception for a failed call: by reason where the service gave one, otherwise by code."""
    details = _unpack(_status(error))
    asked, final = _pushback(error)
    kind = _BY_REASON.get(details.reason) or _BY_CODE.get(error.code(), IncidentManagerError)
    return kind(
        error.code(),
        error.details() or "the call failed without a message",
        details.reason,
        metadata=details.metadata,
        violations=details.violations,
        retry_after=asked if details.retry_after is None else details.retry_after,
        final=final,
    )


def _pushback(error: grpc.aio.AioRpcError) -> tuple[float | None, bool]:
    """What gRPC's own trailer says: seconds to wait, or, being negative or no number, never to come back."""
    for key, value in error.trailing_metadata() or ():
        if key == _PUSHBACK_KEY:
            text = value if isinstance(value, str) else value.decode("ascii", "replace")
            return (int(text) / 1e3, False) if text.isascii() and text.isdigit() else (None, True)
    return None, False


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except message.DecodeError:
                break  # a proxy damaged the trailer: code and message still tell what happened
    return status_pb2.Status()


def _unpack(status: status_pb2.Status) -> _Details:
    found = _Details()
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(info) and info.domain == DOMAIN:
            found = found._replace(reason=info.reason, metadata=dict(info.metadata))
        elif detail.Unpack(bad):
            fields = tuple(FieldViolation(one.field, one.description) for one in bad.field_violations)
            found = found._replace(violations=fields)
        elif detail.Unpack(retry):
            found = found._replace(retry_after=retry.retry_delay.ToNanoseconds() / 1e9)
    return found
