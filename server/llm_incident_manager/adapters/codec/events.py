"""Events as JSON bytes: only fields that were given, by their names."""

from itertools import compress
from typing import Any

import orjson

from llm_incident_manager.domain.event import Action, Event
from llm_incident_manager.domain.severity import IncidentType

_FIELDS = Event._fields
_KNOWN = frozenset(_FIELDS)


class EventCodec:
    """Implements the codec port."""

    def encode_event(self, event: Event) -> bytes:
        """Bytes that `decode_event` turns back into an equal event."""
        return orjson.dumps(dict(compress(zip(_FIELDS, event, strict=True), event)))

    def decode_event(self, data: bytes) -> Event:
        """The event; fields that this version does not know are left out."""
        given: dict[str, Any] = {name: value for name, value in orjson.loads(data).items() if name in _KNOWN}
        given.setdefault("title", "")
        given["action"] = Action(given.get("action", Action.TRIGGER))
        given["affected_services"] = tuple(given.get("affected_services", ()))
        if given.get("incident_type"):
            given["incident_type"] = IncidentType(given["incident_type"])
        return Event(**given)
