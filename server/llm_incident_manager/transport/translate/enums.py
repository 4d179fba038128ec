"""Enums of the contract to those of the domain: equal names behind the prefix."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from incidentmanager.v1 import event_pb2, incident_pb2, severity_pb2

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.incident import ResolutionMethod
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.timeline import ChangeKind, TimelineKind

E = TypeVar("E", bound=Enum)


def _numbers(values: type[E], wrapper: Any, prefix: str) -> Mapping[E, int]:
    return {value: wrapper.Value(f"{prefix}_{value.name}") for value in values}


def _values(numbers: Mapping[E, int]) -> Mapping[int, E]:
    return {number: value for value, number in numbers.items()}


SEVERITY_OUT = _numbers(Severity, severity_pb2.Severity, "SEVERITY")
TYPE_OUT = _numbers(IncidentType, severity_pb2.IncidentType, "INCIDENT_TYPE")
STATE_OUT = _numbers(State, incident_pb2.IncidentState, "INCIDENT_STATE")
METHOD_OUT = _numbers(ResolutionMethod, incident_pb2.ResolutionMethod, "RESOLUTION_METHOD")
CHANGE_OUT = _numbers(ChangeKind, incident_pb2.ChangeKind, "CHANGE_KIND")
TIMELINE_OUT = _numbers(TimelineKind, incident_pb2.TimelineKind, "TIMELINE_KIND")
DISPOSITION_OUT = _numbers(Disposition, event_pb2.Disposition, "DISPOSITION")
ACTION_OUT = _numbers(Action, event_pb2.Action, "ACTION")

SEVERITY_IN = _values(SEVERITY_OUT)
TYPE_IN: Mapping[int, IncidentType | None] = {0: None, **_values(TYPE_OUT)}
METHOD_IN = _values(METHOD_OUT)
ACTION_IN = {0: Action.TRIGGER, **_values(ACTION_OUT)}
"""UNSPECIFIED means what its comment in the contract says."""
