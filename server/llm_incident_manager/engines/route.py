"""Decides who is told about an incident, and why nobody is. One default route now; policies come later."""

from dataclasses import dataclass

from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import NotifyReason, Route
from llm_incident_manager.domain.time import Instant


@dataclass(frozen=True, slots=True)
class Tell:
    """These channels are told."""

    route: str
    channels: tuple[str, ...]
    reason: NotifyReason


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nobody is told."""

    route: str
    reason: NotifyReason


def decide(incident: Incident, reason: NotifyReason, route: Route, now: Instant) -> Tell | Quiet:
    """What the route does with a material change of the incident. Historical incidents never notify; of one that was
    merged into another, people are told that and nothing else; of one that is snoozed, when that is over."""
    if incident.merged_into is not None and reason is not NotifyReason.MERGED:
        return Quiet(route.name, NotifyReason.MERGED)
    if incident.historical:
        return Quiet(route.name, NotifyReason.HISTORICAL)
    if incident.is_snoozed(now):
        return Quiet(route.name, NotifyReason.SNOOZED)
    if incident.severity > route.min_severity:
        return Quiet(route.name, NotifyReason.BELOW_MIN_SEVERITY)
    if not route.channels:
        return Quiet(route.name, NotifyReason.NO_CHANNEL)
    return Tell(route.name, route.channels, reason)
