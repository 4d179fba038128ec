"""The rule floor: a sentence for each case, and what holds for all events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.adapters import rulepack
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.rules import KindRule, RulePack
from llm_incident_manager.domain.severity import SPELLINGS, IncidentType, Severity
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.engines import triage
from llm_incident_manager.engines.triage import DecidedBy, Decision

PACK = rulepack.load(default_severity=Severity.P3)
P0, P1, P2, P3, P4 = Severity


def event(
    severity: str = "",
    kind: str = "",
    *,
    source: str = "monitoring",
    incident_type: IncidentType | None = None,
    attributes: dict[str, bool] | None = None,
    metrics: dict[str, float] | None = None,
) -> Event:
    return Event(
        source,
        "title",
        Instant(0),
        severity=severity,
        kind=kind,
        incident_type=incident_type,
        attributes=attributes or {},
        metrics=metrics or {},
    )


def decide(reported: Event) -> Decision:
    return triage.decide(reported, PACK)


TOOL, LEAK, QUIET = {"tool_executed": True}, {"cross_tenant": True}, {"tool_executed": False}

CASES = {
    "a reported word counts as it stands": (event("critical"), P0, DecidedBy.REPORTED),
    "it counts in any case and spelling": (event(" SEV-1 "), P1, DecidedBy.REPORTED),
    "an unknown kind changes nothing": (event("low", "weather.rain"), P3, DecidedBy.REPORTED),
    "a report more severe than the floor stands": (event("critical", "jailbreak"), P0, DecidedBy.REPORTED),
    "a report equal to the floor is the reason": (event("low", "jailbreak"), P3, DecidedBy.REPORTED),
    "the floor raises a milder report": (event("info", "sensitive_data_leak"), P1, DecidedBy.KIND_FLOOR),
    "the floor holds for an alias": (event("info", "PII leak"), P1, DecidedBy.KIND_FLOOR),
    "the floor of the parent holds for an unknown child": (event("info", "jailbreak.x.y"), P3, DecidedBy.KIND_FLOOR),
    "without a report the floor decides": (event("", "jailbreak"), P3, DecidedBy.KIND_FLOOR),
    "an attribute raises the floor": (event("low", "prompt_injection", attributes=TOOL), P1, DecidedBy.ATTRIBUTE),
    "an attribute that is false does not": (event("", "prompt_injection", attributes=QUIET), P3, DecidedBy.KIND_FLOOR),
    "an attribute the kind has no rule for does not": (
        event("low", "jailbreak", attributes=LEAK),
        P3,
        DecidedBy.REPORTED,
    ),
    "attributes mean nothing without a known kind": (event("low", attributes=TOOL), P3, DecidedBy.REPORTED),
    "a report more severe than the attribute stands": (
        event("P0", "jailbreak", attributes=TOOL),
        P0,
        DecidedBy.REPORTED,
    ),
    "a metric beyond its limit raises": (event("low", metrics={"accuracy": 0.5}), P1, DecidedBy.THRESHOLD),
    "a metric at its limit does not": (event("low", metrics={"accuracy": 0.85}), P3, DecidedBy.REPORTED),
    "a metric nobody knows does not": (event("low", metrics={"sunshine": 9e9}), P3, DecidedBy.REPORTED),
    "of several limits the most severe holds": (event("P4", metrics={"cost_ratio": 6}), P0, DecidedBy.THRESHOLD),
    "a metric raises above the floor": (event("", "drift", metrics={"error_rate": 0.2}), P1, DecidedBy.THRESHOLD),
    "without report and kind a metric decides": (event(metrics={"rate_limit_hits": 101}), P2, DecidedBy.THRESHOLD),
    "not a number breaks no limit": (event("low", metrics={"accuracy": float("nan")}), P3, DecidedBy.REPORTED),
    "with nothing to go by the default decides": (event(), P3, DecidedBy.SOURCE_DEFAULT),
    "with nothing to go by a source has its own": (event(source="LLM-Shield "), P2, DecidedBy.SOURCE_DEFAULT),
    "a kind without a floor leaves it to the default": (event("", "data_quality"), P3, DecidedBy.SOURCE_DEFAULT),
    "an unknown word takes the default": (event("spicy"), P3, DecidedBy.SOURCE_DEFAULT),
    "an unknown word takes the source's default": (event("spicy", source="llm-shield"), P2, DecidedBy.SOURCE_DEFAULT),
    "a word means what its source means by it": (event("P1", source="Datadog"), P0, DecidedBy.REPORTED),
    "it does in any spelling": (event("Alert Failure", source="checkly"), P0, DecidedBy.REPORTED),
    "a source's other words mean what they always do": (event("warn", source="datadog"), P2, DecidedBy.REPORTED),
    "a source's words mean nothing elsewhere": (event("alert_failure"), P3, DecidedBy.SOURCE_DEFAULT),
    "the floor raises the default of an unknown word": (event("spicy", "pii_leak"), P1, DecidedBy.KIND_FLOOR),
    "the default of an unknown word outweighs a mild floor": (
        event("spicy", "model_change"),
        P3,
        DecidedBy.SOURCE_DEFAULT,
    ),
}


@pytest.mark.parametrize(("reported", "severity", "decided_by"), CASES.values(), ids=CASES)
def test_severity(reported: Event, severity: Severity, decided_by: DecidedBy) -> None:
    decision = decide(reported)
    assert (decision.severity, decision.decided_by) == (severity, decided_by)


TYPES = {
    "the event's own type stands": (event("low", "jailbreak", incident_type=IncidentType.DATA), IncidentType.DATA),
    "otherwise the kind's counts": (event("low", "jailbreak"), IncidentType.SECURITY),
    "a kind without a floor still has a type": (event("low", "DataQuality"), IncidentType.DATA),
    "an unknown kind has none": (event("low", "weather"), IncidentType.UNKNOWN),
    "no kind has none": (event("low"), IncidentType.UNKNOWN),
}


@pytest.mark.parametrize(("reported", "incident_type"), TYPES.values(), ids=TYPES)
def test_type(reported: Event, incident_type: IncidentType) -> None:
    assert decide(reported).incident_type is incident_type


EXPLANATIONS = {
    "reported": (event("Major"), "", "P1: reported as 'Major'"),
    "floor": (event("info", "pii"), "sensitive_data_leak.pii", "P1: the least severity of sensitive_data_leak.pii"),
    "attribute": (
        event("info", "phi", attributes=LEAK),
        "sensitive_data_leak.phi",
        "P0: the least severity of sensitive_data_leak.phi with cross_tenant",
    ),
    "above": (event("info", metrics={"oom_count": 2}), "oom_count", "P0: oom_count is 2, above 0"),
    "below": (
        event("info", metrics={"quota_hours_left": 1.5}),
        "quota_hours_left",
        "P1: quota_hours_left is 1.5, below 4",
    ),
    "default": (event(source="probe"), "", "P3: the default of source 'probe'"),
}


@pytest.mark.parametrize(("reported", "rule", "explanation"), EXPLANATIONS.values(), ids=EXPLANATIONS)
def test_every_decision_says_why(reported: Event, rule: str, explanation: str) -> None:
    decision = decide(reported)
    assert (decision.rule, decision.explanation) == (rule, explanation)


def test_an_unknown_word_is_never_silent() -> None:
    (warning,) = decide(event("spicy", source="probe")).warnings
    assert warning.startswith("severity 'spicy' is not a known word: P3, the default of source 'probe', was taken")


def test_an_unknown_word_warns_even_when_a_rule_decides() -> None:
    assert len(decide(event("spicy", "pii_leak")).warnings) == 1


def test_no_other_event_warns() -> None:
    assert [decide(reported).warnings for reported in (event(), event("low"), event("", "jailbreak"))] == [(), (), ()]


def test_the_kind_is_named_as_the_pack_names_it() -> None:
    assert (decide(event("low", "PHI")).kind, decide(event("low", "Weather")).kind) == (
        "sensitive_data_leak.phi",
        "Weather",
    )


def test_a_silent_model_change_opens_nothing() -> None:
    assert not decide(event("low", "silent_model_change")).opens
    assert decide(event("low", "jailbreak")).opens
    assert decide(event("low", "weather")).opens


words = st.sampled_from(sorted(SPELLINGS)) | st.text(max_size=12)
kinds = st.sampled_from(sorted(PACK.kinds)) | st.text(max_size=12)
attribute_names = sorted({name for rule in PACK.kinds.values() for name in rule.attributes})
attributes = st.dictionaries(st.sampled_from(attribute_names), st.booleans())
metrics = st.dictionaries(st.sampled_from(sorted(PACK.thresholds)), st.floats(allow_nan=True), max_size=3)


@given(words, kinds, attributes, metrics)
def test_no_event_is_milder_than_the_floor_of_its_kind(
    word: str, kind: str, flags: dict[str, bool], values: dict[str, float]
) -> None:
    rule = PACK.kind_rule(kind)
    floor = None if rule is None else rule.floor
    decision = decide(event(word, kind, attributes=flags, metrics=values))
    assert floor is None or decision.severity <= floor


@given(words, kinds, attributes, metrics)
def test_no_event_is_milder_than_it_was_reported(
    word: str, kind: str, flags: dict[str, bool], values: dict[str, float]
) -> None:
    bare = decide(event(word))
    decision = decide(event(word, kind, attributes=flags, metrics=values))
    assert decision.severity <= bare.severity or bare.decided_by is DecidedBy.SOURCE_DEFAULT


@given(words, kinds, attributes, metrics, st.sampled_from(attribute_names))
def test_one_more_true_attribute_never_makes_it_milder(
    word: str, kind: str, flags: dict[str, bool], values: dict[str, float], more: str
) -> None:
    before = decide(event(word, kind, attributes=flags, metrics=values))
    after = decide(event(word, kind, attributes={**flags, more: True}, metrics=values))
    assert after.severity <= before.severity


@given(words, kinds, attributes, metrics, st.sampled_from(sorted(PACK.thresholds)), st.floats(allow_nan=False))
def test_one_more_metric_never_makes_a_reported_event_milder(
    word: str, kind: str, flags: dict[str, bool], values: dict[str, float], more: str, value: float
) -> None:
    before = decide(event(word, kind, attributes=flags, metrics=values))
    after = decide(event(word, kind, attributes=flags, metrics={more: value} | values))
    assert after.severity <= before.severity or before.decided_by is DecidedBy.SOURCE_DEFAULT


@given(words, kinds, attributes, metrics)
def test_every_decision_has_a_sentence_that_begins_with_its_severity(
    word: str, kind: str, flags: dict[str, bool], values: dict[str, float]
) -> None:
    decision = decide(event(word, kind, attributes=flags, metrics=values))
    assert decision.explanation.startswith(f"{decision.severity.name}: ")


def test_the_short_way_and_the_long_way_agree() -> None:
    floors = {None, *Severity}
    packs = [RulePack("1", {"k": KindRule("k", IncidentType.DATA, floor)}, {}, {}) for floor in floors]
    for pack in packs:
        for word in ("", *SPELLINGS):
            short = triage.decide(event(word, "k"), pack)
            long = triage.decide(event(word, "k", attributes={"x": False}, metrics={"y": 1.0}), pack)
            assert short == long
