"""Whether an event message is valid, and the domain's event it then is. Names no violation: that is the checker's."""

from collections.abc import Callable
from itertools import compress
from operator import attrgetter

from incidentmanager.v1 import event_pb2

from llm_incident_manager.domain import controls
from llm_incident_manager.domain.event import Action, Event
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.transport.checker import compile_twin
from llm_incident_manager.transport.translate import events as translate
from llm_incident_manager.transport.translate import times

_OWN = (
    *("title", "description", "idempotency_key", "dedup_key", "input_tokens", "output_tokens", "cost_usd"),
    *("users_affected", "external_id", "traceparent"),
)
"""Fields, in the order of Event's, that differ from one report of a problem to the next. Beside them there are its
time and its metrics."""

_FIRST_SHARED = Event._fields.index("metrics") + 1
_SHARED = frozenset(("source", *Event._fields[_FIRST_SHARED:]))
_NEED_TITLE = frozenset({Action.TRIGGER, Action.CHANGE})
_FORMS_DIFFER = frozenset({"action", "incident_type", "event_time"})

_is_broken = compile_twin(event_pb2.Event.DESCRIPTOR, _FORMS_DIFFER)
_is_broken_in_its_own = compile_twin(event_pb2.Event.DESCRIPTOR, _FORMS_DIFFER | _SHARED)
_read_own = attrgetter(*_OWN)
_LARGEST = 1_000  # bytes of shared fields that are worth remembering
_new = tuple.__new__  # NamedTuple's own constructor names its 34 parameters one by one


def valid_event(message: event_pb2.Event, now: Instant) -> Event | None:
    """The event, or None when any field breaks its rules: exactly when the checker, `missing` or `inspect`
    names something."""
    try:
        event = translate.event(message, now)
    except KeyError:
        return None
    return None if _is_broken(event) or _lacks(event) or _steers(event) else event


def _steers(event: Event) -> bool:
    texts = [text for text in event if type(text) is str]
    names = (*event.labels, *event.attributes, *event.metrics)
    return controls.any_steers((*texts, *names, *event.affected_services, *event.labels.values()))


def _steers_in_its_own(event: Event) -> bool:
    texts = (event.title, event.description, event.idempotency_key, event.dedup_key, event.external_id)
    return controls.any_steers((*texts, event.traceparent, *event.metrics))


def _lacks(event: Event) -> bool:
    return event.event_time < translate.EARLIEST or (not event.title and event.action in _NEED_TITLE)


class Repeats:
    """Reads events faster where they repeat each other in most fields, as those of a storm do: what they share is
    translated and judged once, and remembered by its bytes. Says of every message what `valid_event` says.

    Where few events share anything it stops looking for a while, since a look in vain costs half as much again.
    """

    def __init__(self, limit: int = 10_000) -> None:
        """Remembers at most `limit` sets of shared fields: about 2 kB each, and never more than 4."""
        self._limit = limit
        self._known: dict[bytes, tuple[str, tuple[object, ...]]] = {}
        self._found = 0
        self._not_looking = 0

    def valid_event(self, message: event_pb2.Event, now: Instant) -> Event | None:
        """The event, or None when any field breaks its rules. Of a valid event the message may keep only what it
        shares with others; an invalid one is left whole."""
        if self._not_looking:
            self._not_looking -= 1
            return valid_event(message, now)
        return self._look(message, now)

    def _look(self, message: event_pb2.Event, now: Instant) -> Event | None:
        own, metrics, at = _read_own(message), translate.plain(message.metrics), None
        clear: Callable[[str], None] = message.ClearField  # type: ignore[assignment]  # names of its own fields
        for name in compress(_OWN, own):
            clear(name)
        if metrics:
            message.ClearField("metrics")
        if message.HasField("event_time"):
            at = message.event_time
            message.ClearField("event_time")
        alike = message.SerializeToString()
        shared = self._known.get(alike)
        if shared is not None:
            happened = now if at is None else min(times.instant(at), now)
            event: Event = _new(Event, (shared[0], own[0], happened, *own[1:], metrics, *shared[1]))
            if not (_is_broken_in_its_own(event) or _lacks(event) or _steers_in_its_own(event)):
                self._found += 1
                return event
        for name, value in zip(compress(_OWN, own), filter(None, own), strict=True):
            setattr(message, name, value)
        message.metrics.update(metrics)
        if at is not None:
            message.event_time.CopyFrom(at)
        return None if shared is not None else self._remember(alike, valid_event(message, now))

    def _remember(self, alike: bytes, event: Event | None) -> Event | None:
        if event is not None and len(alike) <= _LARGEST:
            if len(self._known) >= self._limit:
                self._not_looking = 0 if self._found > self._limit else 10 * self._limit
                self._found = 0
                self._known.clear()
            self._known[alike] = (event.source, event[_FIRST_SHARED:])
        return event
