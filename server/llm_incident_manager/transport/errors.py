"""Refusals to google.rpc.Status and HTTP: the only place that knows status codes."""

import math
from collections.abc import Mapping

from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.telemetry import redaction

DOMAIN = "incidentmanager"

CODES: Mapping[ErrorReason, int] = {
    ErrorReason.INVALID_FIELD: code_pb2.INVALID_ARGUMENT,
    ErrorReason.MALFORMED_MESSAGE: code_pb2.INVALID_ARGUMENT,
    ErrorReason.NOT_FOUND: code_pb2.NOT_FOUND,
    ErrorReason.ILLEGAL_TRANSITION: code_pb2.FAILED_PRECONDITION,
    ErrorReason.STALE_ETAG: code_pb2.ABORTED,
    ErrorReason.FINGERPRINT_TAKEN: code_pb2.ALREADY_EXISTS,
    ErrorReason.REQUEST_ID_REUSED: code_pb2.ALREADY_EXISTS,
    ErrorReason.PRODUCER_FENCED: code_pb2.ABORTED,
    ErrorReason.SEQUENCE_GAP: code_pb2.OUT_OF_RANGE,
    ErrorReason.STREAM_PROTOCOL: code_pb2.INVALID_ARGUMENT,
    ErrorReason.OVERLOADED: code_pb2.RESOURCE_EXHAUSTED,
    ErrorReason.CREDITS_EXCEEDED: code_pb2.RESOURCE_EXHAUSTED,
    ErrorReason.TOO_LARGE: code_pb2.RESOURCE_EXHAUSTED,
    ErrorReason.STORE_UNAVAILABLE: code_pb2.UNAVAILABLE,
    ErrorReason.DRAINING: code_pb2.UNAVAILABLE,
    ErrorReason.DEADLINE_EXCEEDED: code_pb2.DEADLINE_EXCEEDED,
    ErrorReason.NOT_AVAILABLE: code_pb2.UNIMPLEMENTED,
    ErrorReason.INVALID_FILTER: code_pb2.INVALID_ARGUMENT,
    ErrorReason.INVALID_PAGE_TOKEN: code_pb2.INVALID_ARGUMENT,
    ErrorReason.INVALID_RESUME_TOKEN: code_pb2.INVALID_ARGUMENT,
    ErrorReason.SLOW_SUBSCRIBER: code_pb2.RESOURCE_EXHAUSTED,
    ErrorReason.UNAUTHENTICATED: code_pb2.UNAUTHENTICATED,
    ErrorReason.PERMISSION_DENIED: code_pb2.PERMISSION_DENIED,
    ErrorReason.RATE_LIMITED: code_pb2.RESOURCE_EXHAUSTED,
    ErrorReason.SOURCE_DENIED: code_pb2.PERMISSION_DENIED,
    ErrorReason.ALREADY_EXISTS: code_pb2.ALREADY_EXISTS,
    ErrorReason.IN_USE: code_pb2.FAILED_PRECONDITION,
    ErrorReason.NOT_CONFIGURED: code_pb2.FAILED_PRECONDITION,
    ErrorReason.TENANT_SUSPENDED: code_pb2.PERMISSION_DENIED,
    ErrorReason.INTERNAL: code_pb2.INTERNAL,
    ErrorReason.NO_ROUTE: code_pb2.UNIMPLEMENTED,
    ErrorReason.CANCELLED: code_pb2.CANCELLED,
    ErrorReason.SLOW_REQUEST: code_pb2.DEADLINE_EXCEEDED,
    ErrorReason.MERGED: code_pb2.FAILED_PRECONDITION,
    ErrorReason.COUNT_CHANGED: code_pb2.ABORTED,
    ErrorReason.TOO_MANY_MATCHES: code_pb2.FAILED_PRECONDITION,
    ErrorReason.AGENT_ID_TAKEN: code_pb2.PERMISSION_DENIED,
    ErrorReason.UNSUPPORTED_PROTOCOL: code_pb2.FAILED_PRECONDITION,
    ErrorReason.SESSION_FENCED: code_pb2.ABORTED,
    ErrorReason.ILLEGAL_DIRECTIVE_MOVE: code_pb2.FAILED_PRECONDITION,
    ErrorReason.SECOND_PERSON_NEEDED: code_pb2.PERMISSION_DENIED,
}

