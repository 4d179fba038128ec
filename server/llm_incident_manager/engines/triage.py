"""Judges an event by the rule floor: how severe at least, what sort, and why. It never lowers what was reported.

A reported severity counts in any spelling, and as its source means it; one that nobody knows gives the source's
default and a warning, never silence. The kind's floor, its attributes and the thresholds of metrics may each raise the
severity. An event that reports none takes the most severe of those three, and only without any of them the default of
its source.
"""

from enum import StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.rules import KindRule, RulePack, Threshold
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.time import Instant

LONGEST_WORDS = 1_024
UNKNOWN_SEVERITY = "unknown_severity"
"""The label for an incident whose severity word was not known; its value is that word."""


class DecidedBy(StrEnum):
    """What settled the severity."""

    REPORTED = "reported"
    KIND_FLOOR = "kind_floor"
    ATTRIBUTE = "attribute"
    THRESHOLD = "threshold"
    SOURCE_DEFAULT = "source_default"


_SENTENCES = {
    DecidedBy.REPORTED: "reported as {detail!r}",
    DecidedBy.KIND_FLOOR: "the least severity of {rule}",
    DecidedBy.ATTRIBUTE: "the least severity of {rule} with {detail}",
    DecidedBy.THRESHOLD: "{rule} is {detail}",
    DecidedBy.SOURCE_DEFAULT: "the default of source {detail!r}",
}


class _Claim(NamedTuple):
    """One voice on the severity. `rule` and `detail` are what its sentence needs."""

    severity: Severity
    decided_by: DecidedBy
    rule: str
    detail: str


class Decision(NamedTuple):
    """The severity and sort of an event, with the reason.

    `kind` is the rule pack's name when it knows the kind, otherwise the reported one. `rule` names what settled the
    severity: a kind, a metric, or nothing. `opens` is False for kinds that only record a change.
    """

    severity: Severity
    incident_type: IncidentType
    kind: str
    decided_by: DecidedBy
    rule: str
    detail: str
    warnings: tuple[str, ...] = ()
    opens: bool = True

    @property
    def explanation(self) -> str:
        """One sentence for people; made when asked for, since most events are never explained."""
        return _explained(self.severity, self.decided_by, self.rule, self.detail)


@lru_cache(maxsize=4_096)
def _explained(severity: Severity, decided_by: DecidedBy, rule: str, detail: str) -> str:
    return f"{severity.name}: {_SENTENCES[decided_by].format(rule=rule, detail=detail)}"


class Ground(NamedTuple):
    """How an event stands before its metrics are looked at, which differ from one report to the next: the decision
    without them, and the claim that a threshold has to exceed, if there is any."""

    decision: Decision
    claim: _Claim | None


_grounded_by = itemgetter(*map(Event._fields.index, ("source", "kind", "severity", "incident_type")))


class Judge:
    """Decides under the rules of one pack, and remembers the grounds of events without attributes: in a storm nearly
    all are known."""

    def __init__(self, pack: RulePack, limit: int = 10_000) -> None:
        """Remembers at most `limit` grounds."""
        self.pack = pack
        self._limit = limit
        self._known: dict[tuple[object, ...], Ground] = {}
        self._floors: dict[tuple[str, str, str], Severity] = {}

    def decide(self, event: Event) -> Decision:
        """The decision on one event."""
        known = None if event.attributes else self._known.get(_grounded_by(event))
        if known is None:
            known = self._remember(event)
        return _measured(event, self.pack, known) if event.metrics else known.decision

    def floor(self, source: str, kind: str, severity: str) -> Severity:
        """How severe an event of these words is at least, before its attributes and metrics are looked at. Words may
        come from anybody, unchecked; longer ones than any event may have count as most severe."""
        known = self._floors.get((source, kind, severity))
        if known is None:
            if len(source) + len(kind) + len(severity) > LONGEST_WORDS:
                return Severity.P0
            if len(self._floors) >= self._limit:
                self._floors.clear()
            event = Event(source=source, title="", event_time=Instant(0), kind=kind, severity=severity)
            known = self._floors[source, kind, severity] = _ground(event, self.pack).decision.severity
        return known

    def _remember(self, event: Event) -> Ground:
        found = _ground(event, self.pack)
        if not event.attributes:
            if len(self._known) >= self._limit:
                self._known.clear()
            self._known[_grounded_by(event)] = found
        return found


def decide(event: Event, pack: RulePack) -> Decision:
    """The decision on one event under the rules of a pack."""
    return _measured(event, pack, _ground(event, pack))


def _ground(event: Event, pack: RulePack) -> Ground:
    """The most severe of what was reported, the kind's floor and its attributes; of equals the first."""
    word = event.severity
    kind = pack.kind_rule(event.kind) if event.kind else None
    reported = pack.severity_of(event.source, word) if word else None
    warnings = (_unknown_word(event, pack),) if word and reported is None else ()
    claim: _Claim | None = None
    if reported is not None:
        claim = _Claim(reported, DecidedBy.REPORTED, "", word)
    elif word:
        claim = _default(event, pack)
    if kind is not None:
        claim = _kind_claim(kind, event, claim)
    sort = event.incident_type or (IncidentType.UNKNOWN if kind is None else kind.incident_type)
    name, opens = (event.kind, True) if kind is None else (kind.kind, kind.opens)
    severity, decided_by, rule, detail = claim or _default(event, pack)
    return Ground(Decision(severity, sort, name, decided_by, rule, detail, warnings, opens), claim)


def _measured(event: Event, pack: RulePack, ground: Ground) -> Decision:
    """The decision, unless a metric lies beyond a threshold that is more severe."""
    claim = _threshold_claim(event, pack, ground.claim)
    return ground.decision if claim is ground.claim or claim is None else ground.decision._replace(**claim._asdict())


def _default(event: Event, pack: RulePack) -> _Claim:
    return _Claim(pack.default_for(event.source), DecidedBy.SOURCE_DEFAULT, "", event.source)


def _unknown_word(event: Event, pack: RulePack) -> str:
    severity = pack.default_for(event.source).name
    return (
        f"severity {event.severity!r} is not a known word: {severity}, the default of source {event.source!r}, "
        "was taken; report P0 to P4, or critical, high, medium, low or info"
    )


def _kind_claim(kind: KindRule, event: Event, best: _Claim | None) -> _Claim | None:
    if kind.floor is not None and (best is None or kind.floor < best.severity):
        best = _Claim(kind.floor, DecidedBy.KIND_FLOOR, kind.kind, "")
    for name in event.attributes and kind.attributes:
        severity = kind.attributes[name]
        if event.attributes.get(name, False) and (best is None or severity < best.severity):
            best = _Claim(severity, DecidedBy.ATTRIBUTE, kind.kind, name)
    return best


def _threshold_claim(event: Event, pack: RulePack, best: _Claim | None) -> _Claim | None:
    for name, value in event.metrics.items():
        for threshold in pack.thresholds.get(name, ()):
            if (best is None or threshold.severity < best.severity) and threshold.broken_by(value):
                best = _Claim(threshold.severity, DecidedBy.THRESHOLD, name, _beyond(threshold, value))
    return best


def _beyond(threshold: Threshold, value: float) -> str:
    return f"{value:g}, {'above' if threshold.above else 'below'} {threshold.limit:g}"
