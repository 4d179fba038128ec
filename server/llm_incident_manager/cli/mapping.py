"""Maps: how a line of some file becomes an event. Pure; a map never lets through what only a judge may know."""

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_incident_client import pb
from llm_incident_manager.cli import failures
from llm_incident_manager.domain.errors import DomainError, InvalidFields
from llm_incident_manager.transport.rest import jsoncodec
from llm_incident_manager.transport.rest.jsoncodec import text
from llm_incident_manager.transport.rest.jsoncodec.problems import Unacceptable

Fields = Mapping[str, Any]  # one line of a JSON-lines file: its values may be anything
Map = Callable[[Fields, bool], Fields]


class Unreadable(Exception):
    """The line is no event, and no map makes one of it."""


def native(line: Fields, without_title: bool) -> Fields:
    """The line is an event already, spelled as the interface spells it."""
    if without_title:
        raise failures.BadUsage("--without-title goes with --map status: an event of its own needs its title")
    return line


# Stages of the status pages of providers. Work that was announced is a change, not a problem; a report written
# afterwards must not open the incident again. Every other stage, also one nobody knows, says that something is wrong.
_OVER = frozenset({"resolved", "completed", "postmortem"})
_PLANNED = frozenset({"scheduled", "in progress", "in_progress", "verifying"})
_STATUS_FIELDS = frozenset({"timestamp", "provider", "stage", "title", "body"})


def status(line: Fields, without_title: bool) -> Fields:
    """An update of a provider's status page. Takes no id, impact or count: they came later, or are the answer."""
    try:
        provider, stage = str(line["provider"]), str(line["stage"]).strip().lower()
        services = [str(name) for name in line.get("services") or ()]
        shown = _neutral_title(provider, services) if without_title else line["title"]
        return {
            "action": "RESOLVE" if stage in _OVER else "CHANGE" if stage in _PLANNED else "TRIGGER",
            "source": f"status-page/{provider}",
            "kind": "provider_maintenance" if stage in _PLANNED else "provider_outage",
            "title": shown,
            "description": line["body"],
            "event_time": line["timestamp"],
            "provider": provider,
            "service": services[0] if services else "",
            "affected_services": services,
            "labels": {"stage": str(line["stage"])},
        }
    except KeyError as missing:
        raise Unreadable(f"field {missing} is missing, which --map status needs") from None


def _neutral_title(provider: str, services: list[str]) -> str:
    return f"{provider}: {', '.join(services) or 'service'} degraded"


MAPS: Mapping[str, Map] = {"native": native, "status": status}
"""Maps by the name that `--map` takes."""


def detect(line: Fields) -> str:
    """The map that the first line of a file asks for."""
    return "status" if line.keys() >= _STATUS_FIELDS else "native"


@dataclass
class Reader:
    """Turns the lines of one file into events.

    `map_name` is found out from the first line when empty; `shift` in microseconds moves the events' times.
    """

    map_name: str = ""
    without_title: bool = False
    shift: int = 0
    _seen: Counter[bytes] = field(default_factory=Counter)

    def event(self, raw: bytes) -> pb.Event:
        """The event of a line, with an idempotency key, so that a second replay repeats nothing.

        Raises Unreadable for a line that is no JSON object, and InvalidFields for one that is no event.
        """
        line = text.loads(raw)
        if not isinstance(line, dict):
            raise Unreadable("the line is no JSON object")
        self.map_name = self.map_name or detect(line)
        event = _event(MAPS[self.map_name](line, self.without_title))
        if self.shift and event.HasField("event_time"):
            event.event_time.FromMicroseconds(event.event_time.ToMicroseconds() + self.shift)
        event.idempotency_key = event.idempotency_key or self._key(raw)
        return event

    def latest(self, lines: Iterable[bytes]) -> int | None:
        """The time of the latest event in microseconds since 1970; None when no line tells one."""
        times = []
        for raw in lines:
            with contextlib.suppress(Unreadable, DomainError):  # it will be reported when it is sent
                times.append(self.event(raw).event_time.ToMicroseconds())
        self._seen.clear()
        return max(times, default=0) or None

    def _key(self, raw: bytes) -> str:
        digest = hashlib.sha256(raw.rstrip(b"\r\n")).digest()[:16]
        self._seen[digest] += 1
        return f"replay:{digest.hex()}:{self._seen[digest]}"


_DECODE = jsoncodec.DECODERS.message(pb.Event.DESCRIPTOR)


def _event(fields: Fields) -> pb.Event:
    try:
        arguments = _DECODE(fields)
    except Unacceptable as refused:
        raise InvalidFields(refused.violations()) from None
    assert isinstance(arguments, dict)
    return pb.Event(**arguments)
