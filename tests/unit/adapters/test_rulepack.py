"""The rule pack that comes with the server, and what is refused in one's own."""

from pathlib import Path

import pytest

from llm_incident_manager.adapters import rulepack
from llm_incident_manager.adapters.rulepack import RulePackError
from llm_incident_manager.domain.rules import KindRule
from llm_incident_manager.domain.severity import IncidentType, Severity

PACK = rulepack.load()
P0, P1, P2, P3, P4 = Severity

# The floors that were agreed on: (kind, type, floor, attribute that raises it, floor then).
AGREED = [
    ("prompt_injection.direct", IncidentType.SECURITY, P3, "tool_executed", P1),
    ("prompt_injection.indirect", IncidentType.SECURITY, P2, "tool_executed", P1),
    ("jailbreak", IncidentType.SECURITY, P3, "success_confirmed", P1),
    ("sensitive_data_leak", IncidentType.SECURITY, P1, "cross_tenant", P0),
    ("system_prompt_leak", IncidentType.SECURITY, P2, "", None),
    ("supply_chain", IncidentType.SECURITY, P1, "", None),
    ("data_or_model_poisoning", IncidentType.SECURITY, P1, "", None),
    ("improper_output_handling", IncidentType.SECURITY, P2, "", None),
    ("excessive_agency", IncidentType.SECURITY, P1, "", None),
    ("retrieval_poisoning", IncidentType.SECURITY, P2, "cross_tenant", P1),
    ("hallucination", IncidentType.APPLICATION, P3, "", None),
    ("toxicity", IncidentType.APPLICATION, P3, "", None),
    ("bias", IncidentType.APPLICATION, P3, "", None),
    ("drift", IncidentType.APPLICATION, P3, "", None),
    ("unbounded_consumption", IncidentType.INFRASTRUCTURE, P2, "", None),
    ("model_extraction", IncidentType.SECURITY, P2, "", None),
    ("provider_outage", IncidentType.AVAILABILITY, P2, "no_fallback", P1),
    ("provider_outage.rate_limit", IncidentType.AVAILABILITY, P2, "no_fallback", P1),
    ("provider_outage.latency_slo", IncidentType.PERFORMANCE, P2, "no_fallback", P1),
    ("silent_model_change", IncidentType.APPLICATION, P4, "", None),
    ("guardrail_unavailable", IncidentType.SECURITY, P1, "", None),
    ("compliance_violation", IncidentType.COMPLIANCE, None, "", None),
]

ALIASES = {
    "pii_leak": "sensitive_data_leak.pii",
    "PHI": "sensitive_data_leak.phi",
    "secret": "sensitive_data_leak.secret",
    "data_leakage": "sensitive_data_leak",
    "DataExfiltration": "sensitive_data_leak",
    "rate-limit": "provider_outage.rate_limit",
    "latency SLO": "provider_outage.latency_slo",
    "PromptInjection/Direct": "prompt_injection.direct",
    "unsafe tool call": "excessive_agency",
    "cross_tenant_retrieval": "retrieval_poisoning.cross_tenant",
    "factuality_drop": "hallucination",
    "model_drift": "drift",
    "denial-of-wallet": "unbounded_consumption.cost",
    "fail_open": "guardrail_unavailable",
    "SqlInjection": "security_threat",
    "performance_degradation": "performance_degradation",
    "LLM-word-nobody-knows": None,
}


def rule(kind: str) -> KindRule:
    found = PACK.kind_rule(kind)
    assert found is not None
    return found


@pytest.mark.parametrize(("kind", "sort", "floor", "attribute", "raised"), AGREED, ids=[row[0] for row in AGREED])
def test_the_shipped_pack_has_the_agreed_floor(
    kind: str, sort: IncidentType, floor: Severity | None, attribute: str, raised: Severity | None
) -> None:
    found = rule(kind)
    assert (found.kind, found.incident_type, found.floor) == (kind, sort, floor)
    assert found.attributes.get(attribute) == raised


