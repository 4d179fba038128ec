"""What is told and kept about a change: timeline entries for people, audit records for proof, changes for watchers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from llm_incident_manager.domain.event import NOTHING
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.time import Instant


class TimelineKind(StrEnum):
    """What a timeline entry tells."""

    OPENED = "OPENED"
    STATE = "STATE"
    SEVERITY = "SEVERITY"
    RECURRED = "RECURRED"
    ASSIGNED = "ASSIGNED"
    NOTE = "NOTE"
    UPDATED = "UPDATED"
    ROUTED = "ROUTED"
    NOTIFIED = "NOTIFIED"
    MERGED = "MERGED"
    UNMERGED = "UNMERGED"
    SPLIT = "SPLIT"
    LINKED = "LINKED"
    ATTACHMENT = "ATTACHMENT"
    DEAD_LETTER = "DEAD_LETTER"
    SNOOZED = "SNOOZED"
    SLA_BREACHED = "SLA_BREACHED"
    ANALYSIS = "ANALYSIS"
    DIRECTIVE = "DIRECTIVE"


class ChangeKind(StrEnum):
    """What a change was, as watchers see it."""

    SNAPSHOT = "SNAPSHOT"
    OPENED = "OPENED"
    STATE = "STATE"
    SEVERITY = "SEVERITY"
    RECURRED = "RECURRED"
    UPDATED = "UPDATED"
    NOTE = "NOTE"


class TimelineEntry(NamedTuple):
    """One thing that happened to an incident. `id` is time-ordered; details are names and short values."""

    id: str
    tenant: TenantId
    incident_id: IncidentId
    at: Instant
    kind: TimelineKind
    actor: str
    text: str
    details: Mapping[str, str] = NOTHING


class Proof(NamedTuple):
    """How it is known who acted: "mtls", "api_key", "jwt", "anonymous", or "system" for the system itself; with which
    credential, which is no secret; and from which address."""

    proven_by: str = "system"
    credential: str = ""
    source: str = ""


BY_SYSTEM = Proof()


class AuditRecord(NamedTuple):
    """Who did what to what, and the fields that changed, as they were and as they are. The store chains records per
    tenant and writer by their hashes. `actor` is who was proven; whom they acted as stands in the details (`as`)."""

    tenant: TenantId
    at: Instant
    actor: str
    action: str
    resource: str
    details: Mapping[str, str] = NOTHING
    before: Mapping[str, str] = NOTHING
    after: Mapping[str, str] = NOTHING
    proof: Proof = BY_SYSTEM

    def by(self, subject: str, proof: Proof) -> "AuditRecord":
        """The record of what somebody did who is now known."""
        details = self.details if self.actor == subject else {**self.details, "as": self.actor}
        return self._replace(actor=subject, details=details, proof=proof)
