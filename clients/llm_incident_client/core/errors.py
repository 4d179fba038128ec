"""Errors of the service as exceptions: the rich google.rpc.Status of a failed call, unpacked. Decides no retry."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import grpc
from google.protobuf import message
from google.rpc import error_details_pb2, status_pb2

DOMAIN = "incidentmanager"
_DETAILS_KEY = "grpc-status-details-bin"


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
    ) -> None:
        """`retry_after` is in seconds, and None when the service did not ask to come back."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after = retry_after

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
    kind = _BY_REASON.get(details.reason) or _BY_CODE.get(error.code(), IncidentManagerError)
    return kind(
        error.code(),
        error.details() or "the call failed without a message",
        details.reason,
        metadata=details.metadata,
        violations=details.violations,
        retry_after=details.retry_after,
    )


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
