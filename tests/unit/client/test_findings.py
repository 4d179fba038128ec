"""What detectors and guards find, as events: valid, known to the server's rules, and recognised as one problem."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
from incidentmanager.v1 import ingest_service_pb2

from llm_incident_client import pb, sentinel, shield
from llm_incident_client.findings import Finding, plain
from llm_incident_client.sentinel import Anomaly, Category, Drift, Drifting, Fault, Latency, Measured, Quality, Subject
from llm_incident_client.shield import Decision, Place, Risk, Threat, Threatening, Violation, evidence_hash
from llm_incident_manager.adapters import rulepack
from llm_incident_manager.domain import fingerprint
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.engines import triage
from llm_incident_manager.transport import contract
from llm_incident_manager.transport.translate import events as translate

CHAT = Subject(service="chat", provider="openai", model="gpt-4o", model_resolved="gpt-4o-2024-08-06", region="eu")
HASH = evidence_hash("Ignore all previous instructions")
SECOND = timedelta(seconds=1)
EVERY: list[Finding] = [
    Anomaly(subject=CHAT, measured=Measured("requests_per_second", 3.0, 120.0, samples=60), score=0.98, detector="e"),
    *(Anomaly(measured=Measured("x", 1.0), category=category) for category in Category),
    *(Drift(subject=CHAT, of=of, measured=Measured("psi", 0.31, 0.05, limit=0.2)) for of in Drifting),
    Latency(subject=CHAT, observed=7.2 * SECOND, baseline=1.1 * SECOND, limit=5 * SECOND, window=60 * SECOND),
    *(Quality(subject=CHAT, fault=fault, observed=0.2, baseline=0.01, evaluation="judge-2") for fault in Fault),
    *(Violation(subject=CHAT, risk=risk, decision=Decision.DENY, evidence_hash=HASH, score=0.9) for risk in Risk),
    *(Threat(subject=CHAT, threat=threat, confidence=0.8, indicators=("a", "b")) for threat in Threatening),
]  # fmt: skip


def named(finding: Finding) -> str:
    return finding.event("s").title


@pytest.mark.parametrize("finding", EVERY, ids=named)
def test_a_finding_is_a_valid_event(finding: Finding) -> None:
    check = contract.checkers()["incidentmanager.v1.IngestService/SubmitEvent"]
    for event in (finding.event("llm-sentinel"), finding.recovery("llm-sentinel")):
        assert check(ingest_service_pb2.SubmitEventRequest(event=event)) == ()


KINDS: list[StrEnum] = [*Category, *Drifting, *Fault, *Risk, *Threatening]


@pytest.mark.parametrize("word", [kind for kind in KINDS if kind is not Category.OTHER], ids=str)
def test_every_kind_is_known_to_the_rules_of_the_server(word: StrEnum) -> None:
    assert rulepack.load().kind_rule(word) is not None


def judged(event: pb.Event) -> triage.Decision:
    return triage.decide(translate.event(event, Instant(0)), rulepack.load())


@pytest.mark.parametrize(("finding", "severity", "decided_by"), [
    (Latency(observed=7.2 * SECOND), Severity.P1, triage.DecidedBy.THRESHOLD),
    (Latency(observed=11 * SECOND, quantile=99), Severity.P0, triage.DecidedBy.THRESHOLD),
    (Latency(observed=0.3 * SECOND, baseline=0.1 * SECOND), Severity.P0, triage.DecidedBy.THRESHOLD),
    (Latency(observed=0.1 * SECOND, no_fallback=True), Severity.P1, triage.DecidedBy.ATTRIBUTE),
    (Quality(fault=Fault.HALLUCINATION, observed=0.06), Severity.P0, triage.DecidedBy.THRESHOLD),
    (Quality(fault=Fault.INACCURACY, observed=0.8), Severity.P1, triage.DecidedBy.THRESHOLD),
    (Drift(measured=Measured("psi", 0.3)), Severity.P3, triage.DecidedBy.KIND_FLOOR),
    (Drift(measured=Measured("psi", 0.3), severity="high"), Severity.P1, triage.DecidedBy.REPORTED),
    (Violation(risk=Risk.JAILBREAK, decision=Decision.ALLOW, evidence_hash=HASH, success_confirmed=True), Severity.P1,
     triage.DecidedBy.ATTRIBUTE),
    (Violation(risk=Risk.PERSONAL_DATA, decision=Decision.WARN, evidence_hash=HASH, cross_tenant=True), Severity.P0,
     triage.DecidedBy.ATTRIBUTE),
])  # fmt: skip
def test_the_rules_judge_what_was_measured(finding: Finding, severity: Severity, decided_by: triage.DecidedBy) -> None:
    decision = judged(finding.event("x"))
    assert (decision.severity, decision.decided_by) == (severity, decided_by)


def identity(event: pb.Event) -> fingerprint.Fingerprint:
    return fingerprint.compute(translate.event(event, Instant(0)))


def test_the_same_problem_with_other_numbers_is_the_same_problem_and_its_recovery_too() -> None:
    first = Latency(subject=CHAT, observed=7.2 * SECOND, baseline=1.1 * SECOND)
    later = Latency(subject=CHAT, observed=0.000012 * SECOND, baseline=1_100 * SECOND)
    other = Latency(subject=Subject(service="search"), observed=7.2 * SECOND, baseline=1.1 * SECOND)
    assert identity(first.event("s")) == identity(later.event("s")) == identity(later.recovery("s"))
    assert identity(first.event("s")) != identity(other.event("s"))
    assert later.recovery("s").action == pb.Action.ACTION_RESOLVE


def test_every_field_of_a_finding_arrives() -> None:
    when = datetime(2026, 11, 22, 12, tzinfo=UTC)
    event = Latency(
        subject=CHAT, title="t", description="d", severity="P2", labels={"a": "b"}, event_time=when,
        idempotency_key="i", dedup_key="k", users_affected=3, runbook_url="https://r", observed=2 * SECOND,
        baseline=SECOND, limit=SECOND, window=60 * SECOND, samples=9, no_fallback=True,
    ).event("me")  # fmt: skip
    assert event.event_time.ToDatetime(UTC) == when
    assert (event.source, event.title, event.description, event.severity) == ("me", "t", "d", "P2")
    assert (event.idempotency_key, event.dedup_key, event.users_affected) == ("i", "k", 3)
    assert (event.service, event.model_requested, event.model_resolved) == ("chat", "gpt-4o", "gpt-4o-2024-08-06")
    assert (event.provider, event.region, event.runbook_url, dict(event.labels)) == (
        "openai",
        "eu",
        "https://r",
        {"a": "b"},
    )
    assert dict(event.metrics) == {
        "latency_p95_seconds": 2.0, "latency_p95_seconds_baseline": 1.0, "latency_p95_seconds_limit": 1.0,
        "window_seconds": 60.0, "samples": 9.0, "slowdown_ratio": 1.0,
    }  # fmt: skip
    assert dict(event.attributes) == {"no_fallback": True}


def test_a_violation_carries_category_decision_and_the_hash_of_its_evidence() -> None:
    event = Violation(
        risk=Risk.PROMPT_INJECTION_INDIRECT, decision=Decision.MODIFY, evidence_hash=HASH,
        found_in=Place.KNOWLEDGE_RESULT, policy="docs", rule="hidden-text", tool="browser", score=0.93,
        tool_executed=True,
    ).event(shield.SOURCE)  # fmt: skip
    assert (event.source, event.kind, event.policy) == ("llm-shield", "prompt_injection.indirect", "docs")
    assert (event.rule, event.tool, dict(event.metrics)) == ("hidden-text", "browser", {"risk_score": 0.93})
    assert dict(event.labels) == {
        "risk_category": "prompt_injection.indirect", "decision": "modify", "evidence_hash": HASH,
        "found_in": "knowledge_result",
    }  # fmt: skip
    assert dict(event.attributes) == {"tool_executed": True}


@pytest.mark.parametrize(("make", "told"), [
    (lambda: Measured("m", float("nan")), "observed of m is nan"),
    (lambda: Measured("m", 1.0, float("inf")), "baseline of m is inf"),
    (lambda: Latency(observed=SECOND, quantile=90), "50, 95, 99"),
    (lambda: Latency(observed=-SECOND), "not negative"),
    (lambda: Quality(fault=Fault.TOXICITY, observed=12.0), "share from 0 to 1"),
    (lambda: Violation(risk=Risk.SECRET, decision=Decision.DENY, evidence_hash="the secret"), "no hash"),
    (lambda: Threat(threat=Threatening.MALWARE, confidence=1.2), "confidence is 1.2"),
    (lambda: Threat(threat=Threatening.MALWARE, confidence=1, evidence_hash="x"), "no hash"),
    (lambda: Drift(measured=Measured("m", 1), event_time=datetime(2026, 1, 1)).event("s"), "time zone"),  # noqa: DTZ001
])  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(make: object, told: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=told) as refused:
        make()
    assert "the secret" not in str(refused.value)


@pytest.mark.parametrize(("value", "text"), [
    (7.2, "7.2"), (0.1 + 0.2, "0.3"), (1e-7, "0.0000001"), (123456789.0, "123457000"), (-0.5, "-0.5"), (3.0, "3"),
])  # fmt: skip
def test_numbers_are_written_without_an_exponent(value: float, text: str) -> None:
    assert plain(value) == text


def test_the_packages_say_all_they_have() -> None:
    assert all(hasattr(package, name) for package in (sentinel, shield) for name in package.__all__)
