"""What is promised for each severity."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from llm_incident_manager.config.problems import Problem, shown
from llm_incident_manager.config.values import Section
from llm_incident_manager.domain.severity import Severity, normalise
from llm_incident_manager.domain.sla import TARGETS, Target, Targets
from llm_incident_manager.domain.time import SECOND

Promised = Annotated[float, Field(ge=0, le=366 * 86_400)]


class Sla(Section):
    """Time from the opening within which incidents are acknowledged and resolved; a breach is told and recorded."""

    acknowledge_secs: Mapping[str, Promised] = Field(default_factory=dict)
    """By severity; others keep 300 (P0), 900, 3600 and 14400 (P3). 0 promises nothing, as it is with P4."""
    resolve_secs: Mapping[str, Promised] = Field(default_factory=dict)
    """By severity; others keep 900 (P0), 3600, 14400, 86400 and 259200 (P4)."""

    def targets(self) -> Targets:
        """What holds for each severity."""
        acknowledge, resolve = _by_severity(self.acknowledge_secs), _by_severity(self.resolve_secs)
        return {
            severity: Target(
                (acknowledge[severity] or None) if severity in acknowledge else usual.acknowledge,
                resolve.get(severity, usual.resolve),
            )
            for severity, usual in TARGETS.items()
        }


def conflicts(sla: Sla) -> Iterator[Problem]:
    """Severities that nobody knows or that are named twice, and promises that contradict each other."""
    wrong = False
    for key, given in (("acknowledge_secs", sla.acknowledge_secs), ("resolve_secs", sla.resolve_secs)):
        for word, seconds in given.items():
            if normalise(word) is None:
                wrong = True
                yield Problem(f"sla.{key}.{word}", shown(seconds), "", "give P0 to P4, or critical, high and so on")
        if len({normalise(word) for word in given}) < len(given):
            wrong = True
            yield Problem(f"sla.{key}", shown(dict(given)), "", "two of the words mean one severity: leave one out")
    for severity, target in () if wrong else sla.targets().items():
        if target.resolve < max(1, target.acknowledge or 0):
            remedy = "give more than 0, and at least what sla.acknowledge_secs promises for the same severity"
            yield Problem(f"sla.resolve_secs.{severity.name}", f"{target.resolve / SECOND:g}", "", remedy)


def _by_severity(given: Mapping[str, float]) -> Mapping[Severity, int]:
    named = {normalise(word): int(seconds * SECOND) for word, seconds in given.items()}
    return {severity: micros for severity, micros in named.items() if severity is not None}
