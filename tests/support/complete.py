"""Records that every framework is content with, and the same without a piece of evidence."""

from dataclasses import replace

from llm_incident_manager.config import Settings
from llm_incident_manager.config import evidence as settings
from llm_incident_manager.domain import evidence
from llm_incident_manager.domain.audit_chain import GENESIS, AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.compliance import Period, Reference
from llm_incident_manager.domain.evidence import Case, Sent, SystemRecords, Value
from llm_incident_manager.domain.incident import Incident, Resolution, ResolutionMethod
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.relations import Attachment
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import DAY, HOUR, MINUTE, Instant
from llm_incident_manager.domain.timeline import TimelineEntry, TimelineKind
from tests.support.access_builders import a_key
from tests.support.builders import NOW, TENANT, make_entry, make_id, make_incident

LATER = Instant(NOW + 61 * DAY)
"""When all that could be asked for is due."""
PERIOD = Period(Instant(NOW - HOUR), Instant(NOW + 2 * HOUR))
TITLES = ("authority notice", "data subject notice", "individual notice", "hhs notice")
SETTINGS = {
    "identity.required": "true",
    "tls.clients": "on",
    "redaction.personal": "true",
    "retention.incidents_days": "365",
    "retention.audit_days": "0",
    "storage.durable": "true",
    "notifications.channels": "1",
}


def make_resolved() -> Incident:
    """An incident that all frameworks look at, resolved in time."""
    return make_incident(
        severity=Severity.P1,
        state=State.RESOLVED,
        labels={"gdpr": "", "phi": "", "pci": ""},
        users_affected=600,
        acknowledged_at=_at(2),
        resolved_at=_at(30),
        resolution=Resolution("ann", ResolutionMethod.MANUAL, "", "a template without a filter", _at(30)),
    )


def make_timeline(incident: Incident) -> list[TimelineEntry]:
    """How it was handled."""

    def moved(state: State, minutes: int) -> TimelineEntry:
        details = {"from": "", "to": str(state)}
        return make_entry(
            incident, at=_at(minutes), kind=TimelineKind.STATE, actor="ann", text="Moved", details=details
        )

    routed = make_entry(incident, at=_at(1), kind=TimelineKind.ROUTED, text="Told to webhook", details={})
    return [make_entry(incident), routed, moved(State.ACKNOWLEDGED, 2), moved(State.RESOLVED, 30)]


def make_attachments(incident: Incident) -> list[Attachment]:
    """The notices that were given."""
    return [
        Attachment(make_id(), TENANT, incident.id, "https://example.com/notice", title.upper(), "", "ann", _at(40))
        for title in TITLES
    ]


def make_case() -> Case:
    """An incident with all its records."""
    incident = make_resolved()
    sent = [Sent(make_id(), "webhook", "opened", _at(1))]
    return Case(incident, make_timeline(incident), sent, make_attachments(incident))


def make_values(**changed: str) -> dict[str, Value]:
    """How a server is set up that all frameworks are content with."""
    known = settings.values(Settings(), signing=True)
    assert SETTINGS.keys() <= known.keys()
    return {name: Value({**SETTINGS, **changed}.get(name, value.value), value.meaning) for name, value in known.items()}


def make_system() -> SystemRecords:
    """What was recorded about the server and the tenant."""
    record = AuditRow(TENANT, "run/1", 7, _at(40), "ann", "incident.attach", "incident/1", "{}", GENESIS, GENESIS)
    made = Checkpoint(TENANT, 3, _at(41), 7, (), (), GENESIS, GENESIS, "key", b"")
    return SystemRecords(make_values(), record, made, signed=True, keys=[a_key(last_used_at=NOW)])


def without(case: Case, system: SystemRecords, gone: Reference) -> tuple[Case, SystemRecords]:
    """The same without one piece of evidence, and all else as it was."""
    kind, rest = evidence.unnamed(gone.id)
    id_ = rest.rpartition(".")[2]
    match kind:
        case "timeline":
            case = replace(case, timeline=[each for each in case.timeline if each.id != id_])
        case "delivery":
            case = replace(case, sent=[each for each in case.sent if each.id != id_])
        case "attachment":
            case = replace(case, attachments=[each for each in case.attachments if each.id != id_])
        case "incident":
            assert case.incident.resolution is not None
            resolution = replace(case.incident.resolution, root_cause=" ")
            case = replace(case, incident=replace(case.incident, resolution=resolution))
        case "setting":
            system = replace(system, settings={key: value for key, value in system.settings.items() if key != rest})
        case "audit":
            system = replace(system, last_record=None)
        case "checkpoint":
            system = replace(system, checkpoint=None)
        case "api_key":
            system = replace(system, keys=[a_key(created_at=Instant(NOW - 100 * DAY), last_used_at=None)])
        case _:
            raise LookupError(f"{gone.id} is no evidence of something")
    return case, system


def _at(minutes: int) -> Instant:
    return Instant(NOW + minutes * MINUTE)
