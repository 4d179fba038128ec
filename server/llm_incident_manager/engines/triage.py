"""Judges an event by the rule floor: how severe at least, what sort, and why. It never lowers what was reported.

A reported severity counts in any spelling, and as its source means it; one that nobody knows gives the source's
default and a warning, never silence. The kind's floor, its attributes and the thresholds of metrics may each raise the
severity. An event that reports none takes the most severe of those three, and only without any of them the default of
its source.
"""

from enum import StrEnum
from typing import NamedTuple

from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.rules import KindRule, RulePack, Threshold
from llm_incident_manager.domain.severity import IncidentType, Severity

UNKNOWN_SEVERITY = "unknown_severity"
"""The label for an incident whose severity word was not known; its value is that word."""


class DecidedBy(StrEnum):
    """What settled the severity."""

    REPORTED = "reported"
    KIND_FLOOR = "kind_floor"
    ATTRIBUTE = "attribute"
    THRESHOLD = "threshold"
    SOURCE_DEFAULT = "source_default"


# Read once for every event: in Python 3.11 a look-up of an enum member on its class is slow.
_REPORTED = DecidedBy.REPORTED
_KIND_FLOOR = DecidedBy.KIND_FLOOR
_UNKNOWN_TYPE = IncidentType.UNKNOWN

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
        sentence = _SENTENCES[self.decided_by].format(rule=self.rule, detail=self.detail)
        return f"{self.severity.name}: {sentence}"


def decide(event: Event, pack: RulePack) -> Decision:
    """The decision on one event under the rules of a pack."""
    word = event.severity
    kind = pack.kind_rule(event.kind) if event.kind else None
    reported = pack.severity_of(event.source, word) if word else None
    if not event.attributes and not event.metrics and (reported is not None or not word):  # nearly all events
        floor = None if kind is None else kind.floor
        if kind is not None and floor is not None and (reported is None or floor < reported):
            return _decision(event, kind, floor, _KIND_FLOOR, kind.kind, "")
        if reported is not None:
            return _decision(event, kind, reported, _REPORTED, "", word)
    warnings = (_unknown_word(event, pack),) if word and reported is None else ()
    return _decision(event, kind, *_settle(event, pack, reported, kind), warnings=warnings)


def _decision(
    event: Event,
    kind: KindRule | None,
    severity: Severity,
    decided_by: DecidedBy,
    rule: str,
    detail: str,
    *,
    warnings: tuple[str, ...] = (),
) -> Decision:
    sort = event.incident_type
    if kind is None:
        return Decision(severity, sort or _UNKNOWN_TYPE, event.kind, decided_by, rule, detail, warnings)
    sort = sort or kind.incident_type
    return Decision(severity, sort, kind.kind, decided_by, rule, detail, warnings, kind.opens)


def _settle(event: Event, pack: RulePack, reported: Severity | None, kind: KindRule | None) -> _Claim:
    """The most severe claim; of equals the first, in the order reported, floor, attributes, thresholds."""
    best: _Claim | None = None
    if reported is not None:
        best = _Claim(reported, _REPORTED, "", event.severity)
    elif event.severity:
        best = _default(event, pack)
    if kind is not None:
        best = _kind_claim(kind, event, best)
    return _threshold_claim(event, pack, best) or _default(event, pack)


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
        best = _Claim(kind.floor, _KIND_FLOOR, kind.kind, "")
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
