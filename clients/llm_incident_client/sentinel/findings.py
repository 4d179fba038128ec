"""What LLM-Sentinel finds: anomalies, drift, slow answers, bad answers, each with what was seen and what is usual."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from llm_incident_client import findings
from llm_incident_client.findings import Finding, Measured


class Category(StrEnum):
    """What sort of thing an anomaly is; the server's rules judge by it."""

    MODEL_DRIFT = "model_drift"
    DATA_QUALITY = "data_quality"
    PERFORMANCE_DEGRADATION = "performance_degradation"
    SECURITY_THREAT = "security_threat"
    RESOURCE_EXHAUSTION = "resource_exhaustion"
    COMPLIANCE_VIOLATION = "compliance_violation"
    OTHER = "anomaly"


class Drifting(StrEnum):
    """What of a model moves away from how it was."""

    QUALITY = "drift.quality"
    EMBEDDING = "drift.embedding"
    REFUSAL_RATE = "drift.refusal_rate"
    OTHER = "drift"


class Fault(StrEnum):
    """What is wrong with answers."""

    HALLUCINATION = "hallucination"
    TOXICITY = "toxicity"
    BIAS = "bias"
    INACCURACY = "drift.quality"


_METRICS = {
    Fault.HALLUCINATION: "hallucination_rate",
    Fault.TOXICITY: "toxicity_rate",
    Fault.BIAS: "bias_rate",
    Fault.INACCURACY: "accuracy",
}
_QUANTILES = (50, 95, 99)


@dataclass(slots=True, kw_only=True)
class Anomaly(Finding):
    """A value that is not what it usually is."""

    measured: Measured
    """What was seen and what is usual."""
    category: Category = Category.OTHER
    """What sort of thing it is."""
    score: float | None = None
    """How unusual the detector finds it, from 0 to 1."""
    detector: str = ""
    """Which detector found it: what two detectors find are two problems."""

    def _tell(self, said: dict[str, Any]) -> None:
        if "title" not in said:
            said["title"] = f"Anomaly: {self.measured.metric} is {self.measured}"
        said["kind"], said["rule"] = self.category, self.detector
        metrics = said["metrics"] = self.measured.metrics()
        if self.score is not None:
            metrics["anomaly_score"] = self.score


@dataclass(slots=True, kw_only=True)
class Drift(Finding):
    """A model moves away from how it was. `measured` is the distance, for instance "psi" or "cosine_distance"."""

    measured: Measured
    """How far it is now, and how far is usual or agreed."""
    of: Drifting = Drifting.OTHER
    """What of it."""
    detector: str = ""
    """Which detector found it: what two detectors find are two problems."""

    def _tell(self, said: dict[str, Any]) -> None:
        if "title" not in said:
            said["title"] = f"{_WORDS[self.of]}: {self.measured.metric} is {self.measured}"
        said["kind"], said["rule"], said["metrics"] = self.of, self.detector, self.measured.metrics()


_WORDS = {
    Drifting.QUALITY: "Quality drifts",
    Drifting.EMBEDDING: "Embeddings drift",
    Drifting.REFUSAL_RATE: "Refusals drift",
    Drifting.OTHER: "Drift",
}


@dataclass(slots=True, kw_only=True)
class Latency(Finding):
    """Answers take too long. Raises ValueError for another quantile than 50, 95, 99, or a time that is negative."""

    observed: timedelta
    """Within which time that many of 100 answers came."""
    baseline: timedelta | None = None
    """What is usual; with it the server judges by how much slower it is, too."""
    limit: timedelta | None = None
    """What was agreed."""
    quantile: int = 95
    """How many of 100 answers came within the time."""
    window: timedelta | None = None
    """Over which time it was measured."""
    samples: int = 0
    """Of how many answers; 0 when nobody counted."""
    no_fallback: bool = False
    """No other model or provider can take over, which makes it more severe."""

    def __post_init__(self) -> None:
        """Refuses what the server's thresholds have no name for."""
        if self.quantile not in _QUANTILES:
            raise ValueError(f"quantile is {self.quantile}: give one of {', '.join(map(str, _QUANTILES))}")
        if self.observed < timedelta(0):
            raise ValueError(f"observed is {self.observed}: a latency is not negative")

    def _tell(self, said: dict[str, Any]) -> None:
        observed, baseline, limit = self.observed.total_seconds(), _seconds(self.baseline), _seconds(self.limit)
        if "title" not in said:
            said["title"] = f"Latency p{self.quantile} in seconds is {findings.compared(observed, baseline, limit)}"
        said["kind"], metric = "provider_outage.latency_slo", f"latency_p{self.quantile}_seconds"
        metrics = findings.metrics(metric, observed, baseline, limit, self.window, self.samples)
        if baseline and observed > baseline:
            metrics["slowdown_ratio"] = observed / baseline - 1.0
        said["metrics"] = metrics
        if self.no_fallback:
            said["attributes"] = {"no_fallback": True}


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()


@dataclass(slots=True, kw_only=True)
class Quality(Finding):
    """Answers are bad. Raises ValueError for shares outside of 0 to 1."""

    fault: Fault
    """What is wrong with them."""
    observed: float
    """The share of answers with this fault, from 0 to 1; for INACCURACY the share of right ones."""
    baseline: float | None = None
    """What is usual."""
    limit: float | None = None
    """What was agreed."""
    window: timedelta | None = None
    """Over which time it was measured."""
    samples: int = 0
    """Of how many answers; 0 when nobody counted."""
    evaluation: str = ""
    """The evaluation or judge that says so: what two of them find are two problems."""

    def __post_init__(self) -> None:
        """Refuses percentages, which the server's thresholds would take for very bad answers."""
        for name in ("observed", "baseline", "limit"):
            share = getattr(self, name)
            if share is not None and not 0.0 <= share <= 1.0:
                raise ValueError(f"{name} is {share}: give a share from 0 to 1")

    def _tell(self, said: dict[str, Any]) -> None:
        metric = _METRICS[self.fault]
        if "title" not in said:
            told = findings.compared(self.observed, self.baseline, self.limit)
            said["title"] = f"{self.fault.name.capitalize()}: {metric} is {told}"
        said["kind"], said["rule"] = self.fault, self.evaluation
        said["metrics"] = findings.metrics(metric, self.observed, self.baseline, self.limit, self.window, self.samples)
