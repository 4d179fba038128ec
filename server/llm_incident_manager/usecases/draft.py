"""The incident that a person opens by hand, judged by the same rules as one that an event opens."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_incident_manager.domain import fingerprint
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.rules import RulePack
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.engines import triage
from llm_incident_manager.usecases.caller import Caller


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says of a new incident; empty means "not said"."""

    source: str
    title: str
    description: str = ""
    severity: Severity | None = None
    incident_type: IncidentType | None = None
    kind: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    provider: str = ""
    dedup_key: str = ""
    assignees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Birth:
    """What a new incident gets from the system: its names, its time, its trace."""

    id: IncidentId
    number: str
    now: Instant
    traceparent: str


def incident(report: Report, caller: Caller, birth: Birth, rules: RulePack) -> Incident:
    """The incident. A severity that was said counts as it is; otherwise the rules decide."""
    now = birth.now
    event = Event(
        report.source,
        report.title,
        now,
        kind=report.kind,
        incident_type=report.incident_type,
        dedup_key=report.dedup_key,
        service=report.service,
        provider=report.provider,
    )
    judged = triage.decide(event, rules)
    return Incident(
        id=birth.id,
        tenant=caller.tenant,
        number=birth.number,
        state=State.NEW,
        severity=judged.severity if report.severity is None else report.severity,
        incident_type=judged.incident_type,
        kind=judged.kind,
        source=report.source,
        title=report.title,
        description=report.description,
        fingerprint=fingerprint.compute(event),
        created_at=now,
        updated_at=now,
        first_seen=now,
        last_seen=now,
        labels=report.labels,
        service=report.service,
        provider=report.provider,
        assignees=report.assignees,
        traceparent=birth.traceparent,
    )
