"""How far a principal's condition reaches: which incidents and events are of its services and teams.

An incident's or event's service is its `service`, never one of `affected_services`; its team is its label `team`.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from llm_incident_manager.domain import filter_tree
from llm_incident_manager.domain.access import Condition
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.filter_fields import FIELDS
from llm_incident_manager.domain.filter_tree import And, Compare, Node, Op, Or, Path
from llm_incident_manager.domain.filters import Filter, both
from llm_incident_manager.domain.incident import Incident

TEAM = "team"
"""The label that names the team of an incident or event."""

RULE = "condition"


def narrowed(condition: Condition, wanted: Filter | None) -> Filter | None:
    """The filter, letting pass only what the condition covers as well."""
    if not condition.narrows:
        return wanted
    own = _filter(condition)
    return own if wanted is None else both(own, wanted)


def covers(condition: Condition, incident: Incident) -> bool:
    """Whether the incident is of the condition's services and teams."""
    return _covers(condition, incident.service, incident.labels)


def covers_event(condition: Condition, event: Event) -> bool:
    """Whether the event is."""
    return _covers(condition, event.service, event.labels)


def outside(condition: Condition, service: str, labels: Mapping[str, str]) -> Violation | None:
    """Why something new may not be of this service and with these labels; None when it may."""
    if condition.services and service not in condition.services:
        return _violation("service", service, condition.services)
    team = labels.get(TEAM, "")
    if condition.teams and team not in condition.teams:
        return _violation("labels.team", team, condition.teams)
    return None


def _covers(condition: Condition, service: str, labels: Mapping[str, str]) -> bool:
    return (not condition.services or service in condition.services) and (
        not condition.teams or labels.get(TEAM, "") in condition.teams
    )


def _violation(field: str, value: str, allowed: Iterable[str]) -> Violation:
    names = ", ".join(sorted(allowed))
    return Violation(field, f"{field}: {value!r} is not what this credential is for: use one of {names}", RULE)


@lru_cache(maxsize=1_024)
def _filter(condition: Condition) -> Filter:
    paths = ((Path(FIELDS["service"]), condition.services), (Path(FIELDS["labels"], TEAM), condition.teams))
    parts = [_any_of(path, values) for path, values in paths if values]
    tree = parts[0] if len(parts) == 1 else And(tuple(parts))
    return Filter(tree, filter_tree.text_of(tree))


def _any_of(path: Path, values: frozenset[str]) -> Node:
    wanted = [Compare(path, Op.EQ, value) for value in sorted(values)]
    return wanted[0] if len(wanted) == 1 else Or(tuple(wanted))
