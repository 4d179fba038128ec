"""Reads a rule pack from YAML and refuses one that it does not understand whole. Judges nothing itself."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from llm_incident_manager.config import documents
from llm_incident_manager.domain.rules import KindRule, Reference, RulePack, Threshold
from llm_incident_manager.domain.severity import IncidentType, Severity, folded

_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")
_PACK_KEYS = ("version", "frameworks", "source_defaults", "severity_words", "kinds", "thresholds")
_KIND_KEYS = ("type", "floor", "raised_by", "aliases", "references", "opens")


class RulePackError(Exception):
    """The rule pack cannot be used. The message has a line for each problem, with place and remedy."""

    def __init__(self, problems: list[str]) -> None:
        """Takes at least one problem."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load(
    path: Path | None = None,
    *,
    source_defaults: Mapping[str, Severity] | None = None,
    default_severity: Severity = Severity.P3,
) -> RulePack:
    """The rule pack of a file, or the one that comes with the server.

    `source_defaults` goes before the pack's own; `default_severity` is for all other sources. Raises RulePackError.
    """
    pack = parse(_content(path), "default.yaml" if path is None else str(path))
    own = {source.strip().lower(): severity for source, severity in (source_defaults or {}).items()}
    return replace(pack, source_defaults={**pack.source_defaults, **own}, default_severity=default_severity)


def parse(content: object, name: str = "rule pack") -> RulePack:
    """The rule pack of parsed YAML; `name` stands before each problem. Raises RulePackError with all of them."""
    reader = _Reader(name)
    pack = reader.pack(content)
    if reader.problems:
        raise RulePackError(reader.problems)
    return pack


def _content(path: Path | None) -> object:
    if path is None:
        own = resources.files("llm_incident_manager") / "rules" / "default.yaml"
        return documents.parse(own.read_text("utf-8"))
    try:
        return documents.read(path)
    except documents.Unreadable as error:
        raise RulePackError([f"{path}: {error}"]) from None


