"""The errors of a method as OpenAPI answers: one for each HTTP status, naming the reasons that lead to it."""

from collections.abc import Iterable
from typing import Any

from incidentmanager.v1 import error_reason_pb2

from llm_incident_manager.domain.errors import ErrorReason
from llm_incident_manager.transport import errors, reasons
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.openapi import texts

Json = dict[str, Any]

_ENUM = error_reason_pb2.ErrorReason.DESCRIPTOR
_RETRIED = frozenset({429, 503})
REQUEST_ID: Json = {"x-request-id": {"$ref": "#/components/headers/RequestId"}}
_RETRY_AFTER: Json = {"retry-after": {"$ref": "#/components/headers/RetryAfter"}}
HEADERS: Json = {
    "RequestId": {
        "description": "The call's name in logs and traces: the caller's own, or a new one.",
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "Seconds after which to come back.",
        "schema": {"type": "integer", "minimum": 1},
    },
}
STATUS_REF: Json = {"$ref": "#/components/schemas/Status"}


class Answers:
    """The refusals of a document; equal ones are one component."""

    def __init__(self) -> None:
        self.components: Json = {}

    def of(self, method: Method, *, body: bool) -> Json:
        """References by status, in ascending order; `body` tells whether the request has one."""
        found: dict[int, list[ErrorReason]] = {}
        for reason in reasons.of_http(method, body=body):
            found.setdefault(errors.http_of_reason(reason), []).append(reason)
        return {str(status): self._answer(status, found[status]) for status in sorted(found)}

    def _answer(self, status: int, found: list[ErrorReason]) -> Json:
        name = "-".join((str(status), *(reason.value for reason in found)))
        headers = REQUEST_ID | (_RETRY_AFTER if status in _RETRIED else {})
        content = {"application/json": {"schema": STATUS_REF}}
        self.components[name] = {"description": _lines(found), "headers": headers, "content": content}
        return {"$ref": f"#/components/responses/{name}"}


def schemas() -> Json:
    """The schemas of an error."""
    reason = {
        "type": "string",
        "enum": [reason.value for reason in ErrorReason],
        "description": "Why, for programs. Messages may change, reasons do not.\n\n" + _lines(ErrorReason),
    }
    return {
        "ErrorReason": reason,
        "Status": _STATUS,
        "ErrorInfo": _detail("google.rpc.ErrorInfo", _ERROR_INFO, "Why, for programs."),
        "BadRequest": _detail("google.rpc.BadRequest", _BAD_REQUEST, "Every bad field of the request."),
        "RetryInfo": _detail("google.rpc.RetryInfo", _RETRY_INFO, "When to come back."),
    }


def comment(reason: ErrorReason) -> str:
    """What the contract says about a reason: code, meaning, metadata."""
    return texts.about_value(_ENUM.values_by_name[f"ERROR_REASON_{reason.name}"])


def meaning(reason: ErrorReason) -> str:
    """The sentences about a reason, without its code and its metadata."""
    return comment(reason).partition(". ")[2].partition(" Metadata:")[0]


def metadata(reason: ErrorReason) -> str:
    """An example of a reason's metadata, as JSON text."""
    return comment(reason).partition(" Metadata: ")[2]


def _lines(found: Iterable[ErrorReason]) -> str:
    return "\n".join(f"- `{reason.value}`: {meaning(reason)}" for reason in found)


def _detail(name: str, properties: Json, text: str) -> Json:
    kind = {"@type": {"const": f"type.googleapis.com/{name}"}}
    return {
        "type": "object",
        "description": text,
        "properties": kind | properties,
        "required": ["@type"],
    }


_STATUS: Json = {
    "type": "object",
    "description": "google.rpc.Status. The first detail is a google.rpc.ErrorInfo with a stable reason.",
    "properties": {
        "code": {"type": "integer", "format": "int32", "description": "google.rpc.Code"},
        "message": {"type": "string", "description": "For people; may change."},
        "details": {
            "type": "array",
            "items": {
                "oneOf": [{"$ref": f"#/components/schemas/{n}"} for n in ("ErrorInfo", "BadRequest", "RetryInfo")]
            },
        },
    },
    "required": ["code", "message"],
}
_ERROR_INFO: Json = {
    "reason": {"$ref": "#/components/schemas/ErrorReason"},
    "domain": {"const": errors.DOMAIN},
    "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
}
_BAD_REQUEST: Json = {
    "field_violations": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "field": {"type": "string", "description": 'Path of the field, for instance `event.labels["region"]`.'},
                "description": {"type": "string", "description": "What is wrong, the value, and the remedy."},
                "reason": {"type": "string", "description": 'The rule, for instance "string.max_len".'},
            },
        },
    }
}
_RETRY_INFO: Json = {"retry_delay": {"type": "string", "examples": ["0.100s"]}}
