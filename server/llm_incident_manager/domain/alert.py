"""An alert in a monitoring system's words, and what its sender is told. Inside, an alert is an event."""

from collections.abc import Mapping
from typing import NamedTuple

from llm_incident_manager.domain.event import NOTHING
from llm_incident_manager.domain.ids import EventId, IncidentId
from llm_incident_manager.domain.severity import IncidentType, Severity


class Alert(NamedTuple):
    """One alert. `external_id` names it for its source: the same one again is a duplicate. `severity` is P0 to P4 or
    any word producers use; `alert_type` an incident type or, as text, an LLM kind. The rules decide what is not given.
    """

    external_id: str
    source: str
    title: str
    description: str = ""
    severity: Severity | str = ""
    alert_type: IncidentType | str = ""
    labels: Mapping[str, str] = NOTHING
    affected_services: tuple[str, ...] = ()
    runbook_url: str = ""
    annotations: Mapping[str, str] = NOTHING


class AlertAck(NamedTuple):
    """What became of an alert, after its commit. `status` is "accepted", "duplicate" or "suppressed"; `incident_id` is
    the incident it opened or joined, None when it was suppressed."""

    alert_id: EventId
    incident_id: IncidentId | None
    status: str
    message: str