@pytest.mark.parametrize(("word", "kind"), ALIASES.items())
def test_other_words_mean_the_same_kind(word: str, kind: str | None) -> None:
    found = PACK.kind_rule(word)
    assert (found and found.kind) == kind


def test_every_child_is_at_least_as_severe_as_its_parent() -> None:
    for found in PACK.kinds.values():
        parent = PACK.kinds.get(found.kind.rpartition(".")[0])
        if parent is not None and parent.floor is not None:
            assert found.floor is not None
            assert found.floor <= parent.floor


def test_every_attribute_raises_the_floor_it_stands_beside() -> None:
    for found in PACK.kinds.values():
        assert all(found.floor is None or severity < found.floor for severity in found.attributes.values())


def test_only_a_silent_model_change_opens_nothing() -> None:
    assert {found.kind for found in PACK.kinds.values() if not found.opens} == {"silent_model_change"}


def test_references_name_the_edition() -> None:
    references = {(it.framework, it.version, it.id) for it in rule("model_theft").references}
    assert references == {
        ("OWASP-LLM", "2025", "LLM10"),
        ("OWASP-LLM", "2025", "LLM02"),
        ("MITRE-ATLAS", "4.8.0", "AML.T0024"),
        ("NIST-AI-600-1", "2024", "Intellectual Property"),
    }


def test_all_ten_owasp_entries_are_referred_to() -> None:
    found = {it.id for each in PACK.kinds.values() for it in each.references if it.framework == "OWASP-LLM"}
    assert found == {f"LLM{number:02}" for number in range(1, 11)}


LIMITS = [
    ("latency_p50_seconds", 2.1, P2),
    ("latency_p95_seconds", 5.1, P1),
    ("latency_p99_seconds", 10.1, P0),
    ("accuracy", 0.84, P1),
    ("hallucination_rate", 0.06, P0),
    ("toxicity_rate", 0.11, P0),
    ("cost_per_1k_tokens_usd", 0.06, P2),
    ("daily_spend_usd", 10_001, P1),
    ("rate_limit_hits", 101, P2),
    ("quota_hours_left", 3.9, P1),
    ("gpu_memory_ratio", 0.91, P1),
    ("gpu_temperature_celsius", 86, P0),
    ("oom_count", 1, P0),
    ("error_rate", 0.06, P1),
    ("users_affected_ratio", 0.51, P0),
    ("cost_ratio", 1.6, P2),
    ("slowdown_ratio", 0.6, P1),
]


@pytest.mark.parametrize(("metric", "value", "severity"), LIMITS, ids=[row[0] for row in LIMITS])
def test_the_shipped_pack_has_the_agreed_limit(metric: str, value: float, severity: Severity) -> None:
    broken = [limit.severity for limit in PACK.thresholds[metric] if limit.broken_by(value)]
    assert min(broken) == severity


def test_every_metric_of_the_shipped_pack_is_in_the_table() -> None:
    assert set(PACK.thresholds) == {metric for metric, _, _ in LIMITS}


def test_settings_go_before_the_pack() -> None:
    pack = rulepack.load(source_defaults={"LLM-Shield": P4, "Probe": P1}, default_severity=P2)
    assert [pack.default_for(source) for source in ("llm-shield", "shield", "probe", "other")] == [P4, P2, P1, P2]


def parse(**content: object) -> tuple[str, ...]:
    """The problems of a pack that is otherwise right."""
    with pytest.raises(RulePackError) as refused:
        rulepack.parse({"version": "1", **content}, "my.yaml")
    return refused.value.problems


def kind(**fields: object) -> tuple[str, ...]:
    """The problems of one kind."""
    return parse(kinds={"leak": {"type": "DATA", **fields}})


