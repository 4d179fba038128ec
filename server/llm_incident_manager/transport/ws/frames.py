"""From the text of a client's message to what it asks for, or to a refusal that bears the message's id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from incidentmanager.v1 import event_pb2, incident_service_pb2, ingest_service_pb2

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields
from llm_incident_manager.transport.checker.rules import quote
from llm_incident_manager.transport.rest import jsoncodec
from llm_incident_manager.transport.rest.jsoncodec import text
from llm_incident_manager.transport.rest.jsoncodec.problems import Unacceptable
from llm_incident_manager.transport.ws import selection
from llm_incident_manager.transport.ws.selection import Selection

MOST_NAME = 128
"""Characters of an id or subscription_id."""
LARGEST_NUMBER = 2**53
"""An id that is a number comes back as it was only below this."""

MessageId: TypeAlias = str | int | None

_read_event = jsoncodec.DECODERS.message(event_pb2.Event.DESCRIPTOR)
_read_batch = jsoncodec.DECODERS.message(ingest_service_pb2.SubmitEventsRequest.DESCRIPTOR)
_read_watch = jsoncodec.DECODERS.message(incident_service_pb2.WatchIncidentsRequest.DESCRIPTOR)


@dataclass(frozen=True, slots=True)
class Events:
    """Events to take; `single` when the message was one event and not a batch."""

    id: MessageId
    request: ingest_service_pb2.SubmitEventsRequest
    single: bool


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Changes to be told of."""

    id: MessageId
    subscription_id: str
    request: incident_service_pb2.WatchIncidentsRequest
    selection: Selection


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """A subscription to end."""

    id: MessageId
    subscription_id: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Wants a pong."""

    id: MessageId


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The client is there."""

    id: MessageId


Frame: TypeAlias = Events | Subscribe | Unsubscribe | Ping | Heartbeat


class BadFrame(Exception):
    """A message that is refused, with what of its ids could be read. The connection goes on."""

    def __init__(self, error: DomainError, message_id: MessageId = None, subscription_id: str = "") -> None:
        """`error` says why."""
        super().__init__(error.message)
        self.error = error
        self.id = message_id
        self.subscription_id = subscription_id


def kind(frame: Frame) -> str:
    """The type of the message that it was."""
    if isinstance(frame, Events):
        return "event" if frame.single else "batch"
    return type(frame).__name__.lower()


def parse(heard: str | bytes, most_bytes: int, most_events: int) -> Frame:
    """What a message asks for; bytes are no text. Raises BadFrame."""
    given = _object(_raw(heard, most_bytes))
    message_id, word, subscription = given.pop("id", None), given.pop("type", None), given.get("subscription_id")
    known = message_id if _is_id(message_id) else None
    try:
        if known is None and message_id is not None:
            _refuse("id", f"id must be a text of at most {MOST_NAME} characters, or a number", "input.type")
        return _reader(word)(known, given, most_events)
    except Unacceptable as refused:
        raise BadFrame(InvalidFields(refused.violations()), known, _shown(subscription)) from None
    except DomainError as error:
        raise BadFrame(error, known, _shown(subscription)) from error


def _raw(heard: str | bytes, most: int) -> bytes:
    if isinstance(heard, bytes):
        raise _malformed("messages are JSON in text frames: this one was binary")
    raw = heard.encode()
    if len(raw) > most:
        text = f"the message is larger than {most} bytes: send fewer events at once"
        raise BadFrame(DomainError(ErrorReason.TOO_LARGE, text, {"limit_bytes": str(most)}))
    return raw


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = text.loads(raw)
    except DomainError as error:
        raise _malformed(error.message.replace("the body", "the message", 1)) from error
    if not isinstance(value, dict):
        raise _malformed('the message must be a JSON object with a type: {"type": "event", …}')
    return value


def _event(message_id: MessageId, given: dict[str, Any], _: int) -> Frame:
    if "event" in given:
        _only(given, "event")
        try:
            event = _read_event(given["event"])
        except Unacceptable as refused:
            raise Unacceptable(refused.below("event")) from None
    else:
        event = _read_event(given)
    return Events(message_id, ingest_service_pb2.SubmitEventsRequest(events=[event]), single=True)  # type: ignore[list-item]  # arguments


def _batch(message_id: MessageId, given: dict[str, Any], most: int) -> Frame:
    _only(given, "events")
    events = given.get("events")
    if isinstance(events, list) and not 0 < len(events) <= most:
        _refuse("events", f"events must be 1 to {most}; got {len(events)}: send several batches", "input.range")
    if events is None:
        _refuse("events", "events is missing: give a list", "required")
    request = ingest_service_pb2.SubmitEventsRequest(**_read_batch(given))  # type: ignore[arg-type]  # arguments
    return Events(message_id, request, single=False)


def _subscribe(message_id: MessageId, given: dict[str, Any], _: int) -> Frame:
    name = _subscription(given)
    filters = given.pop("filters", None)
    if filters is not None and given.get("filter"):
        _refuse("filters", "filter and filters exclude each other: give one of them", "exclusive")
    chosen = Selection() if filters is None else selection.selection(filters)
    request = incident_service_pb2.WatchIncidentsRequest(**_read_watch(given))  # type: ignore[arg-type]  # arguments
    if chosen.filter:
        request.filter = chosen.filter
    return Subscribe(message_id, name, request, chosen)


def _unsubscribe(message_id: MessageId, given: dict[str, Any], _: int) -> Frame:
    name = _subscription(given)
    _only(given)
    return Unsubscribe(message_id, name)


def _ping(message_id: MessageId, _: dict[str, Any], __: int) -> Frame:
    return Ping(message_id)


def _heartbeat(message_id: MessageId, _: dict[str, Any], __: int) -> Frame:
    return Heartbeat(message_id)


_READERS = {
    "event": _event,
    "batch": _batch,
    "heartbeat": _heartbeat,
    "ping": _ping,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
}
TYPES = tuple(_READERS)
"""Types of the messages that clients send."""


def _reader(word: object) -> Callable[[MessageId, dict[str, Any], int], Frame]:
    reader = _READERS.get(word) if isinstance(word, str) else None
    if reader is None:
        said = f"is {quote(word)}, and" if isinstance(word, str) else "is"
        _refuse("type", f"type {said} none of {', '.join(_READERS)}", "input.enum")
    return reader


def _subscription(given: dict[str, Any]) -> str:
    name = given.pop("subscription_id", None)
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME:
        words = f"subscription_id must be a text of 1 to {MOST_NAME} characters, of your choice"
        _refuse("subscription_id", words, "required")
    return name


def _only(given: Mapping[str, object], *names: str) -> None:
    for key in given:
        if key not in names:
            _refuse(key[:64], f"{quote(key)} is no field of this message", "input.unknown_field")


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MOST_NAME
    return type(value) is int and abs(value) < LARGEST_NUMBER


def _shown(name: object) -> str:
    return name if isinstance(name, str) and len(name) <= MOST_NAME else ""


def _refuse(field: str, message: str, rule: str) -> NoReturn:
    raise InvalidFields([Violation(field, message, rule)])


def _malformed(text: str) -> BadFrame:
    return BadFrame(DomainError(ErrorReason.MALFORMED_MESSAGE, text, {"method": "websocket"}))
