"""Events between protobuf and domain, on the hot path: one pass over the fields, no intermediate."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from incidentmanager.v1 import event_pb2, ingest_service_pb2

from llm_incident_manager.domain.disposition import Disposition, EventResult, Reason, Violation
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.transport.translate import enums, times

V = TypeVar("V")

STATUS = {Disposition.DUPLICATE: "duplicate", Disposition.SUPPRESSED: "suppressed", Disposition.IGNORED: "ignored"}

_NEEDS_TITLE = Violation("title", "title is empty: a TRIGGER or CHANGE needs one line for people", "required")


_TOO_EARLY = Violation("event_time", "event_time lies before the year 1: give when it happened", "timestamp.range")
EARLIEST = Instant(-62_135_596_800 * SECOND)
"""0001-01-01, the first moment a Timestamp can name."""


def missing(message: event_pb2.Event) -> tuple[Violation, ...]:
    """What the field rules cannot say: the action needs a title, and a time has to be one."""
    found: list[Violation] = []
    if not message.title and message.action not in (event_pb2.ACTION_ACKNOWLEDGE, event_pb2.ACTION_RESOLVE):
        found.append(_NEEDS_TITLE)
    if message.HasField("event_time") and times.instant(message.event_time) < EARLIEST:
        found.append(_TOO_EARLY)
    return tuple(found)


def event(message: event_pb2.Event, now: Instant) -> Event:
    """The domain's event; its time is clamped to `now`, and is `now` when not given. Reads each field once, since that
    is what costs. Raises KeyError for an enum number that the contract does not have."""
    happened = min(times.instant(message.event_time), now) if message.HasField("event_time") else now
    services = message.affected_services
    return Event(
        message.source,
        message.title,
        happened,
        message.description,
        message.idempotency_key,
        message.dedup_key,
        message.input_tokens,
        message.output_tokens,
        message.cost_usd,
        message.users_affected,
        message.external_id,
        message.traceparent,
        plain(message.metrics),
        enums.ACTION_IN[message.action],
        message.severity,
        message.kind,
        enums.TYPE_IN[message.incident_type],
        plain(message.labels),
        plain(message.attributes),
        message.service,
        tuple(services) if services else (),
        message.environment,
        message.application,
        message.provider,
        message.model_requested,
        message.model_resolved,
        message.deployment,
        message.region,
        message.template,
        message.policy,
        message.rule,
        message.tool,
        message.error_class,
        message.runbook_url,
    )


def plain(given: Mapping[str, V]) -> Mapping[str, V]:
    """A map as a dict. Going by its keys costs half of what dict() does."""
    return {key: given[key] for key in given} if given else {}


def message(event: Event) -> event_pb2.Event:
    """The contract's event; fields not given stay unset."""
    fields = {name: value for name, value in event._asdict().items() if value and name not in _SPECIAL}
    built = event_pb2.Event(
        event_time=times.timestamp(event.event_time),
        action=enums.ACTION_OUT[event.action],  # type: ignore[arg-type]  # an int of that enum
        **fields,
    )
    if event.incident_type is not None:
        built.incident_type = enums.TYPE_OUT[event.incident_type]  # type: ignore[assignment]  # as above
    return built


_SPECIAL = frozenset({"event_time", "action", "incident_type"})


def result(given: EventResult) -> event_pb2.EventResult:
    """The contract's result."""
    built = event_pb2.EventResult(
        event_id=given.event_id or "",
        disposition=enums.DISPOSITION_OUT[given.disposition],  # type: ignore[arg-type]  # an int of that enum
        reason=given.reason,
        incident_id=given.incident_id or "",
    )
    if given.warnings:
        built.warnings.extend(given.warnings)
    if given.violations:
        built.violations.extend(violation(v) for v in given.violations)
    return built


def violation(given: Violation) -> event_pb2.FieldViolation:
    """The contract's violation."""
    return event_pb2.FieldViolation(field=given.field, message=given.message, rule=given.rule)


def rejected(violations: Sequence[Violation], reason: Reason = Reason.INVALID) -> EventResult:
    """The result of an event that is not taken."""
    return EventResult(None, Disposition.REJECTED, reason, None, tuple(violations))


def submit_response(given: EventResult) -> ingest_service_pb2.SubmitEventResponse:
    """The reply to one submitted event. `status` is "accepted" unless a plainer word fits."""
    return ingest_service_pb2.SubmitEventResponse(
        status=STATUS.get(given.disposition, "accepted"),
        event_id=given.event_id or "",
        incident_id=given.incident_id or "",
        disposition=enums.DISPOSITION_OUT[given.disposition],  # type: ignore[arg-type]  # an int of that enum
        reason=given.reason,
        warnings=given.warnings,
    )
