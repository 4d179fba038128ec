"""What a change of an incident says about the report that opened it."""

import pytest

from llm_incident_client import pb
from llm_incident_client.sentinel import Verdict
from llm_incident_client.sentinel.feedback import judge

Kind, State, Method = pb.ChangeKind, pb.IncidentState, pb.ResolutionMethod
MANUAL = pb.Resolution(method=Method.RESOLUTION_METHOD_MANUAL, resolved_by="ann@example.com")
AUTOMATED = pb.Resolution(method=Method.RESOLUTION_METHOD_AUTOMATED)


def change(kind: pb.ChangeKind.ValueType, **fields: object) -> pb.IncidentChange:
    return pb.IncidentChange(kind=kind, incident=pb.Incident(id="i", **fields), resume_token="t")  # type: ignore[arg-type]


STATE = Kind.CHANGE_KIND_STATE
RESOLVED = State.INCIDENT_STATE_RESOLVED
BLAMED = pb.Resolution(method=Method.RESOLUTION_METHOD_MANUAL, root_cause="False positive.")


@pytest.mark.parametrize(("given", "verdict"), [
    (change(STATE, state=State.INCIDENT_STATE_ACKNOWLEDGED), Verdict.TAKEN),
    (change(STATE, state=RESOLVED, resolution=MANUAL), Verdict.CONFIRMED),
    (change(STATE, state=RESOLVED, resolution=AUTOMATED), Verdict.RECOVERED),
    (change(STATE, state=RESOLVED, resolution=BLAMED), Verdict.FALSE_POSITIVE),
    (change(STATE, state=RESOLVED, resolution=MANUAL, labels={"verdict": "False-Positive"}), Verdict.FALSE_POSITIVE),
    (change(STATE, state=RESOLVED, resolution=AUTOMATED, labels={"verdict": "confirmed"}), Verdict.CONFIRMED),
    (change(STATE, state=State.INCIDENT_STATE_CLOSED, merged_into="j"), Verdict.MERGED),
    (change(Kind.CHANGE_KIND_UPDATED, state=State.INCIDENT_STATE_CLOSED, merged_into="j"), Verdict.MERGED),
    (change(Kind.CHANGE_KIND_SEVERITY), Verdict.RATED),
    (change(Kind.CHANGE_KIND_UPDATED, labels={"verdict": "false_positive"}), Verdict.FALSE_POSITIVE),
])  # fmt: skip
def test_a_change_that_says_something(given: pb.IncidentChange, verdict: Verdict) -> None:
    feedback = judge(given)
    assert feedback is not None
    assert (feedback.verdict, feedback.incident.id, feedback.resume_token) == (verdict, "i", "t")


@pytest.mark.parametrize("given", [
    change(Kind.CHANGE_KIND_OPENED, state=State.INCIDENT_STATE_NEW),
    change(Kind.CHANGE_KIND_NOTE),
    change(Kind.CHANGE_KIND_RECURRED),
    change(Kind.CHANGE_KIND_UPDATED, labels={"region": "eu"}),
    change(Kind.CHANGE_KIND_UPDATED, labels={"verdict": "who knows"}),
    change(STATE, state=State.INCIDENT_STATE_IN_PROGRESS),
    change(STATE, state=State.INCIDENT_STATE_ESCALATED),
])  # fmt: skip
def test_a_change_that_says_nothing_about_the_report(given: pb.IncidentChange) -> None:
    assert judge(given) is None
