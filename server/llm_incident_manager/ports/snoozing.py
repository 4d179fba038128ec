"""The rows of a snooze: the incident's field, its timer, and what the timeline tells."""

from dataclasses import replace

from llm_incident_manager.domain import changed_fields, snoozing, time
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.snoozing import Ending
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.ports import told
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.timers import TimerKey, TimerRow
from llm_incident_manager.ports.told import Happening

KEY = "snooze"
"""The name of the timer: one incident has one snooze."""


def begin(changes: Changes, ids: Ids, incident: Incident, until: Instant, actor: str, now: Instant) -> Incident:
    """Snoozes the incident, anew if it was snoozed before; returns it as it is then."""
    snoozed = incident.changed(now, snoozed_until=until)
    details = {"verb": "snooze", "until": time.rfc3339(until)}
    if incident.snoozed_until is not None:
        details["from"] = time.rfc3339(incident.snoozed_until)
    text = f"Snoozed until {details['until']} by {actor}"
    differing = changed_fields.between(incident, snoozed)
    told.tell(changes, ids, snoozed, Happening(TimelineKind.SNOOZED, actor, text, details, *differing), now)
    changes.timers.append(TimerRow(incident.id, KEY, incident.tenant, TimerKind.SNOOZE, until, now))
    changes.changed.append(snoozed)
    return snoozed


def settled(changes: Changes, ids: Ids, before: Incident, after: Incident, actor: str, now: Instant) -> Incident:
    """The incident after a change, awake if that ended its snooze; the timer goes with it."""
    ending = snoozing.ending(before, after)
    if ending is None:
        return after
    awake = replace(after, snoozed_until=None)
    details = {"verb": "wake", "reason": ending}
    text = f"Snooze ended before its time: {ending.replace('_', ' ')}"
    differing = changed_fields.between(after, awake)
    told.tell(changes, ids, awake, Happening(TimelineKind.SNOOZED, actor, text, details, *differing), now)
    changes.timers_removed.append(TimerKey(after.id, KEY))
    return awake


def over(changes: Changes, ids: Ids, incident: Incident, actor: str, late_by: int, now: Instant) -> Incident:
    """The incident when its time has come. `late_by` (microseconds) is told unless it is 0."""
    awake = incident.changed(now, snoozed_until=None)
    details = {"verb": "wake", "reason": Ending.TIME}
    text = "Snooze is over"
    if late_by:
        details["late_by"] = f"{late_by / time.SECOND:.3f}s"
        text += f", told {details['late_by']} late"
    differing = changed_fields.between(incident, awake)
    told.tell(changes, ids, awake, Happening(TimelineKind.SNOOZED, actor, text, details, *differing), now)
    changes.changed.append(awake)
    return awake
