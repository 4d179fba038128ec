"""Which errors a method may answer with: told by what its request holds, and by name where only the method knows."""

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor import Descriptor

from llm_incident_manager.domain.errors import ErrorReason
from llm_incident_manager.transport.methods import Method

R = ErrorReason

ALWAYS = (
    R.INVALID_FIELD,
    R.MALFORMED_MESSAGE,
    R.UNAUTHENTICATED,
    R.PERMISSION_DENIED,
    R.SOURCE_DENIED,
    R.TENANT_SUSPENDED,
    R.RATE_LIMITED,
    R.OVERLOADED,
    R.STORE_UNAVAILABLE,
    R.DRAINING,
    R.INTERNAL,
)
"""What every method can answer with."""
_OF_FIELD: Mapping[str, tuple[ErrorReason, ...]] = {
    "event_id": (R.NOT_FOUND,),
    "incident_id": (R.NOT_FOUND,),
    "dead_letter_id": (R.NOT_FOUND,),
    "selection": (R.NOT_FOUND,),
    "api_key_id": (R.NOT_FOUND,),
    "tenant_id": (R.NOT_FOUND,),
    "fingerprint": (R.NOT_FOUND,),
    "name": (R.NOT_FOUND,),
    "framework": (R.NOT_FOUND,),
    "evidence_id": (R.NOT_FOUND,),
    "agent_id": (R.NOT_FOUND,),
    "directive_id": (R.NOT_FOUND,),
    "incident": (R.NOT_FOUND, R.STALE_ETAG),
    "etag": (R.STALE_ETAG,),
    "request_id": (R.REQUEST_ID_REUSED,),
    "filter": (R.INVALID_FILTER,),
    "page_token": (R.INVALID_PAGE_TOKEN,),
    "resume_token": (R.INVALID_RESUME_TOKEN,),
}
_MOVES = ("Acknowledge", "StartWork", "Escalate", "DeEscalate", "Resolve", "Close", "Reopen")
_OF_METHOD: Mapping[str, tuple[ErrorReason, ...]] = {
    **dict.fromkeys(_MOVES, (R.ILLEGAL_TRANSITION, R.MERGED)),
    "Reopen": (R.ILLEGAL_TRANSITION, R.MERGED, R.FINGERPRINT_TAKEN),
    "CreateIncident": (R.FINGERPRINT_TAKEN,),
    **dict.fromkeys(("CheckCompliance", "GenerateReport", "GetGovernanceMetrics"), (R.TOO_MANY_MATCHES,)),
    "StreamEvents": (R.PRODUCER_FENCED, R.SEQUENCE_GAP, R.STREAM_PROTOCOL, R.CREDITS_EXCEEDED),
    "Session": (
        *(R.PRODUCER_FENCED, R.SEQUENCE_GAP, R.STREAM_PROTOCOL, R.CREDITS_EXCEEDED, R.DEADLINE_EXCEEDED),
        *(R.AGENT_ID_TAKEN, R.UNSUPPORTED_PROTOCOL, R.SESSION_FENCED),
    ),
    "CreateDirective": (R.NOT_FOUND,),
    "ApproveDirective": (R.ILLEGAL_DIRECTIVE_MOVE, R.SECOND_PERSON_NEEDED),
    "CancelDirective": (R.ILLEGAL_DIRECTIVE_MOVE,),
    **dict.fromkeys(("StreamInference", "SubmitBatch"), (R.REQUEST_ID_REUSED,)),
    "AnalyzeCorrelations": (R.NOT_AVAILABLE,),
    "Snooze": (R.ILLEGAL_TRANSITION, R.MERGED),
    "Merge": (R.ILLEGAL_TRANSITION, R.MERGED),
    "Unmerge": (R.ILLEGAL_TRANSITION, R.MERGED, R.FINGERPRINT_TAKEN),
    "Split": (R.ILLEGAL_TRANSITION, R.MERGED),
    **dict.fromkeys(("CreateRole", "CreateTenant"), (R.ALREADY_EXISTS,)),
    **dict.fromkeys(("UpdateRole", "DeleteRole", "UpdateTenant", "EraseTenant"), (R.IN_USE,)),
    **dict.fromkeys(("CreateApiKey", "RotateApiKey", "RequestAnalysis"), (R.NOT_CONFIGURED,)),
    **dict.fromkeys(
        ("ApplyToIncidents", "ReplayDeadLetters", "DropDeadLetters"), (R.COUNT_CHANGED, R.TOO_MANY_MATCHES)
    ),
}


def of(method: Method) -> tuple[ErrorReason, ...]:
    """Every reason the method's errors can have through any door, in the contract's order."""
    found = {*ALWAYS, *_by_fields(method.descriptor.input_type), *_OF_METHOD.get(method.name, ())}
    found.add(R.SLOW_SUBSCRIBER if method.response_streaming else R.DEADLINE_EXCEEDED)
    return tuple(reason for reason in ErrorReason if reason in found)


def of_http(method: Method, *, body: bool) -> tuple[ErrorReason, ...]:
    """The same over HTTP, where the server reads requests itself; `body` tells whether this binding takes one."""
    found = {*of(method), R.SLOW_REQUEST, *((R.TOO_LARGE,) if body else ())}
    return tuple(reason for reason in ErrorReason if reason in found)


def named() -> frozenset[str]:
    """The methods that are told apart by name."""
    return frozenset(_OF_METHOD)


def _by_fields(request: Descriptor) -> Iterator[ErrorReason]:
    for field in request.fields:
        yield from _OF_FIELD.get(field.name, ())
