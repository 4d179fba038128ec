"""How incidents, events, changes and answers look to people."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from llm_incident_client import pb
from llm_incident_manager.cli import printing
from llm_incident_manager.cli.printing import Printer
from llm_incident_manager.cli.terminal import safe

LISTED = ("NUMBER", "SEV", "STATE", "EVENTS", "LAST SEEN", "SERVICE", "TITLE")
"""The columns of a list of incidents."""

FIGURES = ("INCIDENTS", "OPEN", "MTTD", "P95", "MTTA", "P95", "MTTR", "P95")
"""The columns of `figure_cells`."""

_PLAIN = ("kind", "source", "service", "provider", "model", "deployment", "application", "environment")


def listed(printer: Printer, incidents: Sequence[pb.Incident]) -> None:
    """Prints incidents, one a row."""
    printer.table(LISTED, [_row(printer, incident) for incident in incidents], styled=1)


def _row(printer: Printer, incident: pb.Incident) -> Sequence[str]:
    return (
        incident.number,
        printing.severity(incident),
        printing.state(incident),
        str(incident.event_count),
        printer.moment(incident.last_seen_time),
        incident.service or incident.provider,
        incident.title,
    )


def show(printer: Printer, incident: pb.Incident) -> None:
    """Prints an incident, field below field."""
    print(printing.line(incident))
    printer.details(_fields(printer, incident))


def _fields(printer: Printer, incident: pb.Incident) -> Iterator[tuple[str, str]]:
    yield "id", incident.id
    yield "type", pb.IncidentType.Name(incident.incident_type).removeprefix("INCIDENT_TYPE_")
    for name in _PLAIN:
        yield name, str(getattr(incident, name))
    yield "assignees", ", ".join(incident.assignees)
    yield "labels", ", ".join(f"{key}={value}" for key, value in sorted(incident.labels.items()))
    seen = f"{_at(printer, incident, 'first_seen_time')} to {_at(printer, incident, 'last_seen_time')}"
    yield "events", f"{incident.event_count}, {seen}"
    spent = incident.tokens or incident.cost_usd
    yield "cost", f"{incident.cost_usd:.2f} USD, {incident.tokens} tokens" if spent else ""
    yield "users", str(incident.users_affected or "")
    yield "snoozed until", _at(printer, incident, "snoozed_until")
    yield "opened", _at(printer, incident, "create_time")
    yield "acknowledged", _at(printer, incident, "acknowledge_time") or _until(printer, incident, "acknowledge")
    yield "resolved", _at(printer, incident, "resolve_time") or _until(printer, incident, "resolve")
    yield "told of breaches", ", ".join(_breaches(printer, incident))
    yield "closed", _at(printer, incident, "close_time")
    yield "resolution", " / ".join(filter(None, (incident.resolution.notes, incident.resolution.root_cause)))
    yield "before it", incident.previous_incident_id
    yield "merged into", incident.merged_into
    yield "runbook", incident.runbook_url
    yield "fingerprint", f"{incident.fingerprint.value} (version {incident.fingerprint.version})"
    yield "etag", incident.etag
    yield "description", incident.description


def _at(printer: Printer, message: Any, field: str) -> str:  # noqa: ANN401 - a message with that field
    return printer.moment(getattr(message, field)) if message.HasField(field) else ""


def _until(printer: Printer, incident: pb.Incident, verb: str) -> str:
    due = _at(printer, incident.sla, f"{verb}_deadline")
    breached = " (breached)" if getattr(incident.sla, f"{verb}_breached") else ""
    return f"not yet, due {due}{breached}" if due else ""


def _breaches(printer: Printer, incident: pb.Incident) -> Iterator[str]:
    for verb, done in (("acknowledge", "acknowledged"), ("resolve", "resolved")):
        if at := _at(printer, incident, f"{verb}_breach_time"):
            yield f"not {done} in time ({at})"


def timeline(printer: Printer, entries: Sequence[pb.TimelineEntry]) -> None:
    """Prints what happened, oldest first."""
    rows = [(printer.moment(entry.time), entry.actor, entry.text) for entry in entries]
    printer.table(("TIME", "WHO", "WHAT"), rows)


def change_line(printer: Printer, change: pb.IncidentChange) -> str:
    """A change in one line."""
    kind = pb.ChangeKind.Name(change.kind).removeprefix("CHANGE_KIND_")
    return f"{printer.moment(change.incident.update_time)}  {kind:<9} {printing.line(change.incident)}"


def applied(printer: Printer, answer: pb.ApplyToIncidentsResponse) -> None:
    """Prints what a verb did, or would do, to all that a filter matches."""
    if answer.preview:
        listed(printer, answer.sample)
    changed, unchanged = ("would be changed", "are so") if answer.preview else ("changed", "unchanged")
    counts = f"{answer.changed:,} {changed}, {answer.unchanged:,} {unchanged}, {answer.failed:,} refused"
    print(f"{answer.matched:,} match: {counts}")
    if answer.failures:
        printer.table(("NUMBER", "REASON", "WHY"), [(one.number, one.reason, one.message) for one in answer.failures])


def related(printer: Printer, found: Sequence[pb.RelatedIncident]) -> None:
    """Prints incidents that one has to do with, and how."""
    rows = [
        (
            pb.Relation.Name(one.relation).removeprefix("RELATION_").replace("_", " ").lower(),
            *_row(printer, one.incident)[:3],
            printer.moment(one.relate_time),
            one.actor,
            one.incident.title,
        )
        for one in found
    ]
    printer.table(("RELATION", "NUMBER", "SEV", "STATE", "SINCE", "BY", "TITLE"), rows, styled=2)


def split(answer: pb.SplitResponse) -> None:
    """Prints what left an incident, and where later events will land."""
    print(printing.line(answer.new_incident))
    print(f"{answer.moved_event_count} events left {answer.incident.number}")


def attachments(printer: Printer, found: Sequence[pb.Attachment]) -> None:
    """Prints links."""
    rows = [(one.id, printer.moment(one.create_time), one.actor, one.title, one.url) for one in found]
    printer.table(("ID", "SINCE", "BY", "TITLE", "URL"), rows)


def figures(printer: Printer, answer: pb.GetIncidentMetricsResponse) -> None:
    """Prints how many incidents there were and how long things took (the mean, and what 95 % did not exceed)."""
    rows = [(group.value or "(none)", *figure_cells(group.figures)) for group in answer.groups]
    printer.table(("", *FIGURES), [*rows, ("all", *figure_cells(answer.total))])


def figure_cells(found: pb.IncidentFigures) -> Iterator[str]:
    """How many, how many of them open, and how long things took."""
    yield f"{found.count:,}"
    yield f"{found.open_count:,}"
    for one in (found.time_to_detect, found.time_to_acknowledge, found.time_to_resolve):
        yield _duration(one.mean) if one.count else "-"
        yield _duration(one.p95) if one.count else "-"


def _duration(given: pb.Duration) -> str:
    text = str(timedelta(seconds=given.seconds, microseconds=given.nanos // 1000))
    return text.partition(".")[0] if given.seconds else f"{given.nanos / 1e6:.0f} ms"


def submitted(answer: pb.SubmitEventResponse) -> None:
    """Prints what became of a submitted event."""
    print(f"{answer.status}: {_disposition(answer.disposition)} ({safe(answer.reason)}), event {answer.event_id}")
    if answer.incident_id:
        print(f"incident {answer.incident_id}")
    for warning in answer.warnings:
        print(f"warning: {safe(warning)}")


def event(printer: Printer, record: pb.EventRecord) -> None:
    """Prints a stored event, field below field."""
    printer.details(_event_fields(printer, record))


def _event_fields(printer: Printer, record: pb.EventRecord) -> Iterator[tuple[str, str]]:
    yield "id", record.event_id
    yield "disposition", f"{_disposition(record.disposition)} ({record.reason})"
    yield "incident", record.incident_id
    yield "duplicate of", record.duplicate_of
    yield "happened", _at(printer, record, "event_time")
    yield "received", _at(printer, record, "receive_time")
    for name in ("title", "source", "kind", "severity", "service", "provider", "model_requested", "description"):
        yield name.replace("_", " "), str(getattr(record.event, name))
    yield "labels", ", ".join(f"{key}={value}" for key, value in sorted(record.event.labels.items()))


def explained(printer: Printer, answer: pb.ExplainEventResponse) -> None:
    """Prints an event's whole way: the sentences, then the parts of its fingerprint."""
    for number, step in enumerate(answer.steps, 1):
        print(f"{number}. {safe(step)}")
    fingerprint(printer, answer.fingerprint)


