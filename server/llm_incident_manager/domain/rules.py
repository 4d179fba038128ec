"""The rule pack as values: severity floors of LLM kinds, attributes that move them, thresholds of metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.severity import IncidentType, Severity, folded, normalise


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry of a public catalogue, for instance OWASP LLM 2025 / LLM01."""

    framework: str
    version: str
    id: str


@dataclass(frozen=True, slots=True)
class KindRule:
    """One LLM kind: its type, the least severity it may have, and attributes that raise that floor."""

    kind: str
    incident_type: IncidentType
    floor: Severity | None
    attributes: Mapping[str, Severity] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Threshold:
    """A metric that, above (or below) a limit, is at least this severe."""

    metric: str
    limit: float
    severity: Severity
    above: bool = True

    def broken_by(self, value: float) -> bool:
        """Whether the value lies beyond the limit."""
        return value > self.limit if self.above else value < self.limit


@dataclass(frozen=True, slots=True)
class MuteRule:
    """Holds matching events back: they are recorded as SUPPRESSED and open nothing. Empty fields match all."""

    name: str
    source: str = ""
    kind: str = ""
    provider: str = ""
    service: str = ""
    environment: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def covers(self, event: Event) -> bool:
        """Whether every field the rule gives equals the event's."""
        given = (
            (self.source, event.source),
            (self.kind, event.kind),
            (self.provider, event.provider),
            (self.service, event.service),
            (self.environment, event.environment),
        )
        return all(want in ("", have) for want, have in given) and all(
            event.labels.get(name) == value for name, value in self.labels.items()
        )


@dataclass(frozen=True, slots=True)
class RulePack:
    """All rules of triage. Kinds and aliases are keys in lower case; sources have default severities.

    `severity_words` holds, by source, folded words that mean something else there than elsewhere, or only there.
    """

    version: str
    kinds: Mapping[str, KindRule]
    thresholds: Mapping[str, tuple[Threshold, ...]]
    source_defaults: Mapping[str, Severity]
    default_severity: Severity = Severity.P3
    severity_words: Mapping[str, Mapping[str, Severity]] = field(default_factory=dict)

    def severity_of(self, source: str, word: str) -> Severity | None:
        """The severity that a word means when this source says it; None when nobody knows the word."""
        own = self.severity_words.get(source.strip().lower())
        known = own.get(folded(word)) if own else None
        return normalise(word) if known is None else known

    def kind_rule(self, kind: str) -> KindRule | None:
        """The rule of a reported kind: itself, or its nearest parent (`jailbreak.roleplay` -> `jailbreak`)."""
        name = kind.strip().lower().replace(" ", "_").replace("-", "_").replace("/", ".")
        while name:
            if (rule := self.kinds.get(name)) is not None:
                return rule
            name = name.rpartition(".")[0]
        return None

    def default_for(self, source: str) -> Severity:
        """The severity of an event of this source that names none, or one nobody knows."""
        return self.source_defaults.get(source.strip().lower(), self.default_severity)