_HTTP_OF_CODE: Mapping[int, int] = {
    code_pb2.OK: 200,
    code_pb2.CANCELLED: 499,
    code_pb2.UNKNOWN: 500,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.INTERNAL: 500,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.DATA_LOSS: 500,
}

_HTTP_OF_REASON: Mapping[ErrorReason, int] = {
    ErrorReason.ILLEGAL_TRANSITION: 409,
    ErrorReason.TOO_LARGE: 413,
    ErrorReason.NO_ROUTE: 404,
    ErrorReason.SLOW_REQUEST: 408,
    ErrorReason.MERGED: 409,
    ErrorReason.IN_USE: 409,
    ErrorReason.NOT_CONFIGURED: 409,
    ErrorReason.ILLEGAL_DIRECTIVE_MOVE: 409,
}
"""Where HTTP has a better word than the one its gRPC code maps to."""


class StatusError(Exception):
    """A call's failure as its caller will see it, on any transport."""

    def __init__(self, status: status_pb2.Status, http_status: int, retry_after: float | None = None) -> None:
        """`retry_after` in seconds. `allow` names the HTTP methods that a path takes, when that is what was wrong."""
        super().__init__(status.message)
        self.status = status
        self.http_status = http_status
        self.retry_after = retry_after
        self.allow = ""

    @property
    def code(self) -> str:
        """The gRPC code's name."""
        return code_pb2.Code.Name(self.status.code)


def http_of_code(code: int) -> int:
    """The HTTP status of a google.rpc.Code, as google.rpc says; unknown codes are 500."""
    return _HTTP_OF_CODE.get(code, 500)


def http_of_reason(reason: ErrorReason) -> int:
    """The HTTP status of an error with this reason; NO_ROUTE is 405 where the path takes another verb."""
    return _HTTP_OF_REASON.get(reason, _HTTP_OF_CODE[CODES[reason]])


def status_error(error: DomainError) -> StatusError:
    """The status of a refusal: one ErrorInfo, BadRequest for fields, RetryInfo where coming back helps. What it quotes
    of the request has no secrets."""
    code = CODES[error.reason]
    status = status_pb2.Status(code=code, message=redaction.hide(error.message))
    metadata = {
        name: value if name == "resume_token" else redaction.hide(value) for name, value in error.metadata.items()
    }
    _add(status, error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata))
    if error.violations:
        _add(status, _bad_request(error))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(error.retry_after * 1e9))
        _add(status, error_details_pb2.RetryInfo(retry_delay=delay))
    return StatusError(status, http_of_reason(error.reason), error.retry_after)


def of_status(status: status_pb2.Status) -> StatusError:
    """The failure that a status tells, of a part of a stream."""
    return StatusError(status, http_of_code(status.code))


def reason_of(refused: StatusError) -> str:
    """The reason of a refusal: a word of ErrorReason; empty when it has none."""
    info = error_details_pb2.ErrorInfo()
    return next((info.reason for detail in refused.status.details if detail.Unpack(info)), "")


def internal(request_id: str) -> StatusError:
    """The status of a defect of ours: says nothing about it but where to look."""
    message = f"internal error; the log line with request id {request_id} tells more"
    return status_error(DomainError(ErrorReason.INTERNAL, message, {"request_id": request_id}))


def retry_after_header(seconds: float) -> str:
    """Whole seconds, rounded up, at least one."""
    return str(max(1, math.ceil(seconds)))


def _bad_request(error: DomainError) -> error_details_pb2.BadRequest:
    violations = [
        error_details_pb2.BadRequest.FieldViolation(
            field=redaction.hide(v.field), description=redaction.hide(v.message), reason=v.rule
        )
        for v in error.violations
    ]
    return error_details_pb2.BadRequest(field_violations=violations)


def _add(
    status: status_pb2.Status,
    detail: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)