class _Reader:
    """Walks through the content and collects problems; what it returns counts only when there are none."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.problems: list[str] = []

    def pack(self, content: object) -> RulePack:
        tree = self._keys(content, "", _PACK_KEYS)
        frameworks = {
            name: self._word(edition, f"frameworks.{name}") for name, edition in self._map(tree, "frameworks")
        }
        rules = [self._kind(name, rule, frameworks) for name, rule in self._map(tree, "kinds")]
        return RulePack(
            version=self._word(tree.get("version"), "version"),
            kinds=self._by_name(rules),
            thresholds={name: tuple(self._metric(name, entry)) for name, entry in self._map(tree, "thresholds")},
            source_defaults={
                source.strip().lower(): self._severity(word, f"source_defaults.{source}")
                for source, word in self._map(tree, "source_defaults")
            },
            severity_words={
                source.strip().lower(): {
                    folded(word): self._severity(severity, f"severity_words.{source}.{word}")
                    for word, severity in self._map({source: words}, source, "severity_words")
                }
                for source, words in self._map(tree, "severity_words")
            },
        )

    def _kind(self, name: str, content: object, frameworks: Mapping[str, str]) -> KindRule:
        at = f"kinds.{name}"
        rule = self._keys(content, at, _KIND_KEYS)
        if not _NAME.fullmatch(name):
            self._refuse(at, f"{name!r} is no kind: use lower-case words joined by _ and parents by dots")
        opens = rule.get("opens", True)
        if not isinstance(opens, bool):
            self._refuse(f"{at}.opens", f"{opens!r} is neither true nor false")
        return KindRule(
            kind=name,
            incident_type=self._type(rule.get("type"), f"{at}.type"),
            floor=None if rule.get("floor") is None else self._severity(rule["floor"], f"{at}.floor"),
            attributes={
                attribute: self._severity(word, f"{at}.raised_by.{attribute}")
                for attribute, word in self._map(rule, "raised_by", at)
            },
            aliases=tuple(self._words(rule.get("aliases", []), f"{at}.aliases")),
            references=tuple(self._references(rule, at, frameworks)),
            opens=opens is True,
        )

    def _references(self, rule: Mapping[str, object], at: str, frameworks: Mapping[str, str]) -> Iterator[Reference]:
        for framework, ids in self._map(rule, "references", at):
            place = f"{at}.references.{framework}"
            if framework not in frameworks:
                self._refuse(place, f"{framework!r} has no edition under frameworks: add it there")
            for entry in self._words(ids if isinstance(ids, list) else [ids], place):
                yield Reference(framework, frameworks.get(framework, ""), entry)

    def _metric(self, name: str, content: object) -> Iterator[Threshold]:
        at = f"thresholds.{name}"
        metric = self._keys(content, at, ("meaning", "limits"))
        self._word(metric.get("meaning"), f"{at}.meaning")
        limits = metric.get("limits")
        if not isinstance(limits, list) or not limits:
            self._refuse(f"{at}.limits", "give a list such as [{above: 2, severity: P2}]")
            return
        for number, entry in enumerate(limits):
            place = f"{at}.limits[{number}]"
            limit = self._keys(entry, place, ("above", "below", "severity"))
            sides = [side for side in ("above", "below") if side in limit]
            value = limit[sides[0]] if len(sides) == 1 else None
            if isinstance(value, bool) or not isinstance(value, int | float):
                self._refuse(place, "give a number under either above or below")
                continue
            yield Threshold(
                name, value, self._severity(limit.get("severity"), f"{place}.severity"), sides[0] == "above"
            )

    def _by_name(self, rules: list[KindRule]) -> dict[str, KindRule]:
        """Kinds and aliases, each as written and without underscores, so that PromptInjection is found as well."""
        found: dict[str, KindRule] = {}
        for rule in rules:
            for word in (rule.kind, *map(_normal, rule.aliases)):
                for key in dict.fromkeys((word, word.replace("_", ""))):
                    other = found.setdefault(key, rule)
                    if other is not rule:
                        self._refuse(f"kinds.{rule.kind}", f"{word!r} also means {other.kind}: remove one of them")
        return found

    def _keys(self, content: object, at: str, known: tuple[str, ...]) -> Mapping[str, object]:
        if not isinstance(content, dict):
            self._refuse(at, f"give keys and values: {', '.join(known)}")
            return {}
        for key in [key for key in content if key not in known]:
            close = get_close_matches(str(key), known, 1)
            hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
            self._refuse(f"{at}.{key}".removeprefix("."), f"unknown key; {hint}")
        return content

    def _map(self, tree: Mapping[str, object], key: str, at: str = "") -> list[tuple[str, object]]:
        content = tree.get(key, {})
        if not isinstance(content, dict):
            self._refuse(f"{at}.{key}".removeprefix("."), "give keys and values")
            return []
        return [(str(name), value) for name, value in content.items()]

    def _words(self, content: object, at: str) -> list[str]:
        if not isinstance(content, list):
            self._refuse(at, "give a list of words")
            return []
        return [self._word(entry, f"{at}[{number}]") for number, entry in enumerate(content)]

    def _word(self, value: object, at: str) -> str:
        if isinstance(value, str) and value.strip():
            return value
        self._refuse(at, "is missing or no text: give one, in quotes")
        return ""

    def _severity(self, value: object, at: str) -> Severity:
        if isinstance(value, str) and value in Severity.__members__:
            return Severity[value]
        self._refuse(at, f"{value!r} is no severity: give P0, P1, P2, P3 or P4")
        return Severity.P4

    def _type(self, value: object, at: str) -> IncidentType:
        if isinstance(value, str) and value in IncidentType.__members__:
            return IncidentType[value]
        self._refuse(at, f"{value!r} is no incident type: give {', '.join(IncidentType)}")
        return IncidentType.UNKNOWN

    def _refuse(self, at: str, why: str) -> None:
        self.problems.append(": ".join(part for part in (self._name, at, why) if part))


def _normal(word: str) -> str:
    return word.strip().lower().replace(" ", "_").replace("-", "_").replace("/", ".")