def fingerprint(printer: Printer, found: pb.Fingerprint) -> None:
    """Prints the named parts of a fingerprint, if they are known."""
    if found.components:
        print(f"fingerprint {safe(found.value)} (version {found.version})")
        printer.details((f"  {part.name}", part.value) for part in found.components)


def _disposition(number: pb.Disposition.ValueType) -> str:
    return pb.Disposition.Name(number).removeprefix("DISPOSITION_")


def bus_status(printer: Printer, found: pb.GetBusStatusResponse) -> None:
    """Prints how far the work after the commit is."""
    rows = [
        (
            one.topic,
            f"{one.waiting:,}",
            _at(printer, one, "oldest_time"),
            f"{one.dead:,}",
            f"{one.carried:,}" if one.HasField("carried") else "",
        )
        for one in found.topics
    ]
    print(f"back end: {found.backend}")
    printer.table(("TOPIC", "WAITING", "OLDEST", "DEAD", "CARRIED"), rows)


def dead_letters(printer: Printer, found: Sequence[pb.DeadLetter]) -> None:
    """Prints work that was given up."""
    rows = [
        (one.id, printer.moment(one.fail_time), one.topic, one.incident_id, str(one.attempts), one.reason)
        for one in found
    ]
    printer.table(("ID", "FAILED", "TOPIC", "INCIDENT", "TRIES", "REASON"), rows)


def dead_letter(printer: Printer, found: pb.DeadLetter) -> None:
    """Prints one, field below field."""
    printer.details(
        (
            ("id", found.id),
            ("topic", found.topic),
            ("lane", found.lane),
            ("incident", found.incident_id),
            ("asked for", _at(printer, found, "create_time")),
            ("given up", _at(printer, found, "fail_time")),
            ("attempts", str(found.attempts)),
            ("reason", found.reason),
            ("payload", found.payload),
        )
    )


def dead_letters_done(printer: Printer, answer: pb.ReplayDeadLettersResponse | pb.DropDeadLettersResponse) -> None:
    """Prints what was done, or would be, to dead letters."""
    if answer.preview:
        dead_letters(printer, answer.sample)
    match answer:
        case pb.ReplayDeadLettersResponse():
            count, word = answer.replayed, "replayed"
        case _:
            count, word = answer.dropped, "dropped"
    done = f"would be {word}" if answer.preview else word
    print(f"{answer.matched:,} selected: {count:,} {done}, {answer.gone:,} gone meanwhile")
