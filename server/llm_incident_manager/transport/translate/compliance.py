"""Frameworks, compliance reports and evidence to protobuf."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from incidentmanager.v1 import compliance_pb2, governance_service_pb2

from llm_incident_manager.domain import compliance
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.compliance import Control, Framework, Gravity, Line, Reference, Report, Status
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.relations import Attachment
from llm_incident_manager.domain.timeline import TimelineEntry
from llm_incident_manager.ports.changes import DeliveryRow
from llm_incident_manager.transport.translate import access, audit, incidents, relations, times
from llm_incident_manager.transport.translate.incidents import AsOf
from llm_incident_manager.usecases.evidence import NamedSetting, Record

pb = compliance_pb2
service = governance_service_pb2

_STATUS = {
    Status.PASSED: pb.COMPLIANCE_STATUS_PASSED,
    Status.FAILED: pb.COMPLIANCE_STATUS_FAILED,
    Status.NOT_APPLICABLE: pb.COMPLIANCE_STATUS_NOT_APPLICABLE,
}


def framework(given: Framework) -> pb.ComplianceFramework:
    """A framework with its controls."""
    return pb.ComplianceFramework(
        id=given.id,
        display_name=given.name,
        edition=given.edition,
        version=given.version,
        effective_date=given.effective_date,
        notice=given.notice,
        controls=[control(each) for each in given.controls],
    )


def control(given: Control) -> pb.ComplianceControl:
    """A control with its requirements."""
    return pb.ComplianceControl(
        id=given.id,
        title=given.title,
        source=given.source,
        text=given.text,
        gravity=_gravity(given.gravity),
        requirements=[_requirement(each) for each in given.requirements],
    )


def report(given: Report) -> pb.ComplianceReport:
    """A report with all its lines."""
    of, period = given.framework, given.period
    return pb.ComplianceReport(
        framework=of.id,
        display_name=of.name,
        edition=of.edition,
        version=of.version,
        notice=of.notice,
        start_time=times.timestamp(period.start),
        end_time=times.timestamp(period.end),
        filter=period.filter,
        incident_count=given.incidents,
        status=_STATUS[given.status],
        passed_count=given.count(Status.PASSED),
        failed_count=given.count(Status.FAILED),
        not_applicable_count=given.count(Status.NOT_APPLICABLE),
        lines=[_line(each) for each in given.lines],
    )


def figures(given: Report) -> service.FrameworkFigures:
    """How many lines passed and failed."""
    failed = [line.control.gravity for line in given.lines if line.status is Status.FAILED]
    return service.FrameworkFigures(
        framework=given.framework.id,
        status=_STATUS[given.status],
        total_checks=len(given.lines),
        passed_checks=given.count(Status.PASSED),
        failed_checks=len(failed),
        not_applicable_checks=given.count(Status.NOT_APPLICABLE),
        compliance_rate=given.rate,
        violations_by_gravity={each.name.lower(): failed.count(each) for each in Gravity if each in failed},
    )


def evidence(id_: str, record: Record, as_of: AsOf) -> service.Evidence:
    """A record under the name that reports give it."""
    field, made = next((field, made) for kind, field, made in _RECORDS if isinstance(record, kind))
    found = service.Evidence(id=id_)
    getattr(found, field).CopyFrom(made(record, as_of))
    return found


def _requirement(given: compliance.Requirement) -> pb.ComplianceRequirement:
    return pb.ComplianceRequirement(
        id=given.id,
        applies_to="" if given.applies_to is None else given.applies_to.text,
        evidence=given.evidence,
        remedy=given.remedy,
    )


def _line(given: Line) -> pb.ComplianceLine:
    failed = given.status is Status.FAILED
    return pb.ComplianceLine(
        control_id=given.control.id,
        requirement_id=given.requirement.id,
        title=given.control.title,
        source=given.control.source,
        gravity=_gravity(given.control.gravity),
        status=_STATUS[given.status],
        reason=given.reason,
        remedy=given.requirement.remedy if failed else "",
        applicable_count=given.applicable,
        failed_count=given.failed,
        pending_count=given.pending,
        evidence=[_reference(each) for each in given.evidence],
        evidence_count=given.evidence_count,
        findings=[
            pb.ComplianceFinding(incident_id=each.incident or "", incident_number=each.number, reason=each.reason)
            for each in given.findings
        ],
    )


def _reference(given: Reference) -> pb.EvidenceReference:
    return pb.EvidenceReference(id=given.id, summary=given.summary, time=times.maybe_timestamp(given.at))


def _delivery(given: DeliveryRow) -> service.DeliveryEvidence:
    return service.DeliveryEvidence(
        id=given.id,
        incident_id=given.incident_id,
        channel=given.channel,
        route=given.route,
        reason=given.reason,
        state=given.state,
        attempts=given.attempts,
        error=given.error,
        create_time=times.timestamp(given.created_at),
        update_time=times.timestamp(given.updated_at),
    )


def _gravity(given: Gravity) -> Any:
    return int(given)  # equal numbers in the contract


def _setting(given: NamedSetting) -> service.SettingEvidence:
    return service.SettingEvidence(key=given.key, value=given.value.value, meaning=given.value.meaning)


_RECORDS: tuple[tuple[type, str, Callable[[Any, AsOf], Message]], ...] = (
    (Incident, "incident", incidents.incident),
    (TimelineEntry, "timeline_entry", lambda entry, _: incidents.entry(entry)),
    (DeliveryRow, "delivery", lambda row, _: _delivery(row)),
    (Attachment, "attachment", lambda attachment, _: relations.attachment(attachment)),
    (AuditRow, "audit_record", lambda row, _: audit.record(row)),
    (Checkpoint, "audit_checkpoint", lambda checkpoint, _: audit.checkpoint(checkpoint)),
    (ApiKey, "api_key", lambda key, as_of: access.api_key(key, as_of.now)),
    (NamedSetting, "setting", lambda setting, _: _setting(setting)),
    (Control, "control", lambda given, _: control(given)),
)
"""What each kind of record is called in the contract, and how it is made."""
