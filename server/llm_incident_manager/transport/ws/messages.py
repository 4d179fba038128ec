"""What the server says, as JSON texts."""

from collections.abc import Mapping
from typing import Any

import orjson
from incidentmanager.v1 import event_pb2, incident_pb2, ingest_service_pb2

from llm_incident_manager.domain.disposition import Reason, Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.rest import answers, jsoncodec
from llm_incident_manager.transport.rest.jsoncodec import enums as spellings
from llm_incident_manager.transport.translate import enums
from llm_incident_manager.transport.translate.events import STATUS
from llm_incident_manager.transport.ws.frames import MessageId

PROTOCOL_VERSION = "1.0"
FEATURES = ("batching", "filtering", "resume")
TYPES = frozenset(
    ("connection_ack", "ack", "subscribed", "unsubscribed", "change", "heartbeat", "pong", "error", "closing")
)
"""Types of the messages that the server sends."""

_change = jsoncodec.codec(incident_pb2.IncidentChange.DESCRIPTOR)
_results = jsoncodec.codec(ingest_service_pb2.SubmitEventsResponse.DESCRIPTOR)
_dispositions = spellings.spelling(event_pb2.Disposition.DESCRIPTOR).names
_statuses = {enums.DISPOSITION_OUT[disposition]: status for disposition, status in STATUS.items()}


def connection_ack(session_id: str, limits: Mapping[str, float]) -> str:
    """The first message: who this connection is, and what it may do."""
    return _text(
        {
            "type": "connection_ack",
            "session_id": session_id,
            "protocol_version": PROTOCOL_VERSION,
            "features": FEATURES,
            **limits,
        }
    )


def ack(message_id: MessageId, result: event_pb2.EventResult) -> str:
    """An accepted event."""
    told: dict[str, object] = {"event_id": result.event_id, "incident_id": result.incident_id}
    told |= {"disposition": _dispositions[result.disposition], "status": _statuses.get(result.disposition, "accepted")}
    told |= {"reason": result.reason} if result.reason else {}
    told |= {"warnings": list(result.warnings)} if result.warnings else {}
    return _text({"type": "ack", **_id(message_id), **told})


def batch_ack(message_id: MessageId, response: ingest_service_pb2.SubmitEventsResponse) -> str:
    """A batch, each of its events with its own result."""
    told = _results.encode(response)
    assert isinstance(told, dict)
    return _text({"type": "ack", **_id(message_id), **told})


def rejection(result: event_pb2.EventResult) -> DomainError | None:
    """Why a single event was not accepted, as a call of its own would be told; None when it was."""
    if result.disposition != event_pb2.DISPOSITION_REJECTED:
        return None
    violations = [Violation(each.field, each.message, each.rule) for each in result.violations]
    if result.reason == Reason.NOT_COVERED:
        metadata = {"field": violations[0].field}
        return DomainError(ErrorReason.PERMISSION_DENIED, violations[0].message, metadata)
    return InvalidFields(violations)


def subscribed(message_id: MessageId, subscription_id: str, resume_token: str) -> str:
    """A subscription has begun, and from where."""
    return _about("subscribed", message_id, subscription_id, resume_token)


def unsubscribed(message_id: MessageId, subscription_id: str, resume_token: str) -> str:
    """A subscription has ended as asked, and how far it came."""
    return _about("unsubscribed", message_id, subscription_id, resume_token)


def change(subscription_id: str, told: incident_pb2.IncidentChange) -> str:
    """What changed; what all subscribers of the change are told alike is printed once for them."""
    fields = _change.dumps_shared(told).decode()[1:]
    return f'{{"type":"change","subscription_id":{_text(subscription_id)},{fields}'


def heartbeat(cursors: Mapping[str, str]) -> str:
    """The server is there; how far each subscription came."""
    return _text({"type": "heartbeat", "subscriptions": dict(cursors)})


def pong(message_id: MessageId) -> str:
    """The answer to a ping."""
    return _text({"type": "pong", **_id(message_id)})


def error(refused: StatusError, message_id: MessageId = None, subscription_id: str = "") -> str:
    """A message of the client that was refused; the connection goes on."""
    about = {"subscription_id": subscription_id} if subscription_id else {}
    return _text({"type": "error", **_id(message_id), **about, **_refusal(refused)})


def closing(refused: StatusError, cursors: Mapping[str, str]) -> str:
    """The last message: why the connection ends, and where each subscription goes on."""
    return _text({"type": "closing", **_refusal(refused), "subscriptions": dict(cursors)})


def _refusal(refused: StatusError) -> dict[str, object]:
    told = answers.status_json(refused.status)
    return {
        "code": refused.code,
        "reason": errors.reason_of(refused),
        "message": refused.status.message,
        "details": told.get("details", []),
    }


def _about(kind: str, message_id: MessageId, subscription_id: str, resume_token: str) -> str:
    about = {"subscription_id": subscription_id, "resume_token": resume_token}
    return _text({"type": kind, **_id(message_id), **about})


def _id(message_id: MessageId) -> dict[str, str | int]:
    return {} if message_id is None else {"id": message_id}


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
