"""Failures as GraphQL tells them: a sentence, where in the query, and under `extensions` what every door tells."""

from typing import Any

from google.protobuf import json_format
from google.rpc import error_details_pb2
from graphql import GraphQLError

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.telemetry import logs, redaction
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.graphql.documents import NotValid

Error = dict[str, Any]
"""An error as it is printed."""


def of_status(error: StatusError) -> list[Error]:
    """The errors of a request that was refused as a whole: one, or all that are wrong with its query."""
    extensions = _extensions(error)
    cause = error.__cause__
    if not isinstance(cause, NotValid):
        return [{"message": error.status.message, "extensions": extensions}]
    return [
        {**_place(each), "message": redaction.hide(each.message), "extensions": extensions} for each in cause.errors
    ]


def of_field(error: GraphQLError, request_id: str) -> Error:
    """The error of one field, or of a variable."""
    original = error.original_error
    if isinstance(original, DomainError):
        original = errors.status_error(original)
    if isinstance(original, GraphQLError):  # of a variable, which tells what is wrong itself
        original = None
    if original is not None and not isinstance(original, StatusError):
        logs.get("graphql").error("field.failed", path=str(error.path), request_id=request_id, exc_info=original)
        original = errors.internal(request_id)
    if original is not None:
        return {**_place(error), "message": original.status.message, "extensions": _extensions(original)}
    refused = errors.status_error(DomainError(ErrorReason.INVALID_FIELD, error.message))
    return {**_place(error), "message": refused.status.message, "extensions": _extensions(refused)}


def _place(error: GraphQLError) -> Error:
    """Where in the query, and in the answer."""
    found: Error = {}
    if error.locations:
        found["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    if error.path:
        found["path"] = error.path
    return found


def _extensions(error: StatusError) -> Error:
    """{code, reason, metadata}, with the fields that are wrong and when to come back where that helps."""
    found: Error = {"code": error.code}
    for packed in error.status.details:
        info, fields = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if packed.Unpack(info):
            found |= {"reason": info.reason, "metadata": dict(info.metadata)}
        elif packed.Unpack(fields):
            found["fieldViolations"] = json_format.MessageToDict(fields)["fieldViolations"]
    if error.retry_after is not None:
        found["retryAfterSeconds"] = error.retry_after
    return found