def test_a_pack_of_ones_own_replaces_the_shipped_one(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("version: '1'\nkinds:\n  leak: {type: DATA, floor: P2, aliases: [spill]}\n", "utf-8")
    pack = rulepack.load(file)
    assert pack.kinds["spill"] == KindRule("leak", IncidentType.DATA, P2, aliases=("spill",))
    assert (pack.version, set(pack.kinds), pack.thresholds) == ("1", {"leak", "spill"}, {})


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        (parse(kindz={}), "my.yaml: kindz: unknown key; did you mean kinds?"),
        (parse(version=2), "my.yaml: version: is missing or no text: give one, in quotes"),
        (parse(kinds=[]), "my.yaml: kinds: give keys and values"),
        (parse(kinds={"x": None}), "my.yaml: kinds.x: give keys and values: type, floor"),
        (parse(kinds={"X y": {"type": "DATA"}}), "my.yaml: kinds.X y: 'X y' is no kind: use lower-case words"),
        (kind(type="Data"), "my.yaml: kinds.leak.type: 'Data' is no incident type: give INFRASTRUCTURE"),
        (kind(floor="high"), "my.yaml: kinds.leak.floor: 'high' is no severity: give P0, P1, P2, P3 or P4"),
        (kind(flor="P1"), "my.yaml: kinds.leak.flor: unknown key; did you mean floor?"),
        (kind(raised_by={"loud": 1}), "my.yaml: kinds.leak.raised_by.loud: 1 is no severity"),
        (kind(opens="no"), "my.yaml: kinds.leak.opens: 'no' is neither true nor false"),
        (kind(aliases="spill"), "my.yaml: kinds.leak.aliases: give a list of words"),
        (kind(aliases=[1]), "my.yaml: kinds.leak.aliases[0]: is missing or no text"),
        (kind(references={"ISO": "1"}), "my.yaml: kinds.leak.references.ISO: 'ISO' has no edition under frameworks"),
        (
            parse(kinds={"leak": {"type": "DATA"}, "spill": {"type": "DATA", "aliases": ["Leak"]}}),
            "my.yaml: kinds.spill: 'leak' also means leak: remove one of them",
        ),
        (parse(thresholds={"m": {"limits": []}}), "my.yaml: thresholds.m.meaning: is missing"),
        (
            parse(thresholds={"m": {"meaning": "m", "limits": [{"above": 1, "below": 2, "severity": "P1"}]}}),
            "my.yaml: thresholds.m.limits[0]: give a number under either above or below",
        ),
        (
            parse(thresholds={"m": {"meaning": "m", "limits": [{"above": True, "severity": "P1"}]}}),
            "my.yaml: thresholds.m.limits[0]: give a number under either above or below",
        ),
        (parse(source_defaults={"shield": "severe"}), "my.yaml: source_defaults.shield: 'severe' is no severity"),
        (parse(severity_words={"tool": {"hot": "P9"}}), "my.yaml: severity_words.tool.hot: 'P9' is no severity"),
        (parse(severity_words={"tool": "hot"}), "my.yaml: severity_words.tool: give keys and values"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_understood_is_refused(problems: tuple[str, ...], expected: str) -> None:
    assert problems[0].startswith(expected)


def test_words_of_a_source_are_read_in_any_spelling() -> None:
    content = {"version": "1", "severity_words": {" My Tool": {"Red-Alert": "P1", 3: "P4"}}}
    pack = rulepack.parse(content)
    assert pack.severity_words == {"my tool": {"redalert": P1, "3": P4}}


def test_all_problems_are_named_at_once() -> None:
    assert len(parse(kinds={"a": {"type": "x", "floor": "y"}, "b": {"type": "z"}})) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kinds: {a: 1, a: 2}", "line 1, column 15: 'a' is given twice: correct the YAML there"),
        ("kinds: [", "line 1, column 9"),
        ("- 1", "give keys and values: version, frameworks, source_defaults, severity_words, kinds, thresholds"),
        (None, "No such file or directory: name a readable YAML file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, text: str | None, expected: str) -> None:
    file = tmp_path / "rules.yaml"
    if text is not None:
        file.write_text(text, "utf-8")
    with pytest.raises(RulePackError) as refused:
        rulepack.load(file)
    assert str(refused.value).startswith(f"{file}: {expected}")
