"""The rows of what an incident's severity promises: its timer, and what the timeline tells when one is broken.

An incident has one timer for both promises, which is due when the next of them would be broken.
"""

from llm_incident_manager.domain import changed_fields, sla, time
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.sla import Broken, Promise, Targets
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.ports import told
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.timers import TimerRow
from llm_incident_manager.ports.told import Happening

KEY = "sla"
"""The name of the timer."""

_PAST = {Promise.ACKNOWLEDGE: "acknowledged", Promise.RESOLVE: "resolved"}


def watch(changes: Changes, incident: Incident, now: Instant, targets: Targets) -> None:
    """Sets the timer to the next deadline, earlier or later than it was; an incident without one gets none."""
    due = sla.first_deadline(incident, now, targets)
    if due is not None:
        wait(changes, incident, due, now)


def wait(changes: Changes, incident: Incident, due: Instant, now: Instant) -> None:
    """Sets the timer to a moment."""
    changes.timers.append(TimerRow(incident.id, KEY, incident.tenant, TimerKind.SLA, due, now))


def broke(changes: Changes, ids: Ids, incident: Incident, broken: Broken, actor: str, now: Instant) -> Incident:
    """Records a breach; returns the incident with it, which the caller writes."""
    promise, severity = broken.promise, incident.severity.name
    changed = incident.changed(now, **{f"{promise}_breached_at": now})
    details = {"promise": str(promise), "deadline": time.rfc3339(broken.deadline), "severity": severity}
    text = f"Not {_PAST[promise]} by {details['deadline']}, as promised for {severity}"
    if broken.late_by:
        details["late_by"] = f"{broken.late_by / time.SECOND:.3f}s"
        text += f"; recorded {details['late_by']} late"
    differing = changed_fields.between(incident, changed)
    told.tell(changes, ids, changed, Happening(TimelineKind.SLA_BREACHED, actor, text, details, *differing), now)
    return changed
