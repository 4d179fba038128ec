"""What people made of what a detector reported: changes of incidents read as verdicts. Decides; asks nobody."""

from dataclasses import dataclass
from enum import StrEnum

from llm_incident_client import pb

LABEL = "verdict"
"""The label of an incident by which people say it outright: `verdict=false_positive`."""


class Verdict(StrEnum):
    """What became of a report."""

    TAKEN = "taken"
    """Somebody has taken it: it was worth looking at."""
    RATED = "rated"
    """Its severity is another one now."""
    CONFIRMED = "confirmed"
    """A person has ended it, and did not call it a false positive."""
    FALSE_POSITIVE = "false_positive"
    """It was no problem: the incident's label `verdict`, or its root cause, says so."""
    RECOVERED = "recovered"
    """It ended by itself: by an event of its source, or by a playbook."""
    MERGED = "merged"
    """It is part of another incident."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One verdict. A later one about the same incident replaces it; the same one may come twice."""

    verdict: Verdict
    incident: pb.Incident
    """The incident as it is now: kind, model, severity, resolution and so on."""
    resume_token: str
    """Give it back to go on behind this verdict, also after a restart."""

    @property
    def resolution(self) -> pb.Resolution:
        """Who ended it, how, what was done and what had caused it; empty while it is open."""
        return self.incident.resolution


_IN_WORDS = {"false_positive", "falsepositive", "false_alarm", "no_problem"}
_SAID = {verdict.value: verdict for verdict in (Verdict.CONFIRMED, Verdict.FALSE_POSITIVE)}


def judge(change: pb.IncidentChange) -> Feedback | None:
    """The verdict that a change of an incident holds, if it holds any."""
    verdict = _verdict(change.kind, change.incident)
    return None if verdict is None else Feedback(verdict, change.incident, change.resume_token)


def _verdict(kind: pb.ChangeKind.ValueType, incident: pb.Incident) -> Verdict | None:
    if kind == pb.ChangeKind.CHANGE_KIND_SEVERITY:
        return Verdict.RATED
    if kind not in (pb.ChangeKind.CHANGE_KIND_STATE, pb.ChangeKind.CHANGE_KIND_UPDATED):
        return None
    if incident.merged_into:
        return Verdict.MERGED
    return _shown(incident) if kind == pb.ChangeKind.CHANGE_KIND_STATE else _said(incident)


def _said(incident: pb.Incident) -> Verdict | None:
    """What the label says outright."""
    return _SAID.get(_word(incident.labels[LABEL])) if LABEL in incident.labels else None


def _shown(incident: pb.Incident) -> Verdict | None:
    """What can be told from what was done."""
    if incident.state == pb.IncidentState.INCIDENT_STATE_ACKNOWLEDGED:
        return Verdict.TAKEN
    return _ended(incident) if incident.HasField("resolution") else None


def _ended(incident: pb.Incident) -> Verdict:
    if (said := _said(incident)) is not None:
        return said
    if _word(incident.resolution.root_cause) in _IN_WORDS:
        return Verdict.FALSE_POSITIVE
    automated = incident.resolution.method == pb.ResolutionMethod.RESOLUTION_METHOD_AUTOMATED
    return Verdict.RECOVERED if automated else Verdict.CONFIRMED


def _word(text: str) -> str:
    return "_".join(text.lower().replace("-", " ").replace("_", " ").rstrip(".").split())
