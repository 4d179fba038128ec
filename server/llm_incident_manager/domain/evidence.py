"""The names of records that are evidence, and what was recorded as far as reports look at it. Reads nothing."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from llm_incident_manager.domain import time
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.compliance import Framework, Reference
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.relations import Attachment
from llm_incident_manager.domain.sla import Targets
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineEntry

INCIDENT = "incident"
TIMELINE = "timeline"
DELIVERY = "delivery"
ATTACHMENT = "attachment"
AUDIT = "audit"
CHECKPOINT = "checkpoint"
API_KEY = "api_key"
SETTING = "setting"
REQUIREMENT = "requirement"


class Value(NamedTuple):
    """What a setting is, and what that means, in a sentence."""

    value: str
    meaning: str


class Sent(NamedTuple):
    """A notification that reached its channel."""

    id: str
    channel: str
    reason: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Case:
    """An incident and what was recorded about it, each kind oldest first."""

    incident: Incident
    timeline: Sequence[TimelineEntry] = ()
    sent: Sequence[Sent] = ()
    attachments: Sequence[Attachment] = ()


@dataclass(frozen=True, slots=True)
class SystemRecords:
    """What was recorded about the server and the tenant. `last_record` is the newest of the audit in the period;
    `checkpoint` the first that is not older, or the last there is, `signed` whether its signature is right (None: the
    key is not known here); `keys` are the API keys that count."""

    settings: Mapping[str, Value]
    last_record: AuditRow | None = None
    checkpoint: Checkpoint | None = None
    signed: bool | None = None
    keys: Sequence[ApiKey] = ()


@dataclass(frozen=True, slots=True)
class Basis:
    """What reports go by beside the records: the frameworks, how the server is set up, what is promised, and the names
    of `silent` channels, which reach nobody, so that what they were told is no evidence of anything."""

    frameworks: Sequence[Framework]
    settings: Mapping[str, Value]
    targets: Targets
    silent: AbstractSet[str] = frozenset()


def named(*parts: str) -> str:
    """The name of a record: its kind, then what names it among those, without a slash, as it stands in paths."""
    return ".".join(parts).replace("/", "~")


def unnamed(name: str) -> tuple[str, str]:
    """A record's kind, and what names it among those."""
    kind, _, rest = name.replace("~", "/").partition(".")
    return kind, rest


def of_incident(incident: Incident, says: str) -> Reference:
    """The incident itself."""
    return Reference(named(INCIDENT, incident.id), f"{incident.number}: {says}", incident.created_at)


def of_entry(incident: Incident, entry: TimelineEntry) -> Reference:
    """An entry of its timeline."""
    summary = f"{incident.number}: {entry.text} ({entry.actor})"
    return Reference(named(TIMELINE, incident.id, entry.id), summary, entry.at)


def of_sent(incident: Incident, sent: Sent) -> Reference:
    """A notification."""
    summary = f"{incident.number}: {sent.reason} was told to {sent.channel}"
    return Reference(named(DELIVERY, incident.id, sent.id), summary, sent.at)


def of_attachment(incident: Incident, attachment: Attachment) -> Reference:
    """A link to material elsewhere."""
    summary = f"{incident.number}: {attachment.title!r} was attached by {attachment.actor}"
    return Reference(named(ATTACHMENT, incident.id, attachment.id), summary, attachment.at)


def of_record(row: AuditRow) -> Reference:
    """A record of the audit."""
    return Reference(named(AUDIT, row.writer, str(row.sequence)), f"{row.action} by {row.actor}", row.at)


def of_checkpoint(checkpoint: Checkpoint) -> Reference:
    """A checkpoint of the audit."""
    summary = f"checkpoint {checkpoint.number} over {checkpoint.records} records, signed with {checkpoint.key_id}"
    return Reference(named(CHECKPOINT, str(checkpoint.number)), summary, checkpoint.at)


def of_key(key: ApiKey) -> Reference:
    """An API key, by its last use."""
    used = "never used" if key.last_used_at is None else f"last used {time.rfc3339(key.last_used_at)}"
    return Reference(named(API_KEY, key.id), f"{key.display_name or key.subject}: {used}", key.last_used_at)


def of_setting(key: str, value: Value) -> Reference:
    """A setting."""
    return Reference(named(SETTING, key), f"{key} is {value.value}: {value.meaning}")


def of_requirement(framework: str, control: str, requirement: str, says: str) -> Reference:
    """What a requirement applies to, as the evidence that this is nothing."""
    return Reference(named(REQUIREMENT, framework, control, requirement), says)
