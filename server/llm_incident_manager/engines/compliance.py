"""What records show for the controls of a framework. Incidents come one by one, the rest at the end; what has no
evidence has failed, and says so. Nothing is taken for granted, and nothing is read here."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from llm_incident_manager.domain import evidence, filter_match, showing, time
from llm_incident_manager.domain.compliance import (
    Control,
    Finding,
    Framework,
    Line,
    Period,
    Reference,
    Report,
    Requirement,
    Status,
)
from llm_incident_manager.domain.evidence import Case, SystemRecords
from llm_incident_manager.domain.showing import Judged, Missing, Pending, Shown, Untold
from llm_incident_manager.domain.sla import Targets
from llm_incident_manager.domain.time import DAY, Instant

MOST_LISTED = 100
"""References and findings of a line that are told; all are counted."""

KEPT = "retention.incidents_days"
"""The setting that tells how long incidents are kept after their end; 0 for ever."""


@dataclass(slots=True)
class _Tally:
    """What has been seen for one requirement."""

    control: Control
    requirement: Requirement
    applicable: int = 0
    failed: int = 0
    pending: int = 0
    due: Instant | None = None
    evidence_count: int = 0
    evidence: list[Reference] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def show(self, references: tuple[Reference, ...]) -> None:
        self.evidence_count += len(references)
        self.evidence.extend(references[: MOST_LISTED - len(self.evidence)])

    def miss(self, finding: Finding) -> None:
        self.failed += 1
        if len(self.findings) < MOST_LISTED:
            self.findings.append(finding)

    def lack(self, missing: Missing) -> None:
        """Something that all rests on is missing: that is told first."""
        self.applicable += 1
        self.failed += 1
        self.evidence_count += len(missing.references)
        self.evidence = [*missing.references, *self.evidence][:MOST_LISTED]
        self.findings = [Finding(None, "", missing.reason), *self.findings][:MOST_LISTED]

    def wait(self, until: Instant) -> None:
        self.pending += 1
        self.due = until if self.due is None else min(self.due, until)


class Examination:
    """One framework under examination: first incidents, in order of their ids, then `finish`."""

    def __init__(self, framework: Framework, period: Period, targets: Targets, now: Instant) -> None:
        """`targets` are what is promised; what is not due at `now` is not missing yet."""
        self._framework = framework
        self._period = period
        self._targets = targets
        self._now = now
        self._tallies = [_Tally(control, each) for control in framework.controls for each in control.requirements]
        self._incidents = 0

    def look(self, case: Case) -> None:
        """Takes an incident into account. One that was merged into another one does not count."""
        if case.incident.merged_into is not None:
            return
        asked = False
        for tally in self._tallies:
            wanted = tally.requirement.applies_to
            if wanted is not None and filter_match.matches(wanted, case.incident):
                asked = True
                self._judge(tally, case)
        self._incidents += asked

    def finish(self, system: SystemRecords) -> Report:
        """The report."""
        gone = self._gone(system)
        for tally in self._tallies:
            if tally.requirement.applies_to is None:
                self._judge_system(tally, system)
            elif gone is not None:
                tally.lack(gone)
        lines = [self._line(tally) for tally in self._tallies]
        return Report(self._framework, self._period, self._incidents, lines)

    def _gone(self, system: SystemRecords) -> Missing | None:
        """That nobody knows what incidents there were, where they are deleted sooner than the period is long ago."""
        kept = system.settings.get(KEPT)
        days = 0 if kept is None or not kept.value.isdecimal() else int(kept.value)
        if kept is None or not days or self._period.start >= self._now - days * DAY:
            return None
        reason = f"no evidence of all incidents: the period begins over {days} days ago, and {KEPT} is {days}"
        return Missing(reason, (evidence.of_setting(KEPT, kept),))

    def _judge(self, tally: _Tally, case: Case) -> None:
        tests = tally.requirement.any_of
        incident = case.incident
        match _any(showing.of_incident(test, case, self._targets, self._now) for test in tests):
            case Pending(until):
                tally.wait(until)
                tally.show((evidence.of_incident(incident, f"is not due before {time.rfc3339(until)}"),))
            case Untold(reason):
                tally.show((evidence.of_incident(incident, reason),))
            case Shown(references):
                tally.applicable += 1
                tally.show(references)
            case Missing(reason, references):
                tally.applicable += 1
                tally.miss(Finding(incident.id, incident.number, reason))
                tally.show(references or (evidence.of_incident(incident, reason),))

    def _judge_system(self, tally: _Tally, system: SystemRecords) -> None:
        match _any(showing.of_system(test, system, self._now) for test in tally.requirement.any_of):
            case Untold(reason):
                tally.show((self._itself(tally, reason),))
            case Pending(until):
                tally.wait(until)
                tally.show((self._itself(tally, f"is not due before {time.rfc3339(until)}"),))
            case Shown(references):
                tally.applicable += 1
                tally.show(references)
            case Missing(reason, references):
                tally.applicable += 1
                tally.miss(Finding(None, "", reason))
                tally.show(references or (self._itself(tally, reason),))

    def _line(self, tally: _Tally) -> Line:
        if not tally.evidence:
            wanted = tally.requirement.applies_to
            what = "" if wanted is None else f": {wanted.text}"
            tally.show((self._itself(tally, f"no incident of the period matches{what}"),))
        status = Status.FAILED if tally.failed else Status.PASSED if tally.applicable else Status.NOT_APPLICABLE
        return Line(
            tally.control,
            tally.requirement,
            status,
            _reason(tally, status),
            tally.applicable,
            tally.failed,
            tally.pending,
            tuple(tally.evidence),
            tally.evidence_count,
            tuple(tally.findings),
        )

    def _itself(self, tally: _Tally, says: str) -> Reference:
        return evidence.of_requirement(self._framework.id, tally.control.id, tally.requirement.id, says)


def _reason(tally: _Tally, status: Status) -> str:
    waiting = f"; {tally.pending} not due yet" if tally.pending else ""
    of_incidents = tally.requirement.applies_to is not None
    if status is Status.FAILED:
        first = tally.findings[0]
        if first.incident is None:
            others = tally.failed - 1
            return first.reason + (f"; {others} of {tally.applicable - 1} incidents fail" if others else "")
        return f"{tally.failed} of {tally.applicable} incidents fail, first {first.number}: {first.reason}{waiting}"
    if status is Status.PASSED:
        return f"shown for all of {tally.applicable} incidents{waiting}" if of_incidents else tally.evidence[0].summary
    if tally.due is not None:
        return f"nothing is due yet: {tally.pending} from {time.rfc3339(tally.due)} on"
    return tally.evidence[0].summary


def _any(found: Iterator[Judged]) -> Judged:
    """The first evidence there is; otherwise that it is not due, otherwise what is missing of the first."""
    judged: list[Judged] = []
    for each in found:
        if isinstance(each, Shown):
            return each
        judged.append(each)
    waiting = next((each for each in judged if isinstance(each, Pending)), None)
    return waiting if waiting is not None else judged[0]
