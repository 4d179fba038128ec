"""What LLM-Shield finds: violations of a policy, and threats. Carries hashes of evidence, never the evidence."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from llm_incident_client.findings import Finding

_HASH = re.compile(r"sha256:[0-9a-f]{64}")
MOST_TEXT = 1_024
"""Characters that the value of a label may have."""


class Risk(StrEnum):
    """The category of a risk, by the kinds that the server's rules know (OWASP LLM 2025 where it has an entry)."""

    PROMPT_INJECTION = "prompt_injection"
    PROMPT_INJECTION_DIRECT = "prompt_injection.direct"
    PROMPT_INJECTION_INDIRECT = "prompt_injection.indirect"
    JAILBREAK = "jailbreak"
    SENSITIVE_DATA = "sensitive_data_leak"
    PERSONAL_DATA = "sensitive_data_leak.pii"
    HEALTH_DATA = "sensitive_data_leak.phi"
    SECRET = "sensitive_data_leak.secret"
    SUPPLY_CHAIN = "supply_chain"
    POISONING = "data_or_model_poisoning"
    IMPROPER_OUTPUT_HANDLING = "improper_output_handling"
    EXCESSIVE_AGENCY = "excessive_agency"
    SYSTEM_PROMPT_LEAK = "system_prompt_leak"
    RETRIEVAL_POISONING = "retrieval_poisoning"
    CROSS_TENANT_RETRIEVAL = "retrieval_poisoning.cross_tenant"
    MISINFORMATION = "hallucination"
    TOXICITY = "toxicity"
    UNBOUNDED_CONSUMPTION = "unbounded_consumption"
    MODEL_EXTRACTION = "model_extraction"
    GUARDRAIL_UNAVAILABLE = "guardrail_unavailable"
    POLICY_VIOLATION = "policy_violation"


class Decision(StrEnum):
    """What the guard did with the content."""

    ALLOW = "allow"
    DENY = "deny"
    MODIFY = "modify"
    WARN = "warn"
    AUDIT = "audit"


class Place(StrEnum):
    """Which content it was found in."""

    LLM_INPUT = "llm_input"
    LLM_OUTPUT = "llm_output"
    TOOL_CALL = "tool_call"
    TOOL_DEFINITION = "tool_definition"
    MEMORY_STORE = "memory_store"
    MEMORY_RETRIEVE = "memory_retrieve"
    KNOWLEDGE_QUERY = "knowledge_query"
    KNOWLEDGE_RESULT = "knowledge_result"
    MESSAGE = "message"


class Threatening(StrEnum):
    """What a threat is."""

    UNAUTHORIZED_ACCESS = "unauthorized_access"
    DATA_EXFILTRATION = "data_exfiltration"
    MALICIOUS_PAYLOAD = "malicious_payload"
    ANOMALOUS_PATTERN = "anomalous_pattern"
    PRIVILEGE_ESCALATION = "privilege_escalation"
    SUSPICIOUS_ACTIVITY = "suspicious_activity"
    MALWARE = "malware"
    RANSOMWARE = "ransomware_attack"
    DATA_BREACH = "data_breach"
    DENIAL_OF_SERVICE = "denial_of_service"
    INSIDER = "insider_threat"
    PHISHING = "phishing_attempt"
    BRUTE_FORCE = "brute_force"
    SQL_INJECTION = "sql_injection"
    CROSS_SITE_SCRIPTING = "cross_site_scripting"
    ZERO_DAY = "zero_day_exploit"
    ADVANCED_PERSISTENT_THREAT = "advanced_persistent_threat"


def evidence_hash(content: str | bytes) -> str:
    """The hash that proves later which content it was, while the content itself stays where it is."""
    data = content.encode() if isinstance(content, str) else content
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(slots=True, kw_only=True)
class Violation(Finding):
    """Content broke a policy. Raises ValueError for evidence that is no hash, or a score outside of 0 to 1."""

    risk: Risk
    """The category of the risk."""
    decision: Decision
    """What the guard did."""
    evidence_hash: str
    """`evidence_hash(content)`: what the incident keeps of the content."""
    found_in: Place | None = None
    """Which content it was."""
    policy: str = ""
    """The policy that was broken. Part of the identity."""
    rule: str = ""
    """The rule of the policy, or the detector. Part of the identity."""
    tool: str = ""
    """The tool that an agent called or was made to call. Part of the identity."""
    score: float | None = None
    """How sure the guard is, from 0 to 1."""
    tool_executed: bool = False
    """A tool was run on its behalf, which makes it more severe."""
    success_confirmed: bool = False
    """The attack worked, which makes it more severe."""
    cross_tenant: bool = False
    """Another customer's data is concerned, which makes it more severe."""

    def __post_init__(self) -> None:
        """Refuses content in the place of its hash."""
        if not _HASH.fullmatch(self.evidence_hash):
            raise ValueError("evidence_hash is no hash: give evidence_hash(content), so that the content stays away")
        _check_share("score", self.score)

    def _tell(self, said: dict[str, Any]) -> None:
        if "title" not in said:
            said["title"] = f"{_words(self.risk)}: {self.decision}"
        said["kind"], said["policy"], said["rule"], said["tool"] = self.risk, self.policy, self.rule, self.tool
        labels = {**self.labels, "risk_category": self.risk, "decision": self.decision}
        labels["evidence_hash"] = self.evidence_hash
        if self.found_in is not None:
            labels["found_in"] = self.found_in
        said["labels"] = labels
        if self.score is not None:
            said["metrics"] = {"risk_score": self.score}
        if self.tool_executed or self.success_confirmed or self.cross_tenant:
            said["attributes"] = {name: True for name in _AGGRAVATING if getattr(self, name)}


_AGGRAVATING = ("tool_executed", "success_confirmed", "cross_tenant")


@dataclass(slots=True, kw_only=True)
class Threat(Finding):
    """Somebody attacks, or prepares to. Raises ValueError for evidence that is no hash, or a confidence not 0 to 1."""

    threat: Threatening
    """What it is."""
    confidence: float
    """How sure Shield is, from 0 to 1."""
    indicators: Sequence[str] = ()
    """What it was recognised by: signatures, hashes, addresses. Kept as text of at most 1,024 characters."""
    blocked: bool = False
    """It was stopped."""
    evidence_hash: str = ""
    """`evidence_hash(content)`, if there is content."""
    detector: str = ""
    """Which detector found it. Part of the identity."""

    def __post_init__(self) -> None:
        """Refuses content in the place of its hash."""
        if self.evidence_hash and not _HASH.fullmatch(self.evidence_hash):
            raise ValueError("evidence_hash is no hash: give evidence_hash(content), so that the content stays away")
        _check_share("confidence", self.confidence)

    def _tell(self, said: dict[str, Any]) -> None:
        if "title" not in said:
            said["title"] = f"Threat: {_words(self.threat)}"
        said["kind"], said["rule"] = self.threat, self.detector
        labels = said["labels"] = {**self.labels, "threat": self.threat}
        if self.evidence_hash:
            labels["evidence_hash"] = self.evidence_hash
        if self.indicators:
            labels["indicators"] = ", ".join(self.indicators)[:MOST_TEXT]
        said["metrics"], said["attributes"] = {"confidence": self.confidence}, {"blocked": self.blocked}


def _check_share(name: str, value: float | None) -> None:
    if value is not None and not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} is {value}: give a number from 0 to 1")


def _words(kind: str) -> str:
    return kind.replace("_", " ").replace(".", ", ").capitalize()
