"""Requests of any method, made from its descriptor: what fields are called says what goes into them.

A request with a field that nobody has a place for here is an error, so that a new method cannot stay untested.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from llm_incident_manager.transport.methods import Method

numbers = count(1)

Path = tuple[str, ...]

NAMES_OF: Mapping[Path, str] = {
    ("incident_id",): "incident",
    ("incident", "id"): "incident",
    ("linked_incident_id",): "incident",
    ("source_incident_ids",): "incident",
    ("selection", "matching", "incident_id"): "incident",
    ("event_id",): "event",
    ("event_ids",): "event",
    ("attachment_id",): "attachment",
    ("dead_letter_id",): "dead letter",
    ("selection", "named", "ids"): "dead letter",
    ("api_key_id",): "api key",
    ("name",): "role",
    ("tenant_id",): "tenant",
    ("evidence_id",): "evidence",
    ("agent_id",): "edge agent",
    ("target", "agent_ids"): "edge agent",
    ("directive_id",): "directive",
}
"""Fields of requests that name something that exists, and what."""

CHOSEN = frozenset({"request_id", "external_id", "producer_id", "model_id"})
"""Names that callers choose: they name nothing yet."""

CREATED = frozenset(
    {
        *("CreateTenantRequest.tenant_id", "CreateRoleRequest.name", "EdgeAgentRegistration.agent_id"),
        *("InferenceRequest.agent_id", "InferenceResult.agent_id", "DirectiveReport.directive_id"),
    }
)
"""Names that are given with these requests, or of which the answer tells that there is no such thing."""

SERVER_SET = frozenset(
    {
        *("number", "state", "route", "fingerprint", "event_count", "tokens", "recurred", "previous_incident_id"),
        *("merged_into", "resolution", "sla", "first_seen_time", "last_seen_time", "create_time", "update_time"),
        *("acknowledge_time", "resolve_time", "close_time", "time_to_acknowledge", "time_to_resolve", "time_to_detect"),
        *("time_to_detect_received", "snoozed_until", "acknowledge_breach_time", "resolve_breach_time"),
        *("source", "cost_usd", "users_affected"),
    }
)
"""Fields of a resource that only the server sets, once it is there."""

_ID = re.compile(r"(?:^|_)ids?$")

OFFERED: Mapping[str, Any] = {
    "text": "a note",
    "title": "as it is called now",
    "reason": "because",
    "assignees": ["ann", "bob"],
    "until": {"seconds": 4_000_000_000},
    "url": "https://example.com/trace",
    "source": "by-hand",
    "force": True,
    "event": {"source": "shield", "title": "reported"},
    "events": [{"source": "shield", "title": "reported"}],
    "alert": {"source": "monitoring", "title": "reported"},
    "incident": {"title": "as it is called now"},
    "update_mask": {"paths": ["title"]},
    "acknowledge": {},
    "filter": 'title = "nothing is called so"',
    "display_name": "as it is called now",
    "description": "what it is for",
    "permissions": [3],
    "roles": ["viewer"],
    "fingerprint": "ab" * 32,
    "questions": [5],
    "framework": "soc2",
    "action": "DIRECTIVE_ACTION_FAIL_OVER_MODEL",
    "target": {"model": "gpt-4o"},
    "parameters": {"texts": {"to": "another"}},
    "ttl": {"seconds": 60},
    "requests": [{"request_id": "one", "model_id": "none"}],
}
"""What requests are filled with besides ids, as far as they take it."""

OF_LISTS = frozenset(
    {
        *("ListIncidents", "StreamIncidents", "WatchIncidents"),
        *("GetIncidentMetrics", "GetIncidentTrends", "GetSlaAttainment", "CheckCompliance", "GenerateReport"),
    }
)
"""Methods whose filter may be left out, so that they tell of all there is."""


def ids_in(descriptor: Any, above: Path = ()) -> Iterator[Path]:  # noqa: ANN401  # protobuf has two types of descriptors
    """The fields of a request, however deep, that name something. Raises LookupError for one that has no place here."""
    for field in descriptor.fields:
        path = (*above, field.name)
        if field.message_type is not None and not _is_closed(field):
            yield from ids_in(field.message_type, path)
        elif f"{descriptor.name}.{field.name}" in CREATED:
            continue
        elif path == ("name",) or (_ID.search(field.name) and field.name not in CHOSEN | SERVER_SET):
            if path not in NAMES_OF:
                raise LookupError(f"{descriptor.full_name}: say in NAMES_OF what {'.'.join(path)} names")
            yield path


def strings_in(descriptor: Any, above: Path = ()) -> Iterator[tuple[Path, FieldDescriptor]]:  # noqa: ANN401
    """The fields of a request, however deep, that are text, or maps with keys of text."""
    for field in descriptor.fields:
        path = (*above, field.name)
        if field.type == FieldDescriptor.TYPE_STRING or _is_map(field):
            yield path, field
        elif field.message_type is not None and not field.message_type.full_name.startswith("google."):
            yield from strings_in(field.message_type, path)


def request(method: Method, ids: Mapping[Path, Any], **fields: Any) -> Message:  # noqa: ANN401  # what JSON has
    """A request of the method that is as full as it takes, with these ids; `fields` replace or leave out (None)."""
    made = method.request()
    known = made.DESCRIPTOR.fields_by_name
    given = {name: value for name, value in {**OFFERED, **fields}.items() if name in known and value is not None}
    if method.name in OF_LISTS and "filter" not in fields:
        given.pop("filter", None)
    if "request_id" in known and "request_id" not in fields:
        given["request_id"] = f"r-{next(numbers)}"
    for name, value in given.items():
        put(made, (name,), value)
    for path, value in ids.items():
        put(made, path, value)
    return made


def put(message: Any, path: Path, value: Any) -> None:  # noqa: ANN401  # any message, and what its field takes
    """Sets a field, however deep: of repeated messages their first, and of a map one entry when given its key."""
    *parents, name = path
    for parent in parents:
        message = getattr(message, parent)
        if hasattr(message, "add"):
            message = message[0] if len(message) else message.add()
    field = message.DESCRIPTOR.fields_by_name[name]
    if _is_map(field):
        getattr(message, name).update(value)
    elif field.is_repeated:
        message.ClearField(name)
        target = getattr(message, name)
        for each in value if isinstance(value, list) else [value]:
            target.add(**each) if field.message_type is not None else target.append(each)
    elif field.message_type is not None:
        target = getattr(message, name)
        target.SetInParent()
        target.MergeFrom(type(target)(**value))
    else:
        setattr(message, name, value)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _is_closed(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return kind is None or _is_map(field) or kind.full_name.startswith("google.")
