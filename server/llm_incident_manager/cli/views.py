"""How incidents, changes and answers look to people."""

from collections.abc import Iterator, Sequence

from llm_incident_client import pb
from llm_incident_manager.cli import printing


def show(incident: pb.Incident) -> None:
    """Prints an incident, field below field."""
    print(printing.line(incident))
    printing.details(_fields(incident))


def _fields(incident: pb.Incident) -> Iterator[tuple[str, str]]:
    yield "id", incident.id
    yield "type", pb.IncidentType.Name(incident.incident_type).removeprefix("INCIDENT_TYPE_")
    for name in ("kind", "source", "service", "provider", "model", "deployment", "application", "environment"):
        yield name, str(getattr(incident, name))
    yield "assignees", ", ".join(incident.assignees)
    yield "labels", ", ".join(f"{key}={value}" for key, value in sorted(incident.labels.items()))
    yield (
        "events",
        f"{incident.event_count}, {_at(incident, 'first_seen_time')} to {_at(incident, 'last_seen_time')}",
    )
    yield (
        "cost",
        f"{incident.cost_usd:.2f} USD, {incident.tokens} tokens" if incident.tokens or incident.cost_usd else "",
    )
    yield "users", str(incident.users_affected or "")
    yield "opened", _at(incident, "create_time")
    yield "acknowledged", _at(incident, "acknowledge_time") or _until(incident, "acknowledge")
    yield "resolved", _at(incident, "resolve_time") or _until(incident, "resolve")
    yield "closed", _at(incident, "close_time")
    yield "resolution", " / ".join(filter(None, (incident.resolution.notes, incident.resolution.root_cause)))
    yield "before it", incident.previous_incident_id
    yield "merged into", incident.merged_into
    yield "runbook", incident.runbook_url
    yield "fingerprint", f"{incident.fingerprint.value} (version {incident.fingerprint.version})"
    yield "etag", incident.etag
    yield "description", incident.description


def _at(incident: pb.Incident, field: str) -> str:
    return printing.moment(getattr(incident, field)) if incident.HasField(field) else ""  # type: ignore[arg-type]  # names of _fields


def _until(incident: pb.Incident, verb: str) -> str:
    if not incident.sla.HasField(f"{verb}_deadline"):  # type: ignore[arg-type]  # one of two literals
        return ""
    breached = getattr(incident.sla, f"{verb}_breached")
    return f"not yet, due {printing.moment(getattr(incident.sla, f'{verb}_deadline'))}" + (
        " (breached)" if breached else ""
    )


def change_line(change: pb.IncidentChange) -> str:
    """A change in one line."""
    kind = pb.ChangeKind.Name(change.kind).removeprefix("CHANGE_KIND_")
    return f"{printing.moment(change.incident.update_time)}  {kind:<9} {printing.line(change.incident)}"


def submitted(answer: pb.SubmitEventResponse) -> Sequence[str]:
    """What became of a submitted event, line by line."""
    disposition = pb.Disposition.Name(answer.disposition).removeprefix("DISPOSITION_")
    first = f"{answer.status}: {disposition} ({answer.reason}), event {answer.event_id}"
    incident = [f"incident {answer.incident_id}"] if answer.incident_id else []
    return [first, *incident, *(f"warning: {printing.safe(warning)}" for warning in answer.warnings)]
