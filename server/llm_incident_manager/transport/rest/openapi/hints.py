"""What handlers demand beyond the rules of the fields, and what they never take, in JSON Schema's words.

Only descriptions: the handlers decide. A test holds each against the server.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from llm_incident_manager.transport.translate.incidents import EDITABLE

Schema = dict[str, Any]

_GUARD = "etag"
_NEEDS_TITLE: Schema = {
    "anyOf": [
        {"required": ["title"], "properties": {"title": {"minLength": 1}}},
        {"required": ["action"], "properties": {"action": {"enum": ["ACKNOWLEDGE", "RESOLVE"]}}},
    ]
}
_DAY_OR_TIME: Schema = {"anyOf": [{"format": "date"}, {"format": "date-time"}, {"maxLength": 0}]}

_GIVEN: Schema = {"not": {"const": "UNSPECIFIED"}}
_EDIT: Schema = {"properties": {"title": {"minLength": 1}, "severity": _GIVEN, "incident_type": _GIVEN}}

EDITS: Mapping[str, Schema] = {"incidentmanager.v1.Incident": _EDIT}
"""What an edit of a resource demands of the fields it brings, by the resource's full name."""
MESSAGES: Mapping[str, Schema] = {"incidentmanager.v1.Event": _NEEDS_TITLE}
"""By full name."""
FIELDS: Mapping[str, Schema] = {
    "incidentmanager.v1.ListIncidentsRequest.start": _DAY_OR_TIME,
    "incidentmanager.v1.ListIncidentsRequest.end": _DAY_OR_TIME,
    "incidentmanager.v1.GetIncidentMetricsRequest.start": _DAY_OR_TIME,
    "incidentmanager.v1.GetIncidentMetricsRequest.end": _DAY_OR_TIME,
}
"""By full name."""


def is_read_only(field: FieldDescriptor) -> bool:
    """Whether the server alone sets the field of a resource."""
    resource, _, name = field.full_name.rpartition(".")
    return resource == "incidentmanager.v1.Incident" and name not in {*EDITABLE, _GUARD}


def read_only(message: Descriptor) -> tuple[str, ...]:
    """The fields of a resource that a body never brings."""
    return tuple(field.name for field in message.fields if is_read_only(field))
